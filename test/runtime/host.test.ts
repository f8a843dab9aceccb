import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '#adapters/store/sqlite.ts';
import { Codec } from '#core/codec.ts';
import type { BrokerPort, Consumer } from '#core/ports/broker.ts';
import { defineService, type AnyService, type Ports } from '#core/service.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { takeLease } from '#core/lease.ts';
import { DependencyDown } from '#core/errors.ts';
import type { StorePort } from '#core/ports/store.ts';
import { ServiceHost } from '#runtime/host.ts';
import type { HostPorts } from '#runtime/host-ports.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function world() {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-host-'));
  const store = openSqliteStore(join(folder, 'store.sqlite'));
  closing.push(
    () => rmSync(folder, { recursive: true }),
    () => store.close(),
  );
  const clock = virtualClock();
  const consumers: string[] = [];
  const consumer = (name: string): Consumer => {
    consumers.push(name);
    const drain = async (): Promise<void> => void consumers.splice(consumers.indexOf(name), 1);
    const ended = new Promise<void>(() => undefined);
    return { pause: async () => undefined, resume: () => undefined, drain, started: Promise.resolve(), ended };
  };
  const broker: BrokerPort = {
    publish: async () => undefined,
    consume: ({ name }) => consumer(name),
    seek: async () => undefined,
    ensure: async () => undefined,
  };
  const ports = (owner: string): HostPorts => ({
    broker,
    publisher: { publish: async () => undefined },
    parking: { park: async () => undefined },
    leaseStore: store,
    ports: {} as Ports,
    codec: new Codec(),
    clock,
    random: seededRandom(1),
    telemetry: new TelemetryHub(),
    installation: 'test',
    owner,
    factPublisher: async () => undefined,
  });
  return { clock, store, consumers, ports };
}

/** Notes each start with its epoch, and each stop. */
function leased(log: string[]): AnyService {
  return defineService(
    {
      name: 'owner',
      doc: '',
      source: null,
      uses: [],
      publishes: [],
      subscribes: {
        things: {
          topic: 'canonical.call',
          sharing: 'shared',
          ackDeadlineSeconds: 10,
          flow: { batchMessages: 1, batchBytes: 1, lingerMs: 0, outstandingMessages: 1, outstandingBytes: 1 },
        },
      },
      routes: {},
      schedules: {},
      singletons: {},
      underLease: true,
      commands: {},
      config: {},
    },
    async ({ leaseEpoch }) => {
      log.push(`start ${leaseEpoch}`);
      return {
        handlers: { things: async () => [] },
        routes: {},
        schedules: {},
        singletons: {},
        commands: {},
        stop: async () => void log.push(`stop ${leaseEpoch}`),
      };
    },
  );
}

describe('a service under a lease', () => {
  it('runs in one of two processes, and in the other as soon as the first gives it back', async () => {
    const { clock, consumers, ports } = world();
    const log: string[] = [];
    const [first, second] = [
      new ServiceHost(leased(log), {}, ports('a')),
      new ServiceHost(leased(log), {}, ports('b')),
    ];
    await first.start();
    await second.start();
    expect([first.state, second.state, log]).toEqual(['running', 'waiting', ['start 1']]);
    await first.stop(100);
    await clock.until(() => second.state === 'running', 10_000);
    expect([log, consumers]).toEqual([
      ['start 1', 'stop 1', 'start 2'],
      ['owner.things.live', 'owner.things.bulk', 'owner.given-up'],
    ]);
    await second.stop(100);
  });

  it('that lost its lease gives back what it holds and starts over under a greater epoch', async () => {
    const { clock, store, ports } = world();
    const log: string[] = [];
    const host = new ServiceHost(leased(log), {}, ports('a'));
    await host.start();
    // Another instance took it while this one could not renew.
    const held = (await store.get('leases/owner'))!;
    await store.put(
      'leases/owner',
      JSON.stringify({ owner: 'thief', epoch: 2, expiresMicros: clock.nowMicros() + 8_000_000 }),
      held.generation,
    );
    await clock.until(() => log.includes('stop 1'), 20_000);
    expect(host.state).toBe('waiting');
    await clock.until(() => host.state === 'running', 30_000);
    expect(log).toEqual(['start 1', 'stop 1', 'start 3']);
    await host.stop(100);
  });

  it('outlives a store that does not answer, and a start that fails once it does', async () => {
    const { clock, store, ports } = world();
    const log: string[] = [];
    let isDown = false;
    let startsFail = false;
    const flaky: StorePort = {
      ...store,
      get: async (key) => (isDown ? Promise.reject(new DependencyDown('disk', 'It is full.')) : store.get(key)),
      put: async (...args) => (isDown ? Promise.reject(new DependencyDown('disk', 'It is full.')) : store.put(...args)),
    };
    const service = leased(log);
    const start: AnyService['start'] = async (context) => {
      if (startsFail) throw new DependencyDown('objects', 'They cannot be read.');
      return service.start(context);
    };
    const host = new ServiceHost({ ...service, start }, {}, { ...ports('a'), leaseStore: flaky });
    await host.start();
    isDown = true;
    await clock.until(() => log.includes('stop 1'), 60_000);
    await clock.advance(60_000);
    expect(host.state).toBe('waiting');
    [isDown, startsFail] = [false, true];
    await clock.advance(60_000);
    expect(host.state).toBe('waiting');
    startsFail = false;
    await clock.until(() => host.state === 'running', 60_000);
    await host.stop(100);
  });

  it('holds its lease until its last work is done', async () => {
    const { clock, store, ports } = world();
    const log: string[] = [];
    const host = new ServiceHost(leased(log), {}, ports('a'));
    await host.start();
    expect(await takeLease({ store, clock, name: 'owner', owner: 'b', ttlMs: 1_000 })).toBeUndefined();
    await host.stop(100);
    expect((await takeLease({ store, clock, name: 'owner', owner: 'b', ttlMs: 1_000 }))?.epoch).toBe(2);
  });
});
