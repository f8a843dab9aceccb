import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ack, retry } from '#core/disposition.ts';
import { DependencyDown, Misconfigured, Transient } from '#core/errors.ts';
import type { Delivered } from '#core/ports/broker.ts';
import { makeBench, messages, read, spec, text, type Bench } from './kit.ts';

let bench: Bench;
beforeEach(() => void (bench = makeBench()));
afterEach(() => bench.end());

const HOUR_MS = 3_600_000;

function count(table: 'frames' | 'exceptions' | 'cursors' | 'subscriptions'): number {
  const database = new DatabaseSync(bench.path);
  const rows = Number(database.prepare(`SELECT count(*) AS rows FROM ${table}`).get()?.rows);
  database.close();
  return rows;
}

describe('what is kept', () => {
  it('deletes frames once every subscription is done with them', async () => {
    const broker = await bench.open();
    await broker.ensure(['work'], [spec(), spec({ service: 'other' })]);
    for (let publish = 0; publish < 600; publish++) await broker.publish('work', messages(3), 'kill');
    const seen = read(broker, spec());
    await bench.clock.until(() => seen.length === 1_800);
    await bench.clock.advance(5_000);
    expect(count('frames')).toBe(600);
    read(broker, spec({ service: 'other' }));
    await bench.clock.until(() => broker.isIdle());
    await bench.clock.advance(5_000);
    expect(count('frames')).toBe(0);
  });

  it('deletes what nobody subscribes to', async () => {
    const broker = await bench.open();
    await broker.ensure(['work'], []);
    await broker.publish('work', messages(3), 'kill');
    await bench.clock.advance(2_000);
    expect(count('frames')).toBe(0);
  });

  it('keeps what is done as long as its topic says, for a seek back', async () => {
    const broker = await bench.open({ retainMs: () => HOUR_MS });
    await broker.ensure(['work'], [spec()]);
    const seen = read(broker, spec());
    const before = new Date(bench.clock.nowMicros() / 1_000);
    await broker.publish('work', messages(10), 'kill');
    await bench.clock.advance(HOUR_MS / 2);
    await broker.seek(spec().name, before);
    await bench.clock.until(() => seen.length === 20);
    await bench.clock.advance(HOUR_MS);
    await broker.seek(spec().name, before);
    await bench.clock.advance(2_000);
    expect(seen.length).toBe(20);
  });

  it('keeps what is done no longer than there is room for', async () => {
    const broker = await bench.open({ retainMs: () => HOUR_MS, retainBytes: 300_000, compress: false });
    await broker.ensure(['work'], [spec()]);
    read(broker, spec());
    for (let publish = 0; publish < 50; publish++) {
      await broker.publish('work', [{ body: Buffer.alloc(20_000, publish), attributes: { lane: 'live' } }], 'kill');
      await bench.clock.advance(1_100);
    }
    expect(count('frames')).toBeLessThan(20);
    expect(count('frames')).toBeGreaterThan(5);
  });

  it('lets unread messages die after the retention, and counts them as done', async () => {
    const broker = await bench.open({ retentionMs: HOUR_MS });
    await broker.ensure(['work'], [spec(), spec({ service: 'stuck' })]);
    const held: Delivered[] = [];
    broker.consume(spec({ service: 'stuck' }), async (batch) => {
      held.push(...batch);
      return batch.map((one) => (text(one) === 'old0' ? retry(600_000, 'stuck') : ack));
    });
    await broker.publish('work', messages(10, 'old'), 'kill');
    await bench.clock.advance(HOUR_MS - 120_000);
    await broker.publish('work', messages(10, 'new'), 'kill');
    await bench.clock.advance(240_000);
    expect(broker.backlog().map(({ unackedMessages }) => unackedMessages)).toEqual([10, 0]);
    const seen = read(broker, spec());
    await bench.clock.until(() => broker.isIdle());
    expect(new Set(seen.map(text))).toEqual(new Set(messages(10, 'new').map(text)));
    expect(bench.faults.some(({ message }) => message.includes('retention'))).toBe(true);
  });

  it('forgets the instance of a broadcast whose process died', async () => {
    const broker = await bench.open();
    const watching = spec({ sharing: 'broadcast', name: 'watch' });
    await broker.ensure(['work'], [watching]);
    read(broker, watching);
    const database = new DatabaseSync(bench.path);
    database.exec(
      "INSERT INTO subscriptions SELECT 99, 'watch#dead', topic, lane, service, sharing, 0, expires_ms FROM subscriptions WHERE expires_ms IS NOT NULL",
    );
    database.close();
    await broker.publish('work', messages(10), 'kill');
    await bench.clock.advance(60_000);
    expect(broker.isIdle()).toBe(false);
    await bench.clock.advance(90_000);
    expect(broker.isIdle()).toBe(true);
    expect(count('subscriptions')).toBe(2);
  });

  it('searches by time though the wall clock stepped back', async () => {
    const broker = await bench.open({ retainMs: () => HOUR_MS });
    await broker.ensure(['work'], [spec()]);
    await broker.publish('work', messages(5, 'before'), 'kill');
    const seen = read(broker, spec());
    await bench.clock.until(() => seen.length === 5);
    bench.clock.stepWall(-600_000);
    await broker.publish('work', messages(5, 'after'), 'kill');
    await bench.clock.until(() => seen.length === 10);
    const times = seen.map(({ publishedAt }) => publishedAt.getTime());
    expect(times).toEqual([...times].sort());
    await broker.seek(spec().name, seen[0]?.publishedAt as Date);
    await bench.clock.until(() => seen.length === 20);
  });
});

