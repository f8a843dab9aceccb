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
  /** Names the content, where that can change without the record's own time: then the minute counts from when it was first seen. */
  readonly fingerprint?: string;
}

export interface Published {
  maySkip(row: Seen): boolean;
  /** To be called once the row's publish is confirmed. */
  remember(row: Seen, issuedMicros: number): void;
}

interface Memory {
  readonly state: string;
  readonly sinceMicros: number;
  readonly certain: boolean;
}

/** Holds the last state of the last `capacity` records; a forgotten one is only published once more. */
export function publishedMemory(capacity: number): Published {
  const memories = new Map<string, Memory>();
  const keyOf = (row: Seen): string => `${row.object}/${row.id}`;
  // An undelete need not change the record's own time: a deleted and a live state never stand for each other.
  const stateOf = (row: Seen): string => `${row.modifiedMicros}/${row.deleted}/${row.fingerprint ?? ''}`;

  function sinceOf(row: Seen, issuedMicros: number): number {
    if (row.fingerprint === undefined) return row.modifiedMicros;
    const before = memories.get(keyOf(row));
    return before?.state === stateOf(row) ? before.sinceMicros : issuedMicros;
  }

  return {
    maySkip(row) {
      const memory = memories.get(keyOf(row));
      return memory !== undefined && memory.certain && memory.state === stateOf(row);
    },
    remember(row, issuedMicros) {
      const sinceMicros = sinceOf(row, issuedMicros);
      memories.delete(keyOf(row));
      memories.set(keyOf(row), {
        state: stateOf(row),
        sinceMicros,
        certain: issuedMicros - sinceMicros >= CERTAIN_MICROS,
      });
      for (const oldest of memories.keys()) {
        if (memories.size <= capacity) return;
        memories.delete(oldest);
      }
    },
  };
}
