import type { RawSource } from '#schemas/generated/types.ts';
import type { Envelope } from '#core/envelope.ts';

/** A live read of one record, with a hint. */
export function envelopeOf(source: RawSource, object: string, id: string): Envelope {
  return {
    source,
    instance: 'acme',
    object,
    id,
    operation: 'upsert',
    version: { epoch: 1, sourceSequence: 1_767_225_600_000_000, issuedMicros: 1_767_225_600_250_000, generation: 2 },
    lane: 'live',
    runId: null,
    observedAtMicros: 1_767_225_600_300_000,
    changedAtMicros: 1_767_225_600_123_000,
    trace: 'trace-1',
    hint: { kind: 'UPDATE', changedFields: ['Phone'], user: '005000000000001AAA', origin: null, transaction: 'tx-1' },
  };
}