describe('backlog', () => {
  it('tells messages, bytes and age of what each subscription has not acked', async () => {
    const broker = await bench.open();
    await broker.ensure(['work'], [spec(), spec({ lane: 'bulk' })]);
    await broker.publish('work', [...messages(4), ...messages(2, 'b', 'bulk')], 'kill');
    await bench.clock.advance(1_500);
    const [live, bulk] = broker.backlog();
    expect(live).toEqual({
      name: 'reader.live',
      topic: 'work',
      lane: 'live',
      unackedMessages: 4,
      unackedBytes: 8,
      oldestAgeMs: 1_500,
    });
    expect(bulk).toMatchObject({ lane: 'bulk', unackedMessages: 2, unackedBytes: 4 });
    expect(broker.isIdle()).toBe(false);
    read(broker, spec());
    read(broker, spec({ lane: 'bulk' }));
    await bench.clock.until(() => broker.isIdle());
    expect(broker.backlog().map((one) => [one.unackedMessages, one.unackedBytes, one.oldestAgeMs])).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
  });

  it('holds bulk publishers back while a subscription has too much bulk to do, never live ones', async () => {
    const broker = await bench.open({ bulkBacklogLimitMessages: 100 });
    await broker.ensure(['work'], [spec({ lane: 'bulk' })]);
    await broker.publish('work', messages(101, 'first', 'bulk'), 'kill');
    let isPublished = false;
    const waiting = broker.publish('work', messages(10, 'second', 'bulk'), 'kill').then(() => (isPublished = true));
    await broker.publish('work', messages(10), 'kill');
    await bench.clock.advance(5_000);
    expect(isPublished).toBe(false);
    const seen = read(broker, spec({ lane: 'bulk' }));
    await bench.clock.until(() => isPublished);
    await waiting;
    await bench.clock.until(() => seen.length === 111);
  });

  it('rejects waiting publishers when it closes', async () => {
    const broker = await bench.open({ bulkBacklogLimitMessages: 1 });
    await broker.ensure(['work'], [spec({ lane: 'bulk' })]);
    await broker.publish('work', messages(5, 'b', 'bulk'), 'kill');
    const waiting = expect(broker.publish('work', messages(5, 'b', 'bulk'), 'kill')).rejects.toBeInstanceOf(Transient);
    await broker.close();
    await waiting;
    expect(() => broker.consume(spec(), async () => [])).toThrow(Transient);
  });
});

describe('a full disk', () => {
  it('refuses publishes, loses nothing, and takes them again once there is room', async () => {
    const broker = await bench.open({ diskLimitBytes: 2e6, compress: false });
    await broker.ensure(['work'], [spec()]);
    const big = (at: number) => [{ body: Buffer.from(`${at}`.padEnd(50_000, '.')), attributes: { lane: 'live' } }];
    const kept: number[] = [];
    let refusal: unknown;
    for (let at = 0; refusal === undefined; at++) {
      try {
        await broker.publish('work', big(at), 'power');
        kept.push(at);
      } catch (error) {
        refusal = error;
      }
    }
    expect(refusal).toBeInstanceOf(DependencyDown);
    expect(refusal).toMatchObject({ dependency: 'disk' });
    expect(kept.length).toBeGreaterThan(20);
    const seen = read(broker, spec());
    await bench.clock.until(() => broker.isIdle());
    expect(seen.map((one) => Number.parseInt(text(one), 10))).toEqual(kept);
    await bench.clock.advance(2_000);
    await broker.publish('work', big(1_000), 'power');
    await bench.clock.until(() => seen.length === kept.length + 1);
  });
});

