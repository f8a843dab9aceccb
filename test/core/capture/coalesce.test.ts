import { describe, expect, it } from 'vitest';
import { coalescer } from '#core/capture/coalesce.ts';
import type { Hint } from '#core/capture/hint.ts';
import { COALESCE_DEFAULTS, type CoalesceOptions, type Coalescer, type ReadBatch } from '#core/capture/read-plan.ts';
import { seededRandom } from '#test/kit/random.ts';

/** On the grid, so that figures below read as they are. */
const START_MS = 1_767_600_000_000;
const at = (ms: number): number => (START_MS + ms) * 1_000;

function hint(id: string, changedMs: number, more: Partial<Hint> = {}): Hint {
  const facts = { kind: 'UPDATE', changedFields: ['Phone'], user: null, origin: null, transaction: null };
  return { object: 'Contact', id, effect: 'change', changedAtMicros: at(changedMs), facts, ...more };
}

function planWith(options: Partial<CoalesceOptions> = {}): Coalescer<string> {
  return coalescer<string>({ ...COALESCE_DEFAULTS, ...options });
}

function only(batches: readonly ReadBatch[]): ReadBatch {
  expect(batches).toHaveLength(1);
  return batches[0] as ReadBatch;
}

const idsOf = (batch: ReadBatch): string[] => batch.items.map(({ id }) => id);
const published = (ms: number) => ({ kind: 'published', issuedMicros: at(ms) }) as const;

describe('what goes wrong', () => {
  it('a hint that comes while its record is being read waits for another read, though the call was sent after it came', () => {
    const plan = planWith();
    plan.offer(hint('003a', -5_000), 'first', at(0));
    const batch = only(plan.due(at(100), 9));
    plan.offer(hint('003a', -4_000, { effect: 'delete' }), 'second', at(101));
    expect(plan.completed(batch, published(105), at(150))).toEqual(['first']);
    const next = only(plan.due(at(250), 9));
    expect(next.items[0]?.cause.deletion?.atMicros).toBe(at(-4_000));
    expect(plan.completed(next, published(250), at(300))).toEqual(['second']);
  });

  it('a record that is being read is not read again meanwhile', () => {
    const plan = planWith();
    plan.offer(hint('003a', 0), 'first', at(10));
    const batch = only(plan.due(at(110), 9));
    plan.offer(hint('003a', 120), 'second', at(130));
    expect(plan.due(at(5_000), 9)).toEqual([]);
    plan.completed(batch, published(110), at(5_000));
    expect(plan.due(at(5_000), 9)).toHaveLength(1);
  });

  it('a failed read acks nothing and is made again, not before it may be', () => {
    const plan = planWith();
    plan.offer(hint('003a', -5_000), 'first', at(0));
    const batch = only(plan.due(at(100), 9));
    expect(plan.completed(batch, { kind: 'failed', retryAtMicros: at(900) }, at(150))).toEqual([]);
    expect(plan.nextDueMicros()).toBe(at(900));
    expect(plan.due(at(899), 9)).toEqual([]);
    expect(plan.completed(only(plan.due(at(900), 9)), published(900), at(950))).toEqual(['first']);
  });

  it('a settled read that failed stays a settled read', () => {
    const plan = planWith();
    plan.offer(hint('003a', 0), 'first', at(10));
    plan.completed(only(plan.due(at(110), 9)), published(110), at(150));
    plan.completed(only(plan.due(at(1_000), 9)), { kind: 'failed', retryAtMicros: at(1_100) }, at(1_050));
    expect(only(plan.due(at(1_100), 9)).purpose).toBe('settled');
  });

  it('an abandoned read gives back the hints that caused it, and no others', () => {
    const plan = planWith();
    plan.offer(hint('003a', 0), 'first', at(10));
    const batch = only(plan.due(at(110), 9));
    plan.offer(hint('003a', 120), 'second', at(130));
    expect(plan.completed(batch, { kind: 'abandoned' }, at(150))).toEqual(['first']);
    expect(plan.size).toBe(1);
  });

  it('a batch that was answered before answers nothing', () => {
    const plan = planWith();
    plan.offer(hint('003a', -5_000), 'first', at(0));
    const batch = only(plan.due(at(100), 9));
    plan.completed(batch, published(100), at(150));
    expect(plan.completed(batch, published(100), at(151))).toEqual([]);
  });

  it('more hints than it may hold are refused, until some are done with', () => {
    const plan = planWith({ maxHints: 2 });
    expect(plan.offer(hint('003a', -5_000), 'a', at(0))).toBe(true);
    expect(plan.offer(hint('003b', -5_000), 'b', at(0))).toBe(true);
    expect(plan.offer(hint('003c', -5_000), 'c', at(0))).toBe(false);
    plan.completed(only(plan.due(at(100), 9)), published(100), at(150));
    expect(plan.size).toBe(0);
    expect(plan.offer(hint('003c', -5_000), 'c', at(151))).toBe(true);
  });

  it('a wall clock set back an hour delays nothing, and settles nothing too early', () => {
    const plan = planWith();
    const hour = 3_600_000;
    plan.offer(hint('003a', 0), 'first', at(10));
    expect(plan.due(at(20), 9)).toEqual([]);
    plan.due(at(30 - hour), 9);
    const batch = only(plan.due(at(120 - hour), 9));
    expect(plan.completed(batch, published(130 - hour), at(150 - hour))).toEqual([]);
    expect(only(plan.due(at(1_020 - hour), 9)).purpose).toBe('settled');
  });

  it('a change that the clocks place in the future counts as made when its hint came', () => {
    const plan = planWith();
    plan.offer(hint('003a', 60_000), 'first', at(10));
    plan.completed(only(plan.due(at(110), 9)), published(110), at(150));
    expect(plan.completed(only(plan.due(at(1_250), 9)), published(1_250), at(1_300))).toEqual(['first']);
  });
});

