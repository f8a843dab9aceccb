/** What a read of one record means: a row, a tombstone, or nothing; and with which version. */
import { floorMicros, type Version } from '../version.ts';
import type { Cause } from './hint.ts';
import { deletionVersion, type Stamp } from './tombstone.ts';

/** A record as the source showed it. Times are the source's own, not floored. */
export type Sighting =
  | { readonly kind: 'live'; readonly modifiedMicros: number }
  | { readonly kind: 'deleted'; readonly modifiedMicros: number }
  | { readonly kind: 'missing' };

export type Verdict =
  | { readonly kind: 'upsert'; readonly version: Version }
  | { readonly kind: 'delete'; readonly version: Version; readonly deletedAtMicros: number }
  /** Nothing to publish: a later read, the poll or a listing will say. */
  | { readonly kind: 'unknown' };

/**
 * `cause` is null for what was not read because of a hint. A live row read because of an undelete takes the later of its
 * modification and the undelete's commit, since the tombstone may carry a later time than the row; a row that still
 * shows as deleted is not raised, and no other hint raises anything. A missing record is deleted only if the last of its
 * hints says so: it may be too new to be seen.
 */
export function judge(stamp: Stamp, seen: Sighting, issuedMicros: number, cause: Cause | null): Verdict {
  switch (seen.kind) {
    case 'live':
      return { kind: 'upsert', version: liveVersion(stamp, seen.modifiedMicros, issuedMicros, cause) };
    case 'deleted':
      return deleted(stamp, seen.modifiedMicros, issuedMicros);
    case 'missing': {
      const deletedAtMicros = cause?.deletedAtMicros ?? null;
      return deletedAtMicros === null ? { kind: 'unknown' } : deleted(stamp, deletedAtMicros, issuedMicros);
    }
  }
}

function deleted(stamp: Stamp, deletedAtMicros: number, issuedMicros: number): Verdict {
  return { kind: 'delete', version: deletionVersion(stamp, deletedAtMicros, issuedMicros), deletedAtMicros };
}

function liveVersion(stamp: Stamp, modifiedMicros: number, issuedMicros: number, cause: Cause | null): Version {
  const sequence = Math.max(modifiedMicros, cause?.undeletedAtMicros ?? 0);
  return {
    epoch: stamp.epoch,
    sourceSequence: floorMicros(sequence, stamp.unitMicros),
    issuedMicros,
    generation: 0,
  };
}
