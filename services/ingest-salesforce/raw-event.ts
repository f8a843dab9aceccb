/** From a decoded record and the verdict on it to the message on `raw.salesforce`. */
import { LARGEST_BODY_BYTES } from '#core/claim.ts';
import type { Codec } from '#core/codec.ts';
import type { Verdict } from '#core/capture/verdict.ts';
import type { Stamp } from '#core/capture/tombstone.ts';
import { MICROS_PER_SECOND } from '#core/clock.ts';
import type { HintFacts } from '#core/envelope.ts';
import type { Lane, Message } from '#core/ports/broker.ts';

export const SOURCE = 'salesforce';

/** `SystemModstamp` and the times of deletions come to the second. */
export const UNIT_MICROS = MICROS_PER_SECOND;

export function stampOf(epoch: number): Stamp {
  return { epoch, unitMicros: UNIT_MICROS };
}

/** What all events of one batch have in common. */
export interface Origin {
  /** The org's id. */
  readonly instance: string;
  readonly object: string;
  readonly lane: Lane;
  readonly runId: string | null;
  readonly observedAtMicros: number;
}

export interface Told {
  readonly trace: string;
  readonly changedAtMicros: number | null;
  readonly hint: HintFacts | null;
}

/** `json` null: a deletion without an image. */
export function rawMessage(
  codec: Codec,
  origin: Origin,
  id: string,
  verdict: Exclude<Verdict, { readonly kind: 'unknown' }>,
  json: string | null,
  told: Told,
): Message {
  return codec.encodeRaw(SOURCE, {
    envelope: {
      source: SOURCE,
      instance: origin.instance,
      object: origin.object,
      id,
      operation: verdict.kind,
      version: verdict.version,
      lane: origin.lane,
      runId: origin.runId,
      observedAtMicros: origin.observedAtMicros,
      changedAtMicros: told.changedAtMicros,
      trace: told.trace,
      hint: told.hint,
    },
    record: json,
  });
}

export function fits(message: Message): boolean {
  return message.body.byteLength <= LARGEST_BODY_BYTES;
}
