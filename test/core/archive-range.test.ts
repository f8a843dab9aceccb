import { describe, expect, it } from 'vitest';
import { hourPrefixes } from '#core/archive-range.ts';
import { hourPath } from '#core/archive.ts';
import { seededRandom } from '#test/kit/random.ts';

const HOUR_MS = 3_600_000;
const prefixes = (from: string, to: string): string[] => [...hourPrefixes({ from: new Date(from), to: new Date(to) })];

describe('the prefixes of a range', () => {
  it.each([
    ['nothing', '2026-11-25T10:00:00Z', '2026-11-25T10:00:00Z', []],
    ['a moment', '2026-11-25T10:59:59.999Z', '2026-11-25T11:00:00Z', ['2026/11/25/10/']],
    ['a moment over an hour’s end', '2026-11-25T10:59:59.999Z', '2026-11-25T11:00:00.001Z', ['2026/11/25/10/', '2026/11/25/11/']],
    ['a whole day', '2026-11-25T00:00:00Z', '2026-11-26T00:00:00Z', ['2026/11/25/']],
    ['a leap month', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z', ['2028/02/']],
    ['the turn of a year', '2026-12-30T23:00:00Z', '2028-01-01T01:00:00Z', ['2026/12/30/23/', '2026/12/31/', '2027/', '2028/01/01/00/']],
  ])('%s', (_, from, to, expected) => {
    expect(prefixes(from, to)).toEqual(expected);
  }); // prettier-ignore

  it('are few for all of time', () => {
    expect(prefixes('1970-01-01T00:00:00Z', '2026-11-25T10:30:00Z').length).toBeLessThan(110);
  });

  it('cover each hour of the range once, in order, and no other hour', () => {
    const random = seededRandom(7);
    for (let round = 0; round < 300; round += 1) {
      const from = Date.UTC(2026, random.below(14), 1 + random.below(31)) + random.below(86_400_000);
      const to = from + random.below(random.pick([1, 24, 24 * 70, 24 * 500]) * HOUR_MS);
      const found = [...hourPrefixes({ from: new Date(from), to: new Date(to) })];
      expect(found).toEqual(found.toSorted());
      const first = Math.floor(from / HOUR_MS) * HOUR_MS;
      for (const at of [first - HOUR_MS, first, to - 1, Math.ceil(to / HOUR_MS) * HOUR_MS]) {
        const inRange = from < to && at >= first && at < to;
        const hits = found.filter((prefix) => `${hourPath(at * 1_000)}/`.startsWith(prefix)).length;
        expect([round, new Date(at).toISOString(), hits]).toEqual([round, new Date(at).toISOString(), inRange ? 1 : 0]);
      }
    }
  });
});
