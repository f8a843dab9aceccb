import { describe, expect, it } from 'vitest';
import { doubts, listedDeletion, readableFromMicros, settleDoubt, type HeldRecord } from '#core/capture/reconcile.ts';

const SECOND = 1_000_000;
const STAMP = { epoch: 0, unitMicros: SECOND };
const START = 100 * SECOND + 400_000;
const ISSUED = 200 * SECOND;
const listing = { startMicros: START, has: (id: string) => id.startsWith('listed') };

function held(id: string, second: number, deleted: boolean): HeldRecord {
  return {
    id,
    deleted,
    version: { epoch: 0, sourceSequence: second * SECOND, issuedMicros: START - 1, generation: 0 },
  };
}

describe('a finished listing', () => {
  it('puts in doubt what it contradicts, unless that is held by a newer version', () => {
    const records = [
      held('listed, live', 50, false),
      held('listed, deleted', 50, true),
      held('listed, deleted since', 101, true),
      held('absent, live', 50, false),
      held('absent, live, changed in the second of the start', 100, false),
      held('absent, live, changed since', 101, false),
      held('absent, deleted', 50, true),
    ];
    expect(doubts(STAMP, listing, records)).toEqual({
      absent: ['absent, live', 'absent, live, changed in the second of the start'],
      returned: ['listed, deleted'],
    });
  });

  it('asks for reads a minute after the held ids were asked for', () => {
    expect(readableFromMicros(ISSUED)).toBe(ISSUED + 60 * SECOND);
  });
});

describe('the read of an id in doubt', () => {
  const settle = (id: string, seen: Parameters<typeof settleDoubt>[3]) => settleDoubt(STAMP, listing, id, seen, ISSUED);
  const version = (sourceSequence: number, issuedMicros: number) => ({
    epoch: 0,
    sourceSequence,
    issuedMicros,
    generation: 0,
  });

  it('makes a tombstone as of the start of the listing if it is still absent', () => {
    expect(settle('absent', { kind: 'missing' })).toEqual({
      kind: 'delete',
      version: version(100 * SECOND, START),
      deletedAtMicros: START,
    });
  });

  it('makes a row as of the start of the listing if it is still live', () => {
    const seen = { kind: 'live', modifiedMicros: 50 * SECOND } as const;
    expect(settle('listed', seen)).toEqual({ kind: 'upsert', version: version(100 * SECOND, ISSUED) });
    const later = { kind: 'live', modifiedMicros: 150 * SECOND } as const;
    expect(settle('listed', later)).toEqual({ kind: 'upsert', version: version(150 * SECOND, ISSUED) });
  });

  it('is a read like any other if it contradicts the listing', () => {
    expect(settle('listed', { kind: 'missing' })).toEqual({ kind: 'unknown' });
    expect(settle('absent', { kind: 'live', modifiedMicros: 50 * SECOND })).toEqual({
      kind: 'upsert',
      version: version(50 * SECOND, ISSUED),
    });
    expect(settle('absent', { kind: 'deleted', modifiedMicros: 50 * SECOND })).toMatchObject({
      kind: 'delete',
      version: version(50 * SECOND, ISSUED),
    });
  });
});

describe('an entry of a list of deletions', () => {
  it('is proven by a read the settle time after it', () => {
    expect(listedDeletion(50 * SECOND, 1_000)).toEqual({ atMicros: 50 * SECOND, provenFromMicros: 51 * SECOND });
  });
});
