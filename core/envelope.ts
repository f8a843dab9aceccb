/** The first field of every Avro body: which record, which state of it, and how it came here. */
import { hash } from 'node:crypto';
import { keyText, type RecordKey } from './key.ts';
import type { Lane } from './ports/broker.ts';
import { versionText, type Version } from './version.ts';

/** The notification's own facts; of coalesced hints the changed fields are the union, the rest is the latest commit's. */
export interface HintFacts {
  readonly kind: string;
  readonly changedFields: readonly string[] | null;
  readonly user: string | null;
  readonly origin: string | null;
  readonly transaction: string | null;
}

export interface Envelope extends RecordKey {
  readonly operation: 'upsert' | 'delete';
  readonly version: Version;
  readonly lane: Lane;
  readonly runId: string | null;
  readonly observedAtMicros: number;
  /** When the source says the change was committed, unfloored; null where it does not say. For latency figures, never for order. */
  readonly changedAtMicros: number | null;
  readonly trace: string;
  readonly hint: HintFacts | null;
}

export interface Event<R> {
  readonly envelope: Envelope;
  /** The record, whole. Null on a delete without an image. */
  readonly record: R | null;
}

/** Names one state of one record: a publish tried again keeps its id, another read gets another. */
export function eventId(envelope: Envelope): string {
  return hash('sha1', `${keyText(envelope)}@${versionText(envelope.version)}`, 'hex').slice(0, 32);
}
