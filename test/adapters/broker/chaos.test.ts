import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withChaos, type ChaosChances } from '#adapters/broker/chaos.ts';
import { ack } from '#core/disposition.ts';
import type { Delivered } from '#core/ports/broker.ts';
import { seededRandom } from '#test/kit/random.ts';
import { makeBench, messages, spec, text, type Bench } from './kit.ts';

const NEVER: ChaosChances = {
  publishFailsBefore: 0,
  publishFailsAfter: 0,
  publishesTwice: 0,
  deliversTwice: 0,
  holdsBack: 0,
  redeliversAcked: 0,
  losesAck: 0,
  splitsBatch: 0,
  liesAboutAttempts: 0,
};

let bench: Bench;
beforeEach(() => void (bench = makeBench()));
afterEach(() => bench.end());

interface Run {
  readonly batches: readonly (readonly Delivered[])[];
  readonly failures: number;
}

async function run(seed: number, chances: Partial<ChaosChances>): Promise<Run> {
  const inner = await bench.open({ path: `${bench.path}-${seed}` });
  const broker = withChaos(inner, { clock: bench.clock, random: seededRandom(seed), ...NEVER, ...chances });
  await broker.ensure(['work'], [spec()]);
  const batches: (readonly Delivered[])[] = [];
  broker.consume(spec(), async (batch) => {
    batches.push(batch);
    return batch.map(() => ack);
  });
  let failures = 0;
  for (let publish = 0; publish < 20; publish++) {
    await broker.publish('work', messages(20, `${publish}-`), 'kill').catch(() => failures++);
    await bench.clock.settle();
  }
  await bench.clock.advance(20_000);
  await inner.close();
  return { batches, failures };
}

const texts = ({ batches }: Run): readonly string[] => batches.flat().map(text);

describe('chaos', () => {
  it('does nothing but shuffle when nothing else is to happen', async () => {
    const calm = await run(1, {});
    expect(calm.failures).toBe(0);
    expect(texts(calm).length).toBe(400);
    expect(new Set(texts(calm)).size).toBe(400);
  });

  it.each([
    ['deliversTwice', 400],
    ['redeliversAcked', 400],
    ['losesAck', 400],
    ['publishesTwice', 400],
  ] as const)('with %s delivers messages more than once', async (what, least) => {
    const seen = texts(await run(2, { [what]: 0.3 }));
    expect(new Set(seen).size).toBe(400);
    expect(seen.length).toBeGreaterThan(least + 50);
  });

  it('reports a publish failed that was kept, and one that was not', async () => {
    const after = await run(3, { publishFailsAfter: 0.5 });
    expect(after.failures).toBeGreaterThan(3);
    expect(new Set(texts(after)).size).toBe(400);
    const before = await run(4, { publishFailsBefore: 0.5 });
    expect(before.failures).toBeGreaterThan(3);
    expect(new Set(texts(before)).size).toBeLessThan(400);
  });

  it('holds messages back beyond later ones, and splits batches', async () => {
    const held = texts(await run(5, { holdsBack: 0.3 }));
    const publishes = held.map((one) => Number.parseInt(one, 10));
    expect(publishes.some((publish, at) => publish < Math.max(...publishes.slice(0, at)) - 3)).toBe(true);
    const [whole, split] = [await run(6, {}), await run(7, { splitsBatch: 1 })];
    expect(split.batches.length).toBeGreaterThan(whole.batches.length);
  });

  it('lies about attempts', async () => {
    const { batches } = await run(8, { liesAboutAttempts: 0.5 });
    expect(new Set(batches.flat().map((one) => one.deliveryAttempts)).size).toBeGreaterThan(2);
  });

  it('repeats itself with the same seed', async () => {
    const all = { deliversTwice: 0.2, redeliversAcked: 0.2, losesAck: 0.2, holdsBack: 0.2, splitsBatch: 0.5 };
    const first = texts(await run(9, all));
    await bench.end();
    bench = makeBench();
    expect(texts(await run(9, all))).toEqual(first);
    expect(texts(await run(10, all))).not.toEqual(first);
  });
});