describe('a hint', () => {
  it('is read once within the linger, once more at the grid after it settled, and acked only then', () => {
    const plan = planWith();
    plan.offer(hint('003a', 20), 'first', at(60));
    expect(plan.nextDueMicros()).toBe(at(160));
    expect(plan.due(at(159), 9)).toEqual([]);
    const prompt = only(plan.due(at(160), 9));
    expect(prompt.purpose).toBe('prompt');
    expect(plan.completed(prompt, published(160), at(200))).toEqual([]);
    expect(plan.nextDueMicros()).toBe(at(1_250));
    const settled = only(plan.due(at(1_250), 9));
    expect(settled.purpose).toBe('settled');
    expect(plan.completed(settled, published(1_250), at(1_300))).toEqual(['first']);
    expect(plan.nextDueMicros()).toBeNull();
    expect(plan.size).toBe(0);
  });

  it('that comes after the settle time is read once', () => {
    const plan = planWith();
    plan.offer(hint('003a', -3_000), 'late', at(10));
    expect(plan.completed(only(plan.due(at(110), 9)), published(110), at(150))).toEqual(['late']);
  });

  it('whose prompt read was only sent after the settle time needs no other', () => {
    const plan = planWith();
    plan.offer(hint('003a', 0), 'first', at(10));
    expect(plan.completed(only(plan.due(at(110), 9)), published(1_001), at(1_050))).toEqual(['first']);
  });

  it('without a commit time counts from when it came', () => {
    const plan = planWith();
    plan.offer(hint('003a', 0, { changedAtMicros: null }), 'first', at(10));
    expect(plan.completed(only(plan.due(at(110), 9)), published(1_009), at(1_009))).toEqual([]);
    expect(plan.completed(only(plan.due(at(1_250), 9)), published(1_250), at(1_300))).toEqual(['first']);
  });

  it('for a record that waits for its settled read, within the linger, causes no prompt read', () => {
    const plan = planWith();
    plan.offer(hint('003a', 0), 'first', at(10));
    plan.completed(only(plan.due(at(110), 9)), published(110), at(150));
    plan.offer(hint('003a', 930), 'second', at(940));
    expect(plan.nextDueMicros()).toBe(at(1_000));
    const settled = only(plan.due(at(1_000), 9));
    expect(plan.completed(settled, published(1_000), at(1_050))).toEqual(['first']);
    expect(plan.nextDueMicros()).toBe(at(2_000));
  });
});

