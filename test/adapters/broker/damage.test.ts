import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { ack } from '#core/disposition.ts';
import { DependencyDown, Misconfigured, TributaryError } from '#core/errors.ts';
import { seededRandom, seedFromEnvironment } from '#test/kit/random.ts';
import { makeBench, messages, read, spec, text, type Bench } from './kit.ts';

let bench: Bench;
beforeEach(() => void (bench = makeBench()));
afterEach(() => bench.end());

const seed = seedFromEnvironment(3);

describe('a damaged file', () => {
  it('reports a frame with a flipped bit, and delivers all others', async () => {
    const first = await bench.open();
    await first.ensure(['work'], [spec()]);
    for (const prefix of ['a', 'b', 'c']) await first.publish('work', messages(100, prefix), 'power');
    await first.close();
    const database = new DatabaseSync(bench.path);
    const row = database.prepare('SELECT id, data FROM frames ORDER BY id LIMIT 1 OFFSET 1').get();
    const data = Uint8Array.from(row?.data as Uint8Array);
    data[10] = (data[10] as number) ^ 4;
    database.prepare('UPDATE frames SET data = ? WHERE id = ?').run(data, row?.id ?? null);
    database.close();
    const broker = await bench.open();
    const seen = read(broker, spec());
    await bench.clock.until(() => broker.isIdle());
    expect(new Set(seen.map((one) => text(one)[0]))).toEqual(new Set(['a', 'c']));
    expect(seen.length).toBe(200);
    expect(bench.faults.map(({ message }) => message)).toEqual([expect.stringContaining('100 messages are lost')]);
  });

  it(`never delivers a message that was not published, wherever bytes flip (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const published = new Set(messages(500).map(text));
    const first = await bench.open();
    await first.ensure(['work'], [spec()]);
    for (let at = 0; at < 500; at += 25) await first.publish('work', messages(500).slice(at, at + 25), 'power');
    await first.close();
    const whole = readFileSync(bench.path);
    for (let round = 0; round < 60; round++) {
      const damaged = Buffer.from(whole);
      for (let flip = 0; flip < 4; flip++) {
        const at = random.below(damaged.length);
        damaged[at] = (damaged[at] as number) ^ (1 << random.below(8));
      }
      const path = `${bench.path}-${round}`;
      writeFileSync(path, damaged);
      await readDamaged(path, published);
    }
  });

  async function readDamaged(path: string, published: ReadonlySet<string>): Promise<void> {
    const { clock } = bench;
    try {
      const broker = await openEmbeddedBroker({ path, clock, random: seededRandom(1), watchMs: 0 });
      try {
        const seen = read(broker, spec());
        await clock.advance(100);
        for (const one of seen) expect(published).toContain(text(one));
      } finally {
        await broker.close();
      }
    } catch (error) {
      // Refusing the file is right too, if it says what to do.
      if (!(error instanceof TributaryError)) throw error;
    }
  }

  it('refuses a file that is none, and one of another format', async () => {
    writeFileSync(bench.path, 'not a database at all'.repeat(100));
    await expect(bench.open()).rejects.toBeInstanceOf(DependencyDown);
    const other = `${bench.path}-other`;
    const database = new DatabaseSync(other);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expect(bench.open({ path: other })).rejects.toBeInstanceOf(Misconfigured);
  });
});

describe('a power cut', () => {
  it(`takes a suffix of the log: acks, and the publishes they followed, together (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const broker = await bench.open();
    await broker.ensure(['work', 'next'], [spec(), spec({ topic: 'next', service: 'writer' })]);
    broker.consume(spec(), async (batch) => {
      await broker.publish('next', batch, 'kill');
      return batch.map(() => ack);
    });
    for (let at = 0; at < 400; at += 10) {
      await broker.publish('work', messages(400).slice(at, at + 10), random.chance(0.2) ? 'power' : 'kill');
      await bench.clock.advance(random.below(30));
    }
    for (let cut = 0; cut < 40; cut++) {
      const torn = `${bench.path}-torn-${cut}`;
      copyFileSync(bench.path, torn);
      copyFileSync(`${bench.path}-wal`, `${torn}-wal`);
      truncateSync(`${torn}-wal`, random.below(statSync(`${torn}-wal`).size));
      await checkTorn(torn);
    }
  });

  /** Every message kept is either still to be done, or handed on; and those kept are the first ones. */
  async function checkTorn(path: string): Promise<void> {
    let broker;
    try {
      broker = await openEmbeddedBroker({ path, clock: bench.clock, random: seededRandom(1), watchMs: 0 });
      await broker.ensure(['work', 'next'], [spec(), spec({ topic: 'next', service: 'writer' })]);
      const seen = [read(broker, spec()), read(broker, spec({ topic: 'next', service: 'writer' }))];
      const torn = broker;
      await bench.clock.until(() => torn.isIdle());
      const kept = new Set(seen.flat().map(text));
      expect(kept).toEqual(new Set(messages(kept.size).map(text)));
      expect(kept.size % 10).toBe(0);
    } finally {
      await broker?.close();
    }
  }
});
