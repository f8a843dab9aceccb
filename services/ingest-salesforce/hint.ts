/**
 * Hints as messages on `hint.salesforce`: `receive` writes them, `read` reads them. The envelope says which record, when
 * and what happened; the body says where in the stream it came from, or holds the bytes of an event nobody could decode.
 */
import type { Hint } from '#core/capture/hint.ts';
import type { Codec, RawEvent } from '#core/codec.ts';
import type { HintFacts } from '#core/envelope.ts';
import { floorMicros } from '#core/version.ts';
import type { Message } from '#core/ports/broker.ts';
import { isRecord } from '#core/vendor/json.ts';
import { SOURCE, UNIT_MICROS } from './raw-event.ts';

/** The kind of a hint that carries an event which could not be decoded. */
export const UNDECODABLE = 'undecodable';
/** The kind of a hint for a record that is too large for a message: read again and parked there, with the reason. */
export const TOO_LARGE = 'too_large';

export interface Undecoded {
  readonly schemaId: string;
  readonly replayId: string;
  readonly topic: string;
  readonly payloadBase64: string;
}

export interface NewHint {
  readonly instance: string;
  readonly epoch: number;
  readonly object: string;
  readonly id: string;
  readonly changedAtMicros: number;
  readonly observedAtMicros: number;
  readonly trace: string;
  readonly facts: HintFacts;
  readonly body: Readonly<Record<string, string>>;
}

export function hintMessage(codec: Codec, hint: NewHint): Message {
  return codec.encodeRaw(SOURCE, {
    envelope: {
      source: SOURCE,
      instance: hint.instance,
      object: hint.object,
      id: hint.id,
      operation: effectOf(hint.facts.kind) === 'delete' ? 'delete' : 'upsert',
      version: {
        epoch: hint.epoch,
        sourceSequence: floorMicros(hint.changedAtMicros, UNIT_MICROS),
        issuedMicros: 0,
        generation: 0,
      },
      lane: 'live',
      runId: null,
      observedAtMicros: hint.observedAtMicros,
      changedAtMicros: hint.changedAtMicros,
      trace: hint.trace,
      hint: hint.facts,
    },
    record: JSON.stringify(hint.body),
  });
}

/** A gap event says what happened and to what, like any other; an undelete is a change that the read shows. */
export function effectOf(kind: string): Hint['effect'] {
  return kind === 'DELETE' || kind === 'GAP_DELETE' ? 'delete' : 'change';
}

export function factsOf(kind: string): HintFacts {
  return { kind, changedFields: null, user: null, origin: null, transaction: null };
}

/** A hint of a record, as the coalescer takes it. */
export function hintOf({ envelope }: RawEvent): Hint {
  const facts = envelope.hint ?? factsOf('UPDATE');
  return {
    object: envelope.object,
    id: envelope.id,
    effect: effectOf(facts.kind),
    changedAtMicros: envelope.changedAtMicros,
    facts,
  };
}

/** The event inside a hint of kind `undecodable`; undefined if the hint is another. */
export function undecodedOf({ envelope, record }: RawEvent): Undecoded | undefined {
  if (envelope.hint?.kind !== UNDECODABLE || record === null) return undefined;
  const body: unknown = JSON.parse(record);
  if (!isRecord(body)) return undefined;
  const text = (name: string): string => (typeof body[name] === 'string' ? body[name] : '');
  return {
    schemaId: text('schemaId'),
    replayId: text('replayId'),
    topic: text('topic'),
    payloadBase64: text('payloadBase64'),
  };
}
