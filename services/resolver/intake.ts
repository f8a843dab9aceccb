/** Messages to states, and the batches that wait to be applied: live ones first. */
import type { CanonicalEvent, Codec } from '#core/codec.ts';
import { ack, deadLetter, type Disposition } from '#core/disposition.ts';
import { InvalidMessage } from '#core/errors.ts';
import type { Delivered, Lane } from '#core/ports/broker.ts';
import { activityState, callDetailState, callState, recordState } from './facts.ts';
import type { Entry } from './log/entries.ts';
import type { Cause } from './waiting.ts';

export const RESOLVED = ['contact', 'lead', 'account', 'user', 'call', 'call_detail', 'activity'] as const;
export type ResolvedEntity = (typeof RESOLVED)[number];

/** What one message says. */
export interface Item {
  readonly entry: Exclude<Entry, { kind: 'outcome' }>;
  readonly cause: Cause;
}

export interface Batch {
  readonly lane: Lane;
  readonly items: readonly Item[];
  readonly dispositions: readonly Disposition[];
  readonly signal: AbortSignal;
  readonly resolve: (dispositions: readonly Disposition[]) => void;
  readonly reject: (error: unknown) => void;
}

export class Intake {
  readonly #codec: Codec;
  readonly #live: Batch[] = [];
  readonly #bulk: Batch[] = [];

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  get size(): number {
    return this.#live.length + this.#bulk.length;
  }

  /** Resolves once what the messages say is durable and published. */
  take(entity: ResolvedEntity, messages: readonly Delivered[], signal: AbortSignal): Promise<readonly Disposition[]> {
    const items: Item[] = [];
    const dispositions = messages.map((message) => this.#read(entity, message, items));
    const lane: Lane = items[0]?.cause.lane ?? 'live';
    return new Promise((resolve, reject) => {
      const batch = { lane, items, dispositions, signal, resolve, reject };
      (lane === 'live' ? this.#live : this.#bulk).push(batch);
    });
  }

  /** The next batch that somebody still waits for. */
  next(): Batch | undefined {
    for (;;) {
      const batch = this.#live.shift() ?? this.#bulk.shift();
      if (batch?.signal.aborted !== true) return batch;
      batch.reject(batch.signal.reason);
    }
  }

  #read(entity: ResolvedEntity, message: Delivered, items: Item[]): Disposition {
    let event: CanonicalEvent<ResolvedEntity>;
    try {
      event = this.#codec.decodeCanonical(entity, message);
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      return deadLetter(error.code, error.message);
    }
    const { lane, trace, runId, changedAtMicros } = event.envelope;
    items.push({ entry: entryOf(entity, event), cause: { lane, trace, runId, changedAtMicros, isEvent: true } });
    return ack;
  }
}

function entryOf(entity: ResolvedEntity, event: CanonicalEvent<ResolvedEntity>): Item['entry'] {
  switch (entity) {
    case 'call':
      return { kind: 'participant', state: callState(event as CanonicalEvent<'call'>) };
    case 'activity':
      return { kind: 'participant', state: activityState(event as CanonicalEvent<'activity'>) };
    case 'call_detail':
      return { kind: 'record', state: callDetailState(event as CanonicalEvent<'call_detail'>) };
    case 'contact':
    case 'lead':
    case 'account':
    case 'user':
      return { kind: 'record', state: recordState(entity, event as CanonicalEvent<typeof entity>) };
  }
}