describe('consuming', () => {
  it('moves on past a message that is never done, and stores it as one exception', async () => {
    const broker = await bench.open();
    await broker.ensure(['work'], [spec()]);
    const seen = new Map<string, number>();
    const handler = async (batch: readonly Delivered[]) =>
      batch.map((one) => {
        seen.set(text(one), (seen.get(text(one)) ?? 0) + 1);
        return text(one) === 'poison0' ? retry(600_000, 'not yet') : ack;
      });
    broker.consume(spec(), handler);
    await broker.publish('work', messages(2, 'poison'), 'kill');
    for (let publish = 0; publish < 4_300; publish++) await broker.publish('work', messages(1, `${publish}-`), 'kill');
    await bench.clock.until(() => seen.size === 4_302);
    await bench.clock.advance(5_000);
    expect(broker.backlog()[0]?.unackedMessages).toBe(1);
    expect(count('frames')).toBeLessThan(250);
    await broker.close();
    const again = await bench.open();
    const left = read(again, spec());
    await bench.clock.until(() => again.isIdle());
    expect(left.map(text)).toEqual(['poison0']);
    await bench.clock.advance(2_000);
    expect([count('frames'), count('exceptions')]).toEqual([0, 0]);
  });

  it('does not deliver again after a restart what was acked before, out of order too', async () => {
    const broker = await bench.open();
    await broker.ensure(['work'], [spec()]);
    broker.consume(spec(), async (batch) =>
      batch.map((one) => (/[13579]$/.test(text(one)) ? ack : retry(600_000, 'even'))),
    );
    for (const prefix of ['a', 'b', 'c']) await broker.publish('work', messages(100, prefix), 'kill');
    await bench.clock.advance(100);
    await broker.close();
    const again = await bench.open();
    const seen = read(again, spec());
    await bench.clock.until(() => again.isIdle());
    expect(seen.length).toBe(150);
    expect(seen.every((one) => /[02468]$/.test(text(one)))).toBe(true);
    expect(Math.max(...seen.map(({ deliveryAttempts }) => deliveryAttempts))).toBe(1);
  });

  it('delivers again after an hour what a handler still holds, and ignores its late answer', async () => {
    const broker = await bench.open();
    await broker.ensure(['work'], [spec()]);
    const attempts: number[] = [];
    broker.consume(spec(), async (batch, signal) => {
      attempts.push(batch[0]?.deliveryAttempts ?? 0);
      if (attempts.length === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      return batch.map(() => ack);
    });
    await broker.publish('work', messages(1), 'kill');
    await bench.clock.advance(HOUR_MS - 1_000);
    expect(attempts).toEqual([1]);
    await bench.clock.advance(2_000);
    expect(attempts).toEqual([1, 2]);
    expect(broker.isIdle()).toBe(true);
  });

  it('rests longer and longer while a handler always throws, and reports it', async () => {
    const broker = await bench.open();
    await broker.ensure(['work'], [spec()]);
    let calls = 0;
    broker.consume(spec(), async () => {
      calls++;
      throw new Error('always');
    });
    await broker.publish('work', messages(1), 'kill');
    await bench.clock.advance(60_000);
    expect(calls).toBeGreaterThan(5);
    expect(calls).toBeLessThan(15);
    expect(bench.faults.length).toBe(calls);
  });

  it('waits for a fuller batch no longer than it may linger', async () => {
    const broker = await bench.open();
    const lingering = spec({ flow: { ...spec().flow, batchMessages: 10, lingerMs: 100 } });
    await broker.ensure(['work'], [lingering]);
    const batches: number[] = [];
    broker.consume(lingering, async (batch) => {
      batches.push(batch.length);
      return batch.map(() => ack);
    });
    await broker.publish('work', messages(4), 'kill');
    await bench.clock.advance(60);
    await broker.publish('work', messages(3), 'kill');
    await bench.clock.advance(30);
    expect(batches).toEqual([]);
    await bench.clock.advance(20);
    expect(batches).toEqual([7]);
    await broker.publish('work', messages(10), 'kill');
    await bench.clock.settle();
    expect(batches).toEqual([7, 10]);
  });

  it('gives two services with filters of their own what is addressed to them, without reading the other’s frames', async () => {
    const broker = await bench.open();
    const [one, two] = [spec({ service: 'one', lane: 'bulk' }), spec({ service: 'two', lane: 'bulk' })];
    await broker.ensure(['work'], [one, two]);
    const to = (service: string) =>
      messages(5, service, 'bulk').map((message) => ({ ...message, attributes: { lane: 'bulk', to: service } }));
    await broker.publish('work', [...to('one'), ...to('two'), ...to('nobody')], 'kill');
    const seen = [read(broker, one), read(broker, two)];
    await bench.clock.until(() => broker.isIdle());
    expect(seen.map((delivered) => new Set(delivered.map(({ attributes }) => attributes.to)))).toEqual([
      new Set(['one']),
      new Set(['two']),
    ]);
    await bench.clock.advance(2_000);
    expect(count('frames')).toBe(0);
  });

  it('ends a consumer whose subscription is declared otherwise', async () => {
    const broker = await bench.open();
    await broker.ensure(['work'], [spec()]);
    const consumer = broker.consume(spec({ service: 'another', name: spec().name }), async () => []);
    await expect(consumer.ended).rejects.toBeInstanceOf(Misconfigured);
  });
});
