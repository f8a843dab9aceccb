/** What the coalescer and its caller say to each other: hints in, calls out, and what became of them. */
import type { Cause, Hint } from './hint.ts';

export interface CoalesceOptions {
  /** How long a prompt read waits for company. */
  readonly lingerMs: number;
  /** After this time a committed change shows in every read. 0: reads never lag, so there are no settled reads. */
  readonly settleMs: number;
  /** Settled reads fall due on multiples of this. */
  readonly gridMs: number;
  /** Most records in one call. */
  readonly batchIds: number;
  /** Whether one call can read records of several objects. */
  readonly mixesObjects: boolean;
  readonly maxHints: number;
}

export const COALESCE_DEFAULTS: CoalesceOptions = {
  lingerMs: 100,
  settleMs: 1_000,
  gridMs: 250,
  batchIds: 200,
  mixesObjects: false,
  maxHints: 20_000,
};

export interface ReadItem {
  readonly object: string;
  readonly id: string;
  readonly cause: Cause;
}

/** One call to make. `purpose` is the budget it draws on. */
export interface ReadBatch {
  readonly purpose: 'settled' | 'prompt';
  readonly items: readonly ReadItem[];
}

export type ReadOutcome =
  /** What was read is published and confirmed. `issuedMicros`: when the call that succeeded was sent. */
  | { readonly kind: 'published'; readonly issuedMicros: number }
  /** To be read again; the batch's objects rest until then. */
  | { readonly kind: 'failed'; readonly retryAtMicros: number }
  /** Will never be read: all its hints are given back, for the caller to park. */
  | { readonly kind: 'abandoned' };

/** One per source instance. `T` is the caller's handle of a hint, given back when it may be acked. Times are wall-clock, ours. */
export interface Coalescer<T> {
  /** False: full, the hint was not taken. */
  offer(hint: Hint, ticket: T, nowMicros: number): boolean;
  /** The calls to make now, at most `calls` of them, most urgent first. Each must be answered by `completed`. */
  due(nowMicros: number, calls: number): readonly ReadBatch[];
  /** Answers the hints that are done with. Hints not among them are read again. A batch answered before answers nothing. */
  completed(batch: ReadBatch, outcome: ReadOutcome, nowMicros: number): readonly T[];
  /** When `due` next has something, if nothing happens before; in the past if the last `due` was short of calls. */
  nextDueMicros(): number | null;
  /** Hints held. */
  readonly size: number;
}
