/**
 * What a finished listing of a whole object says about the ids we hold (rule 1): held with a version older than the
 * listing's start and absent from it, an id is read; still absent, it was deleted, and its tombstone is stamped with that start.
 *
 *     listing starts ──▶ finished ──▶ held ids asked for ──settle──▶ absent ones read by id ──▶ row, or tombstone
 */
import { MICROS_PER_MS } from '../clock.ts';
import { supersedes, type Version } from '../version.ts';
import { absenceVersion, type Stamp } from './tombstone.ts';
import { judge, type Sighting, type Verdict } from './verdict.ts';

/** A listing that was read to its end: one cut short says nothing about what it lacks. */
export interface FinishedListing {
  /** When its first request was sent, or its job created. */
  readonly startMicros: number;
  readonly has: (id: string) => boolean;
}

export interface HeldRecord {
  readonly id: string;
  readonly version: Version;
  readonly deleted: boolean;
}

/** Ids to read, in the order given. Ids held as deleted, or by a read newer than the listing, need no reading. */
export function* absentees(stamp: Stamp, listing: FinishedListing, held: Iterable<HeldRecord>): Generator<string> {
  const absence = absenceVersion(stamp, listing.startMicros);
  for (const { id, version, deleted } of held)
    if (!deleted && !listing.has(id) && supersedes(absence, version)) yield id;
}

/**
 * When the absent ids may be read: a record held is one that some read showed, so a read issued the settle time after the
 * held ids were asked for shows it too, if it is there. Read earlier, a new record looks deleted, for ever.
 */
export function readableFromMicros(heldAskedMicros: number, settleMs: number): number {
  return heldAskedMicros + settleMs * MICROS_PER_MS;
}

/** What the read by id of an absent id means. */
export function judgeAbsentee(
  stamp: Stamp,
  listing: FinishedListing,
  seen: Sighting,
  issuedMicros: number,
): Exclude<Verdict, { readonly kind: 'unknown' }> {
  const verdict = judge(stamp, seen, issuedMicros, null);
  if (verdict.kind !== 'unknown') return verdict;
  return {
    kind: 'delete',
    version: absenceVersion(stamp, listing.startMicros),
    deletedAtMicros: listing.startMicros,
  };
}
