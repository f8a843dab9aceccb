/** Answers to messages: each match gets the next revision of this owner, so that a later one wins wherever they meet. */
import type { Codec } from '#core/codec.ts';
import type { Message } from '#core/ports/broker.ts';
import type { Cause } from '../waiting.ts';
import type { Answer } from './answer.ts';

export interface Revisions {
  readonly epoch: number;
  /** Of the last match; grows with each. */
  last: number;
}

export function matchMessage(
  codec: Codec,
  revisions: Revisions,
  answer: Answer,
  cause: Cause,
  nowMicros: number,
): Message {
  const { activity, role, event } = answer;
  revisions.last += 1;
  return codec.encodeCanonical('match', {
    envelope: {
      ...activity,
      id: `${activity.id}#${role}`,
      operation: event.isWithdrawn ? 'delete' : 'upsert',
      version: { epoch: revisions.epoch, sourceSequence: revisions.last, issuedMicros: 0, generation: 0 },
      lane: cause.lane,
      runId: cause.runId,
      observedAtMicros: nowMicros,
      changedAtMicros: cause.changedAtMicros,
      trace: cause.trace,
      hint: null,
    },
    record: event.record,
  });
}
