import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { openOtel, type BatchFacts, type Otel } from '#adapters/telemetry/otel/index.ts';
import { ack, retry } from '#core/disposition.ts';
import { DependencyDown } from '#core/errors.ts';
import { silentServer } from '#test/runtime/cloud/kit.ts';
import { startCollector, type Collector } from './collector.ts';

let collector: Collector;
let otel: Otel;
const faults: unknown[] = [];

function open(endpoint: string): Otel {
  return openOtel({
    endpoint,
    service: 'resolver',
    version: 'v7',
    installation: 'acme',
    instance: 'one',
    clock: systemClock,
    onFault: (error) => faults.push(error),
  });
}

beforeEach(async () => {
  faults.length = 0;
  collector = await startCollector();
  otel = open(collector.endpoint);
});
afterEach(async () => {
  await otel.close(1_000);
  await collector.close();
});

const TRACES = ['0af7651916cd43dd8448eb211c80319c', '1bf7651916cd43dd8448eb211c80319c'] as const;
const FACTS: BatchFacts = {
  service: 'resolver',
  subscription: 'resolver.call.live',
  topic: 'canonical.call',
  lane: 'live',
  messages: 2,
  oldestAgeMs: 1_500,
  traces: TRACES,
};

describe('a collector that is not well', () => {
  it('that refuses is told once, and what is done goes on', async () => {
    collector.status = 400;
    for (const _ of [1, 2]) expect(await otel.batch(FACTS, async () => [ack])).toEqual([ack]);
    await otel.close(2_000);
    expect(faults).toHaveLength(1);
  });

  it('that keeps silent delays the end by no more than is allowed', async () => {
    const silent = await silentServer();
    const one = open(`http://${silent.address}`);
    await one.batch(FACTS, async () => [ack]);
    const startedMs = performance.now();
    await one.close(300);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
    await silent.close();
  });
});

describe('spans', () => {
  it('are one a batch, in the trace of its first event, with links to the others', async () => {
    await otel.batch(FACTS, async () => [ack, retry(10, 'later')]);
    await otel.batch({ ...FACTS, traces: [] }, async () => [ack]);
    await otel.close(2_000);
    const [first, second] = collector.spans;
    expect(first).toMatchObject({
      name: 'resolver.call.live process',
      traceId: TRACES[0],
      links: [{ traceId: TRACES[1] }],
      attributes: { 'tributary.service': 'resolver', 'messaging.batch.message_count': 2, 'tributary.acked': 1 },
    });
    expect(second?.traceId).not.toBe(TRACES[0]);
    expect(collector.resources[0]).toMatchObject({ 'service.name': 'resolver', 'service.version': 'v7' });
  });

  it('of a batch that failed say with which code, and nothing that was said of it', async () => {
    const down = new DependencyDown('warehouse', 'ada@example.com was refused');
    await expect(otel.batch(FACTS, () => Promise.reject(down))).rejects.toBe(down);
    await otel.close(2_000);
    expect(collector.spans).toMatchObject([{ status: { code: 2, message: 'dependency_down' } }]);
    expect(JSON.stringify(collector.spans)).not.toContain('ada@');
  });
});

describe('metrics', () => {
  it('count and measure what events say, by labels of few values', async () => {
    const { listener } = otel;
    for (const durationMs of [3, 5])
      listener('batchHandled', {
        service: 's',
        subscription: 's.a.live',
        lane: 'live',
        messages: 10,
        acked: 9,
        durationMs,
      });
    listener('messageRetried', { service: 's', subscription: 's.a.live', reason: 'http_503: ada@example.com is away' });
    listener('rowsWritten', {
      table: 'calls',
      lane: 'live',
      rows: 7,
      refused: 1,
      durationMs: 4,
      changeToRowMs: [100, 300],
    });
    listener('servicePaused', { service: 's', dependency: 'warehouse', code: 'dependency_down' });
    listener('faultSeen', { service: 's', code: 'unexpected', message: 'ada@example.com' });
    listener('vendorCalled', {
      source: 'dialpad',
      purpose: 'poll',
      operation: 'list',
      status: 200,
      durationMs: 20,
      allowanceUsed: 25,
      allowanceMax: 100,
    });
    otel.observe(() => [{ name: 's.a.live', unackedMessages: 4, oldestAgeMs: 9_000 }]);
    await otel.batch(FACTS, async () => [ack]);
    await otel.close(2_000);
    const one = (name: string) =>
      collector.points(name).map(({ value, count, attributes }) => ({ value, count, ...attributes }));
    expect(one('tributary.messages.handled')).toEqual([
      { value: 20, count: 1, service: 's', subscription: 's.a.live', lane: 'live' },
    ]);
    expect(one('tributary.batch.duration')).toMatchObject([{ value: 8, count: 2 }]);
    expect(one('tributary.messages.retried')).toMatchObject([{ reason: 'http_503' }]);
    expect(one('tributary.rows.refused')).toMatchObject([{ value: 1, table: 'calls' }]);
    expect(one('tributary.change_to_row')).toMatchObject([{ value: 400, count: 2, table: 'calls' }]);
    expect(one('tributary.services.paused')).toMatchObject([{ value: 1, service: 's' }]);
    expect(one('tributary.vendor.allowance.used')).toMatchObject([{ value: 0.25, source: 'dialpad' }]);
    expect(one('tributary.backlog.age')).toMatchObject([{ value: 9_000, subscription: 's.a.live' }]);
    expect(one('tributary.message.age')).toMatchObject([
      { value: 1_500, count: 1, subscription: 'resolver.call.live' },
    ]);
    expect(
      JSON.stringify([...collector.points('tributary.faults'), ...collector.points('tributary.messages.retried')]),
    ).not.toContain('ada@');
  });
});
