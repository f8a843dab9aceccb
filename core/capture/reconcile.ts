/**
 * What a finished listing of a whole object says about the ids we hold (rule 1). Where it contradicts a version older than
 * its start, the id is read; what listing and read agree on counts as of that start.
 *
 *     listing starts ──▶ finished ──▶ held ids asked for ──a minute──▶ ids in doubt read ──▶ row, or tombstone
 */
import { MICROS_PER_MS } from '../clock.ts';
import { supersedes, type Version } from '../version.ts';
import { CERTAIN_MICROS } from './certain.ts';
import type { SourceSaysDeleted } from './hint.ts';
import { listingVersion, sourceVersion, type Stamp } from './tombstone.ts';
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

export interface Doubts {
  /** Held as live and absent from the listing. */
  readonly absent: readonly string[];
  /** Held as deleted and present in it: hidden from us for a while, or undeleted without our hearing of it. */
  readonly returned: readonly string[];
}

/** Ids to read. What is held by a version newer than the listing's start is not in doubt. */
export function doubts(stamp: Stamp, listing: FinishedListing, held: Iterable<HeldRecord>): Doubts {
  const start = listingVersion(stamp, listing.startMicros);
  const absent: string[] = [];
  const returned: string[] = [];
  for (const { id, version, deleted } of held) {
    if (deleted !== listing.has(id) || !supersedes(start, version)) continue;
    if (deleted) returned.push(id);
    else absent.push(id);
  }
  return { absent, returned };
}

/**
 * When the ids in doubt may be read. A record held is one that some read showed, so a read issued a minute after the held
 * ids were asked for shows it too, if it is there. Read too early, a new record looks deleted, and no poll repairs that:
 * its tombstone carries a later time than the record. So this waits longer than a settled read does.
 */
export function readableFromMicros(heldAskedMicros: number): number {
  return heldAskedMicros + CERTAIN_MICROS;
}

/** An entry of the source's list of deletions: like a delete event, it asks for a read of the record, which decides. */
export function listedDeletion(deletedAtMicros: number, settleMs: number): SourceSaysDeleted {
  return { atMicros: deletedAtMicros, provenFromMicros: deletedAtMicros + settleMs * MICROS_PER_MS };
}

/**
 * What the read by id of an id in doubt means. What the listing and this read agree on is at least as new as the listing's
 * start, whatever the record's own time is: still absent, it is deleted as of that start; still live though we hold it
 * as deleted, it lives as of that start. In all other cases it is a read like any other.
 */
export function settleDoubt(
  stamp: Stamp,
  listing: FinishedListing,
  id: string,
  seen: Sighting,
  issuedMicros: number,
): Verdict {
  const listed = listing.has(id);
  if (seen.kind === 'missing' && !listed)
    return {
      kind: 'delete',
      version: listingVersion(stamp, listing.startMicros),
      deletedAtMicros: listing.startMicros,
    };
  if (seen.kind === 'live' && listed)
    return {
      kind: 'upsert',
      version: sourceVersion(stamp, Math.max(seen.modifiedMicros, listing.startMicros), issuedMicros),
    };
  return judge(stamp, seen, issuedMicros, null);
}
