/**
 * Facts about the pipeline itself (runs, calls to sources, dead letters) as canonical events on `ops.event`: upserted
 * like all other rows, with version (0, state number, time, 0).
 */
import type { Entities } from '#schemas/generated/types.ts';
import type { Codec } from './codec.ts';
import type { Message } from './ports/broker.ts';

export type OpsEntity = 'run' | 'api_call' | 'dead_letter';

export interface Fact<E extends OpsEntity> {
  readonly entity: E;
  readonly id: string;
  /** Grows with each state of the same thing. */
  readonly state: number;
  readonly atMicros: number;
  readonly trace: string;
  readonly record: Entities[E];
}

/** `instance` names this installation. */
export function factMessage<E extends OpsEntity>(codec: Codec, instance: string, fact: Fact<E>): Message {
  return codec.encodeCanonical(fact.entity, {
    envelope: {
      source: 'tributary',
      instance,
      object: fact.entity,
      id: fact.id,
      operation: 'upsert',
      version: { epoch: 0, sourceSequence: fact.state, issuedMicros: fact.atMicros, generation: 0 },
      lane: 'live',
      runId: fact.entity === 'run' ? fact.id : null,
      observedAtMicros: fact.atMicros,
      changedAtMicros: null,
      trace: fact.trace,
      hint: null,
    },
    record: fact.record,
  });
}
