/**
 * Erasure: the last state that a record ever has, without any value. It is a tombstone like any other and takes the same
 * way, so the resolver, the warehouse, the archive and every other consumer learn of it; and it is of an epoch that no
 * operator can raise to, so whatever is read, delivered or replayed later is older. A deleted row could not do that:
 * BigQuery forgets a deletion after two days, and the next replay would bring the person back.
 */
import type { RawEvent } from './codec.ts';
import type { RecordKey } from './key.ts';

/** Greater than any epoch that a source may be configured with (`maximum` of its setting). */
export const ERASED_EPOCH = 1_000_000_000;

/** `nowMicros`: of two erasures of one record the later wins. */
export function erasure(key: RecordKey, nowMicros: number, trace: string): RawEvent {
  const { source, instance, object, id } = key;
  return {
    envelope: {
      source,
      instance,
      object,
      id,
      operation: 'delete',
      version: { epoch: ERASED_EPOCH, sourceSequence: 0, issuedMicros: nowMicros, generation: 0 },
      lane: 'live',
      runId: null,
      observedAtMicros: nowMicros,
      changedAtMicros: null,
      trace,
      hint: null,
    },
    record: null,
  };
}
