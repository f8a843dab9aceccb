/**
 * What a poll need not publish again. Its look-back reads the same rows many times over, yet "already published" alone is
 * no reason to skip one: a read that lagged may have been published since with the same source sequence and a later
 * issue, and only a still later read wins over it. What was published by a read issued a minute or more after the
 * record's own time is safe to skip: no read issued later than that shows an older state.
 */
import { CERTAIN_MICROS } from './certain.ts';

export interface Seen {
  readonly object: string;
  readonly id: string;
  /** The record's own time, of the source. */
  readonly modifiedMicros: number;
  readonly deleted: boolean;
}

export interface Published {
  maySkip(row: Seen): boolean;
  /** To be called once the row's publish is confirmed. */
  remember(row: Seen, issuedMicros: number): void;
}

/** Holds the last `capacity` records; a forgotten one is only published once more. */
export function publishedMemory(capacity: number): Published {
  const states = new Map<string, string>();
  const keyOf = (row: Seen): string => `${row.object}/${row.id}`;
  // An undelete need not change the record's own time: a deleted and a live state never stand for each other.
  const stateOf = (row: Seen): string => `${row.modifiedMicros}/${row.deleted}`;

  return {
    maySkip: (row) => states.get(keyOf(row)) === stateOf(row),
    remember(row, issuedMicros) {
      states.delete(keyOf(row));
      if (issuedMicros - row.modifiedMicros < CERTAIN_MICROS) return;
      states.set(keyOf(row), stateOf(row));
      for (const oldest of states.keys()) {
        if (states.size <= capacity) return;
        states.delete(oldest);
      }
    },
  };
}
