import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { ack } from '#core/disposition.ts';
import { COMPUTE_FLOW } from '#core/service.ts';
import { freshFolder } from '#test/flow/kit.ts';
import { freePort } from '#tools/free-port.ts';
import { living, run, service, silentServer, type Run } from './kit.ts';

process.env['METADATA_SERVER_DETECTION'] ??= 'none';

let folder: string;
let ends: (() => unknown)[] = [];
beforeEach(() => {
  const fresh = freshFolder();
  folder = fresh.folder;
  ends = [fresh.remove];
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

function started(...args: Parameters<typeof run> extends [string, ...infer Rest] ? Rest : never): Run {
  const one = run(folder, ...args);
  ends.push(() => one.terminate().catch(() => undefined));
  return one;
}

async function asked(url: string, path: string): Promise<{ readonly status: number; readonly body: unknown }> {
  const answer = await fetch(`${url}${path}`);
  return { status: answer.status, body: await answer.json() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const faults = ({ seen }: Run): unknown[] =>
  seen.filter(({ name }) => name === 'faultSeen').map(({ fields }) => fields['message']);

const CALLS = {
  calls: { topic: 'canonical.call', sharing: 'shared', ackDeadlineSeconds: 30, flow: COMPUTE_FLOW },
} as const;

/** What was published before, in a broker file that the process then opens. */
async function published(messages: number): Promise<void> {
  const path = join(folder, 'broker.sqlite');
  const broker = await openEmbeddedBroker({ path, clock: systemClock, random: systemRandom });
  const spec = { name: 'tester.calls.live', service: 'tester', lane: 'live', ...CALLS.calls } as const;
  await broker.ensure(['canonical.call'], [spec]);
  const message = { body: new TextEncoder().encode('x'), attributes: { lane: 'live' } };
  await broker.publish(
    'canonical.call',
    Array.from({ length: messages }, () => message),
    'kill',
  );
  await broker.close();
}

describe('a process told to stop', () => {
  it('while a broker keeps silent at its start ends at once', async () => {
    const silent = await silentServer();
    ends.push(() => silent.close());
    const one = started([service({})], { broker: 'pubsub', 'pubsub.emulator': silent.address });
    await silent.asked;
    const startedMs = performance.now();
    expect(await one.terminate()).toMatchObject({ result: undefined });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('while a service starts ends the start', async () => {
    let ended = '';
    const slow = service({}, ({ signal }) => {
      return new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => {
          ended = 'by its signal';
          reject(signal.reason as Error);
        }),
      );
    });
    const one = started([slow]);
    await until(() => existsSync(join(folder, 'broker.sqlite')));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await one.terminate()).isClean).toBe(true);
    expect(ended).toBe('by its signal');
  });

  it('while a batch is under way lets it end, and acks it', async () => {
    await published(1);
    let [begun, done] = [false, false];
    const handlers = {
      calls: async (batch: readonly unknown[]) => {
        begun = true;
        await new Promise((resolve) => setTimeout(resolve, 500));
        done = true;
        return batch.map(() => ack);
      },
    };
    const one = started([service({ subscribes: CALLS }, async () => living({ handlers }))]);
    await until(() => begun);
    expect(await one.terminate()).toEqual({ result: undefined, isClean: true });
    expect(done).toBe(true);
    const again = started([service({ subscribes: CALLS }, async () => living({ handlers }))]);
    begun = false;
    await again.serving;
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(begun).toBe(false);
  });

  it('leaves a batch that hangs after its time, to be delivered again, and is clean', async () => {
    await published(3);
    let begun = 0;
    const handlers = {
      calls: (batch: readonly unknown[]) => {
        begun += batch.length;
        return new Promise<never>(() => undefined);
      },
    };
    const one = started([service({ subscribes: CALLS }, async () => living({ handlers }))]);
    await until(() => begun > 0);
    const startedMs = performance.now();
    expect((await one.terminate()).isClean).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    let again = 0;
    const acking = async (batch: readonly unknown[]) => {
      again += batch.length;
      return batch.map(() => ack);
    };
    started([service({ subscribes: CALLS }, async () => living({ handlers: { calls: acking } }))]);
    await until(() => again >= 3);
  });

  it('says which service hangs, and closes the others all the same', async () => {
    let closed = false;
    const one = started([
      service({ name: 'hangs' }, async () => living({ stop: () => new Promise(() => undefined) })),
      service({ name: 'ends' }, async () => living({ stop: async () => void (closed = true) })),
    ]);
    await one.serving;
    const startedMs = performance.now();
    expect((await one.terminate()).isClean).toBe(false);
    expect(performance.now() - startedMs).toBeLessThan(9_000);
    expect(closed).toBe(true);
    expect(faults(one)).toEqual(['hangs has not stopped in 4500 ms: it is left.']);
    expect(one.options.lifecycle.hanging).toEqual(['hangs']);
  });
});

describe('readiness', () => {
  it('is off until all services have started, and says what is waited for, while the process is alive', async () => {
    const gate = Promise.withResolvers<void>();
    const slow = service({ name: 'slow' }, async () => {
      await gate.promise;
      return living({});
    });
    const port = String(await freePort());
    const one = started([slow], { 'web.port': port });
    const url = `http://127.0.0.1:${port}`;
    let answer = { status: 0, body: {} as unknown };
    while (!JSON.stringify(answer.body).includes('slow')) answer = await asked(url, '/readyz').catch(() => answer);
    expect(answer).toEqual({
      status: 503,
      body: { phase: 'starting', waitsFor: 'slow', services: { slow: 'waiting' } },
    });
    expect(await asked(url, '/livez')).toEqual({ status: 200, body: { alive: true } });
    gate.resolve();
    await one.serving;
    expect(await asked(url, '/readyz')).toEqual({
      status: 200,
      body: { phase: 'ready', services: { slow: 'running' } },
    });
  });

  it('is off as soon as the process is told to stop', async () => {
    const one = started([
      service({}, async () => living({ stop: () => new Promise((done) => setTimeout(done, 300)) })),
    ]);
    const { health } = await one.serving;
    void one.terminate();
    expect(health.probes()['/readyz']?.()).toMatchObject({ status: 503, body: { phase: 'draining' } });
  });
});

describe('what of a service runs', () => {
  const routes = { push: { path: '/push', method: 'POST', bodyLimitBytes: 100, answerWithinMs: 1_000 } } as const;
  const both = (log: string[]) =>
    service({ routes, subscribes: CALLS }, async () =>
      living({
        routes: { push: async () => ({ status: 200 }) },
        handlers: {
          calls: async (batch) => {
            log.push('consumed');
            return batch.map(() => ack);
          },
        },
      }),
    );

  it('routes: it answers pushes and consumes nothing', async () => {
    await published(1);
    const log: string[] = [];
    const one = started([both(log)], {}, 'routes');
    const { url } = await one.serving;
    expect((await fetch(`${url}/push`, { method: 'POST', body: 'x' })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(log).toEqual([]);
  });

  it('work: it consumes, and knows no route', async () => {
    await published(1);
    const log: string[] = [];
    const one = started([both(log)], {}, 'work');
    const { url } = await one.serving;
    await until(() => log.length > 0);
    expect((await fetch(`${url}/push`, { method: 'POST', body: 'x' })).status).toBe(404);
  });
});
