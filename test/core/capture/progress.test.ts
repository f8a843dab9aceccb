import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { progress } from '#core/capture/progress.ts';

describe('a checkpoint', () => {
  it('does not pass a position that is not confirmed, though later ones are', () => {
    const replay = progress<string>();
    const confirm = ['a', 'b', 'c'].map((position) => replay.begin(position));
    expect(confirm[2]?.()).toBeNull();
    expect(confirm[1]?.()).toBeNull();
    expect([replay.checkpoint, replay.outstanding]).toEqual([null, 3]);
    expect(confirm[0]?.()).toBe('c');
    expect([replay.checkpoint, replay.outstanding]).toEqual(['c', 0]);
  });

  it('does not move when a position is confirmed again', () => {
    const replay = progress('start');
    const confirm = replay.begin('a');
    expect(confirm()).toBe('a');
    expect(confirm()).toBeNull();
    expect(replay.checkpoint).toBe('a');
  });

  it('is the last position before the first that is not confirmed, in whatever order they are', () => {
    const shuffled = fc.integer({ min: 1, max: 3_000 }).chain((count) =>
      fc.record({
        order: fc.shuffledSubarray([...Array(count).keys()]),
        count: fc.constant(count),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ order, count }) => {
        const pages = progress<number>();
        const confirms = Array.from({ length: count }, (_, page) => pages.begin(page));
        const confirmed = new Set<number>();
        let reached = -1;
        for (const page of order) {
          confirmed.add(page);
          while (confirmed.has(reached + 1)) reached += 1;
          confirms[page]?.();
          expect(pages.checkpoint).toBe(reached < 0 ? null : reached);
        }
        expect(pages.outstanding).toBe(count - 1 - reached);
      }),
      { numRuns: 40 },
    );
  });
});
