/**
 * Raw messages to canonical ones, each for itself: what one message cannot be is its own dead letter, and the others go on.
 * The envelope passes through, so version and trace are those of the read.
 */
import type { EntityName, RawSource } from '#schemas/generated/types.ts';
import { LARGEST_BODY_BYTES } from '#core/claim.ts';
import type { Codec, RawEvent } from '#core/codec.ts';
import { ack, deadLetter, type Disposition } from '#core/disposition.ts';
import type { Envelope } from '#core/envelope.ts';
import { TributaryError } from '#core/errors.ts';
import type { PhoneParser } from '#core/identifiers/phone.ts';
import type { Message } from '#core/ports/broker.ts';
import { entityTopic, type Topic } from '#core/topics.ts';
import { isRecord } from '#core/vendor/json.ts';
import type { Mapper } from './mapper.ts';
import type { JsonObject } from './reading.ts';

export interface Normalized {
  /** Empty topics are absent. */
  readonly outputs: ReadonlyMap<Topic, readonly Message[]>;
  /** One per message, in order. `ack` holds only once the outputs are published. */
  readonly dispositions: readonly Disposition[];
}

export interface Normalizer {
  readonly normalize: (source: RawSource, batch: readonly Message[]) => Normalized;
}

export function createNormalizer(codec: Codec, mappers: readonly Mapper[], phones: PhoneParser): Normalizer {
  const byObject = new Map(
    mappers.flatMap((mapper) => mapper.objects.map((object) => [`${mapper.source}/${object}`, mapper] as const)),
  );

  function one(source: RawSource, message: Message): Outcome {
    const raw = codec.decodeRaw(source, message);
    const { envelope } = raw;
    if (envelope.object === 'unreadable') return unreadable(raw);
    const mapper = byObject.get(`${source}/${envelope.object}`);
    if (mapper === undefined)
      return { disposition: deadLetter('no_mapper', `No mapper knows the object ${envelope.object} of ${source}.`) };
    const record = parsed(raw);
    if (record === undefined)
      return { disposition: deadLetter('raw_not_json', 'The raw record is not a JSON object.') };
    const encoded = codec.encodeCanonical<EntityName>(mapper.entity, {
      envelope: inLane(envelope, message),
      record: record === null ? null : mapper.map(envelope.object, envelope.id, record, phones),
    });
    if (encoded.body.byteLength > LARGEST_BODY_BYTES)
      return {
        disposition: deadLetter('too_large', `The canonical ${mapper.entity} exceeds what a message may hold.`),
      };
    return { disposition: ack, topic: entityTopic(mapper.entity), message: encoded };
  }

  function normalize(source: RawSource, batch: readonly Message[]): Normalized {
    const outputs = new Map<Topic, Message[]>();
    const dispositions = batch.map((message) => {
      const outcome = guarded(() => one(source, message));
      if (outcome.message !== undefined) {
        const list = outputs.get(outcome.topic);
        if (list === undefined) outputs.set(outcome.topic, [outcome.message]);
        else list.push(outcome.message);
      }
      return outcome.disposition;
    });
    return { outputs, dispositions };
  }

  return { normalize };
}

type Outcome =
  | { readonly disposition: Disposition; readonly topic: Topic; readonly message: Message }
  | { readonly disposition: Disposition; readonly message?: undefined };

/** A mapper's own bug is a dead letter, since the same record would fail again; its message may quote the record. */
function guarded(work: () => Outcome): Outcome {
  try {
    return work();
  } catch (error) {
    if (error instanceof TributaryError) return { disposition: deadLetter(error.code, error.message) };
    const name = error instanceof Error ? error.name : 'something else';
    return { disposition: deadLetter('mapper_failed', `The mapper threw ${name}: repair it, then replay.`) };
  }
}

/** What a sender signed and still is no record; the ingest service says why. */
function unreadable({ envelope }: RawEvent): Outcome {
  const code = envelope.hint?.kind ?? '';
  return {
    disposition: deadLetter(
      /^[a-z][a-z0-9_]{0,39}$/.test(code) ? code : 'unreadable',
      `What ${envelope.source} sent is no record: its sender must send it otherwise.`,
    ),
  };
}

/** Undefined: not JSON, or no object. Null: a delete without an image. */
function parsed({ record }: RawEvent): JsonObject | null | undefined {
  if (record === null) return null;
  try {
    const json: unknown = JSON.parse(record);
    return isRecord(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

/** A replay comes in the bulk lane whatever its envelope says, and stays there. */
function inLane(envelope: Envelope, message: Message): Envelope {
  return message.attributes['lane'] === 'bulk' && envelope.lane !== 'bulk' ? { ...envelope, lane: 'bulk' } : envelope;
}
