import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { Codec } from '#core/codec.ts';
import { ack } from '#core/disposition.ts';
import type { Message } from '#core/ports/broker.ts';
import { COMPUTE_FLOW } from '#core/service.ts';
import { openTraces, traceReader } from '#runtime/cloud/traces.ts';
import { startCollector, type Collector } from '#test/adapters/telemetry/collector.ts';
import { freshFolder } from '#test/flow/kit.ts';
import { living, run, service, silentServer } from './kit.ts';

const ROOT = join(import.meta.dirname, '../../..');
const ID = '0af76519-16cd-43dd-8448-eb211c80319c';
const TRACE = ID.replaceAll('-', '');

function event(trace: string): Message {
  const envelope = {
    source: 'dialpad', instance: 'acme', object: 'call', id: '1', operation: 'upsert', lane: 'live', runId: null, observedAtMicros: 1, changedAtMicros: null, trace, hint: null,
    version: { epoch: 0, sourceSequence: 1, issuedMicros: 1, generation: 0 },
  } as const; // prettier-ignore
  return new Codec().encodeRaw('dialpad', { envelope, record: '{}' });
}

let folder: string;
let remove: () => void;
let collector: Collector;
beforeEach(async () => {
  ({ folder, remove } = freshFolder());
  collector = await startCollector();
});
afterEach(async () => {
  await collector.close();
  remove();
});

describe('the trace of a message', () => {
  it('is its envelope’s, as 32 digits, and of several messages each once', () => {
    expect(traceReader()([event(ID), event(ID), event('7c86ff0e3a5d4f5aa1a0cc1c3a2f1b11')])).toEqual([
      TRACE,
      '7c86ff0e3a5d4f5aa1a0cc1c3a2f1b11',
    ]);
  });

  it.each<[string, Message]>([
    ['what is no event', { body: new Uint8Array([1, 2, 3]), attributes: {} }],
    ['damaged bytes', { ...event(ID), body: new Uint8Array([255, 255, 255]) }],
    ['a claim without its body', { ...event(ID), body: new Uint8Array() }],
    ['a trace of another kind', event('by hand')],
  ])('is not known of %s', (_, message) => expect(traceReader()([message])).toEqual([]));

  it('does not leak from one piece of work into another', async () => {
    const traces = openTraces();
    const seen: (string | undefined)[] = [];
    const look = async (): Promise<void> => {
      await Promise.resolve();
      seen.push(traces.current());
    };
    await traces.during('a', () => Promise.all([look(), traces.during('b', look), traces.during(undefined, look)]));
    await look();
    expect(seen.sort()).toEqual(['a', 'b', undefined, undefined]);
  });
});

const HINTS = {
  events: { topic: 'raw.dialpad', sharing: 'shared', ackDeadlineSeconds: 30, flow: COMPUTE_FLOW },
} as const;

async function published(): Promise<void> {
  const path = join(folder, 'broker.sqlite');
  const broker = await openEmbeddedBroker({ path, clock: systemClock, random: systemRandom });
  const spec = { name: 'tester.events.live', service: 'tester', lane: 'live', ...HINTS.events } as const;
  await broker.ensure(['raw.dialpad'], [spec]);
  await broker.publish('raw.dialpad', [event(ID)], 'kill');
  await broker.close();
}

it('a served batch is a span of its event’s trace and counted, and what it logs knows the trace', async () => {
  await published();
  const handled = Promise.withResolvers<string | undefined>();
  const one = run(
    folder,
    [
      service({ subscribes: HINTS }, async () =>
        living({
          handlers: {
            events: async (batch) => {
              handled.resolve(one.options.traces.current());
              return batch.map(() => ack);
            },
          },
        }),
      ),
    ],
    { 'otel.endpoint': collector.endpoint },
  );
  expect(await handled.promise).toBe(TRACE);
  await one.serving;
  expect((await one.terminate()).isClean).toBe(true);
  expect(collector.spans).toMatchObject([{ name: 'tester.events.live process', traceId: TRACE }]);
  expect(collector.points('tributary.messages.acked')).toMatchObject([{ value: 1, attributes: { service: 'tester' } }]);
});

it('a collector that keeps silent delays no drain beyond its time, and the drain is clean', async () => {
  const silent = await silentServer();
  const one = run(folder, [service({})], { 'otel.endpoint': `http://${silent.address}` });
  await one.serving;
  const startedMs = performance.now();
  expect((await one.terminate()).isClean).toBe(true);
  expect(performance.now() - startedMs).toBeLessThan(3_000);
  await silent.close();
});

it('without a collector nothing of OpenTelemetry is loaded: one folder imports it, and that only on demand', () => {
  const files = globSync(['{core,services,adapters,runtime,cli}/**/*.ts'], { cwd: ROOT });
  const importing = (pattern: RegExp): string[] =>
    files
      .filter((file) => pattern.test(readFileSync(join(ROOT, file), 'utf8')))
      .map((file) => file.replaceAll('\\', '/'));
  const own = importing(/^import .*from '@opentelemetry\//m);
  expect(own.every((file) => file.startsWith('adapters/telemetry/otel/'))).toBe(true);
  expect(own.length).toBeGreaterThan(0);
  expect(importing(/^import (?!type ).*from '#adapters\/telemetry\/otel\//m)).toEqual([]);
});