describe('batches', () => {
  it('hold several hints of one record as one read, with their facts merged', () => {
    const plan = planWith();
    const facts = (kind: string, changedFields: string[] | null) => ({
      facts: { kind, changedFields, user: kind, origin: null, transaction: null },
    });
    plan.offer(hint('003a', -2_000, facts('UPDATE', ['Email'])), 'newer', at(0));
    plan.offer(hint('003a', -3_000, facts('CREATE', ['Phone'])), 'older', at(1));
    const { items } = only(plan.due(at(100), 9));
    expect(items).toHaveLength(1);
    expect(items[0]?.cause).toEqual({
      facts: { kind: 'UPDATE', changedFields: ['Email', 'Phone'], user: 'UPDATE', origin: null, transaction: null },
      changedAtMicros: at(-2_000),
      deletion: null,
    });
  });

  it('are due at once when full, and hold one object each', () => {
    const plan = planWith({ batchIds: 2 });
    for (const id of ['003a', '003b', '003c']) plan.offer(hint(id, 0), id, at(10));
    plan.offer(hint('001a', 0, { object: 'Account' }), '001a', at(10));
    expect(plan.due(at(10), 9).map(idsOf)).toEqual([['003a', '003b']]);
    expect(plan.due(at(110), 9).map(idsOf).sort()).toEqual([['001a'], ['003c']]);
  });

  it('may hold several objects where one call can read them', () => {
    const plan = planWith({ mixesObjects: true });
    plan.offer(hint('003a', 0), '003a', at(10));
    plan.offer(hint('001a', 0, { object: 'Account' }), '001a', at(20));
    expect(plan.due(at(110), 9).map(idsOf)).toEqual([['003a', '001a']]);
  });

  it('are settled first when calls are short, and take prompt reads of their object along; the rest waits', () => {
    const plan = planWith();
    plan.offer(hint('003a', 0), 'a', at(10));
    plan.completed(only(plan.due(at(110), 9)), published(110), at(150));
    plan.offer(hint('001a', 890, { object: 'Account' }), '001a', at(895));
    plan.offer(hint('003b', 895), 'b', at(899));
    expect(plan.due(at(1_000), 0)).toEqual([]);
    const first = only(plan.due(at(1_000), 1));
    expect([first.purpose, idsOf(first)]).toEqual(['settled', ['003a', '003b']]);
    expect(plan.nextDueMicros()).toBe(at(995));
    expect(only(plan.due(at(1_001), 1)).purpose).toBe('prompt');
  });
});

describe('the price', () => {
  /** Calls for 1,000 changes at 50 a second, each answered after 60 ms. */
  function callsFor(objects: number, options: Partial<CoalesceOptions> = {}): number {
    const random = seededRandom(5);
    const plan = planWith(options);
    let changes = 0;
    let calls = 0;
    const open: { readonly batch: ReadBatch; readonly issuedMs: number }[] = [];
    for (let ms = 0; ms < 60_000 && (changes < 1_000 || plan.size > 0); ms++) {
      if (changes < 1_000 && random.chance(0.05)) {
        changes += 1;
        const object = `Object${random.below(objects)}`;
        plan.offer(hint(`id${random.below(10_000)}`, ms - 50, { object }), 'ticket', at(ms));
      }
      while (open[0] && open[0].issuedMs + 60 <= ms) {
        const { batch, issuedMs } = open.shift() as (typeof open)[0];
        plan.completed(batch, published(issuedMs), at(ms));
      }
      for (const batch of plan.due(at(ms), 99)) {
        calls += 1;
        open.push({ batch, issuedMs: ms });
      }
    }
    expect([changes, plan.size]).toEqual([1_000, 0]);
    return calls;
  }

  it('is at most 300 calls per 1,000 changes of one object at 50 a second', () => {
    expect(callsFor(1)).toBeLessThanOrEqual(300);
  });

  it('is the same for seven objects if one call reads them all, and more if it cannot', () => {
    const mixed = callsFor(7, { mixesObjects: true });
    expect(mixed).toBeLessThanOrEqual(300);
    expect(callsFor(7)).toBeGreaterThan(mixed);
  });
});
