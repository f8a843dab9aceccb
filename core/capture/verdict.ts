/** What a read of one record means: a row, a tombstone, or nothing; and with which version. */
import type { Version } from '../version.ts';
import type { SourceSaysDeleted } from './hint.ts';
import { sourceVersion, type Stamp } from './tombstone.ts';

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
 * `deletion` is what the source said of the record beforehand (a delete event, an entry of a list of deletions), or null.
 * The record, where it still shows, has the last word. A missing record is deleted only if the source said so and the
 * read is late enough to prove it: it may be too new to be seen, and an undelete may not move its modification past the
 * deletion's time.
 */
export function judge(stamp: Stamp, seen: Sighting, issuedMicros: number, deletion: SourceSaysDeleted | null): Verdict {
  if (seen.kind === 'live') return { kind: 'upsert', version: sourceVersion(stamp, seen.modifiedMicros, issuedMicros) };
  if (seen.kind === 'deleted') return deleted(stamp, seen.modifiedMicros, issuedMicros);
  if (deletion === null || issuedMicros < deletion.provenFromMicros) return { kind: 'unknown' };
  return deleted(stamp, deletion.atMicros, issuedMicros);
}

function deleted(stamp: Stamp, deletedAtMicros: number, issuedMicros: number): Verdict {
  return { kind: 'delete', version: sourceVersion(stamp, deletedAtMicros, issuedMicros), deletedAtMicros };
}
