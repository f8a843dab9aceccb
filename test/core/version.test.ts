import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  changeSequenceNumber,
  compareVersions,
  floorMicros,
  supersedes,
  versionText,
  ZERO_VERSION,
  type Version,
} from '#core/version.ts';

/** Few small numbers, so that parts are often equal; and the whole range, so that nothing is rounded. */
const part = fc.oneof(fc.integer({ min: 0, max: 2 }), fc.maxSafeNat());
const version: fc.Arbitrary<Version> = fc.record({
  epoch: part,
  sourceSequence: part,
  issuedMicros: part,
  generation: part,
});
const write = fc.record({ version, value: fc.nat() });

type Write = Readonly<{ version: Version; value: number }>;

function afterAll(writes: readonly Write[]): Write | undefined {
  return writes.reduce<Write | undefined>(
    (row, next) => (supersedes(next.version, row?.version) ? next : row),
    undefined,
  );
}

/** One value a version: the same version is the same write. */
function distinct(writes: readonly Write[]): Write[] {
  return [...new Map(writes.map((one) => [versionText(one.version), one])).values()];
}

describe('a version', () => {
  it('that is negative or not whole has no change sequence number', () => {
    for (const wrong of [-1, 0.5, Number.NaN, 2 ** 53])
      expect(() => changeSequenceNumber({ ...ZERO_VERSION, issuedMicros: wrong })).toThrow(RangeError);
  });

  it('never supersedes itself', () => {
    fc.assert(fc.property(version, (a) => !supersedes(a, { ...a })));
  });

  it('is in a total order with any other', () => {
    fc.assert(
      fc.property(version, version, version, (a, b, c) => {
        expect(Math.sign(compareVersions(a, b))).toBe(-Math.sign(compareVersions(b, a)) + 0);
        expect(compareVersions(a, b) === 0).toBe(versionText(a) === versionText(b));
        if (compareVersions(a, b) <= 0 && compareVersions(b, c) <= 0)
          expect(compareVersions(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('has a change sequence number in the same order, by section and as text', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const [left, right] = [changeSequenceNumber(a), changeSequenceNumber(b)];
        const expected = Math.sign(compareVersions(a, b));
        expect(left < right ? -1 : left > right ? 1 : 0).toBe(expected + 0);
        expect(bySection(left, right)).toBe(expected + 0);
        expect(left).toMatch(/^[0-9a-f]{1,16}(\/[0-9a-f]{1,16}){3}$/);
      }),
    );
  });

  it('makes writes commute: any order, with duplicates, ends in the same row', () => {
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), fc.infiniteStream(fc.nat()), (some, order) => {
        const writes = distinct(some);
        const again = [...writes, ...writes.filter((_, index) => index % 2 === 0)];
        const shuffled = again
          .map((one) => ({ one, at: order.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        expect(afterAll(shuffled)).toEqual(afterAll(writes));
      }),
    );
  });
});

/** As BigQuery compares: section by section, as unsigned numbers. */
function bySection(a: string, b: string): number {
  const [left, right] = [a.split('/'), b.split('/')];
  for (const [index, section] of left.entries()) {
    const difference = BigInt(`0x${section}`) - BigInt(`0x${right[index]}`);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return 0;
}

describe('flooring a time to a unit', () => {
  it('gives the greatest multiple of the unit that is not later, exactly, over the whole range', () => {
    const unit = fc.constantFrom(1, 1_000, 1_000_000, 60_000_000);
    fc.assert(
      fc.property(fc.maxSafeInteger(), unit, (micros, unitMicros) => {
        const floored = floorMicros(micros, unitMicros);
        fc.pre(Number.isSafeInteger(floored));
        expect(BigInt(floored) % BigInt(unitMicros)).toBe(0n);
        expect(BigInt(micros) - BigInt(floored)).toSatisfy((rest: bigint) => rest >= 0n && rest < BigInt(unitMicros));
      }),
    );
  });
});
