/** What is asked of a company, and what it tells. */
import type { Change, Committed } from './commit.ts';
import type { ObjectName } from './ids.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly contacts: number;
  /** `Field_01__c` to `Field_NN__c` on Contact; at most 40. Default 0. */
  readonly contactCustomFields?: number;
  /** When the company's history ends; what happens live comes after. Default 2025-01-01, so that it lies in the past. */
  readonly epochMs?: number;
  /** A committed change shows in reads only this much later. Default 0; may be set while running. */
  readonly readLagMs?: number;
  /** A commit follows its `SystemModstamp` by up to this; at most 2,000. Default 0; may be set while running. */
  readonly commitDelayMs?: number;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

export interface Transaction {
  readonly changes: readonly Change[];
  /** A user's id; default the first user. */
  readonly userId?: string;
  /** As in a change event's `changeOrigin`; empty when made in the browser. */
  readonly origin?: string;
  /** All records of this object are rewritten in the same transaction: title and way of writing numbers. */
  readonly rewritten?: ObjectName;
}

export interface Commit {
  readonly commitMs: number;
  readonly commitNumber: number;
  readonly transactionKey: string;
  readonly userId: string;
  readonly origin: string;
  readonly changes: readonly Committed[];
  readonly rewritten: ObjectName | null;
}

/** What happened, as a journal keeps it. */
export type Entry =
  | { readonly kind: 'commit'; readonly ms: number; readonly delayMs: number; readonly transaction: Transaction }
  | { readonly kind: 'call'; readonly ms: number; readonly pick: number }
  | {
      readonly kind: 'identify';
      readonly callId: string;
      readonly contactId: string;
      readonly accountId: string | null;
    };
