/**
 * Versions of deletions (rule 2: a tombstone's source sequence is the deletion's time, floored to the source's unit, so
 * that a deletion and an undeletion in one unit tie there and the later read decides). Only the source's word makes a
 * tombstone; that a record was not found is not its word.
 */
import { floorMicros, type Version } from '../version.ts';

/** What of a version is the source instance's and not the record's. */
export interface Stamp {
  readonly epoch: number;
  /** The coarsest unit in which the source gives any of its times. */
  readonly unitMicros: number;
}

/**
 * A deletion with a time: a row marked deleted (the time is its modification's), an entry of a list of deletions, or a
 * delete event whose record can no longer be read (the time is the commit's).
 */
export function deletionVersion(stamp: Stamp, deletedAtMicros: number, issuedMicros: number): Version {
  return {
    epoch: stamp.epoch,
    sourceSequence: floorMicros(deletedAtMicros, stamp.unitMicros),
    issuedMicros,
    generation: 0,
  };
}

/** A record absent from a finished listing of its whole object and from a read by id after it: deleted before that start. */
export function absenceVersion(stamp: Stamp, listingStartMicros: number): Version {
  return deletionVersion(stamp, listingStartMicros, listingStartMicros);
}
