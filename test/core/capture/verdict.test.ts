import { describe, expect, it } from 'vitest';
import type { SourceSaysDeleted } from '#core/capture/hint.ts';
import { judge, type Sighting, type Verdict } from '#core/capture/verdict.ts';

const STAMP = { epoch: 3, unitMicros: 1_000_000 };
const ISSUED = 20_400_000;
const SAID: SourceSaysDeleted = { atMicros: 12_700_000, provenFromMicros: 13_700_000 };

function version(sourceSequence: number, issuedMicros = ISSUED) {
  return { epoch: 3, sourceSequence, issuedMicros, generation: 0 };
}

describe('a read', () => {
  const cases: readonly [string, Sighting, number, SourceSaysDeleted | null, Verdict][] = [
    ['that finds nothing is no deletion', { kind: 'missing' }, ISSUED, null, { kind: 'unknown' }],
    [
      'that finds nothing too soon after the source said deleted is no deletion yet',
      { kind: 'missing' },
      SAID.provenFromMicros - 1,
      SAID,
      { kind: 'unknown' },
    ],
    [
      'that finds nothing late enough after the source said deleted is a deletion, with its time floored',
      { kind: 'missing' },
      SAID.provenFromMicros,
      SAID,
      { kind: 'delete', version: version(12_000_000, SAID.provenFromMicros), deletedAtMicros: SAID.atMicros },
    ],
    [
      'that finds the row marked deleted is a deletion as of the row, whatever an event said',
      { kind: 'deleted', modifiedMicros: 11_000_000 },
      ISSUED,
      SAID,
      { kind: 'delete', version: version(11_000_000), deletedAtMicros: 11_000_000 },
    ],
    [
      'that finds the row alive is the row, whatever an event said',
      { kind: 'live', modifiedMicros: 11_900_000 },
      ISSUED,
      SAID,
      { kind: 'upsert', version: version(11_000_000) },
    ],
  ];
  it.for(cases)('%s', ([, seen, issuedMicros, deletion, expected]) => {
    expect(judge(STAMP, seen, issuedMicros, deletion)).toEqual(expected);
  });
});
