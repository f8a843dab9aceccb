/**
 * Versions of deletions. A row marked deleted has its own modification as source sequence, like any row: so a deletion
 * and its undoing are told apart on one scale, and where they share a second, by the later read. Only a deletion whose
 * record can no longer be read carries the deletion's own time, and nothing follows on it. That a record was not found is
 * not the source's word, and makes no tombstone.
 */
import { floorMicros, type Version } from '../version.ts';

/** What of a version is the source instance's and not the record's. */
export interface Stamp {
  readonly epoch: number;
  /** The coarsest unit in which the source gives any of its times. */
  readonly unitMicros: number;
}

/** `atMicros`: the row's modification, the delete event's commit, or the time in the list of deletions. */
export function sourceVersion(stamp: Stamp, atMicros: number, issuedMicros: number): Version {
  return { epoch: stamp.epoch, sourceSequence: floorMicros(atMicros, stamp.unitMicros), issuedMicros, generation: 0 };
}

/** What a finished listing says of a record absent from it: as of the listing's start. */
export function listingVersion(stamp: Stamp, startMicros: number): Version {
  return sourceVersion(stamp, startMicros, startMicros);
}
