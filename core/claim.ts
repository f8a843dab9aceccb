/**
 * Claim checks: a body that is too large for a message is stored as an object, and the message carries where.
 *
 *     publish ──body too large──▶ put claims/<topic>/<day>/<sha256> ──▶ message: the same envelope, no record, `claim`
 *     deliver ──`claim`──▶ get the object, check size and hash ──▶ the message as it was
 *
 * The body of a claim is one of its topic's own schema, the envelope whole and the record null, so that a broker that
 * checks bodies takes it and a consumer that cannot read the bucket still knows which state of which record it missed.
 * The day is that of the publish: a message tried again later renews its object, which a lifecycle by age would take.
 */
import { hash } from 'node:crypto';
import { BODIES } from '#schemas/generated/bodies.ts';
import { HISTORY } from '#schemas/generated/history.ts';
import { typeFor } from './codec.ts';
import { InvalidMessage } from './errors.ts';
import { MESSAGE_LIMITS, type Message } from './ports/broker.ts';

/** Above this a body is stored: what is left is room for all attributes a message may have, and for the request around it. */
export const CLAIM_ABOVE_BYTES = MESSAGE_LIMITS.bodyBytes - 200_000;

/** Above this nothing is carried at all: every stage holds a body in memory several times over. */
export const LARGEST_BODY_BYTES = 50_000_000;

export const CLAIMS_PREFIX = 'claims/';

const NAME = 'claim';
const BYTES = 'claim-bytes';
const SHA256 = 'claim-sha256';

export interface Claim {
  /** Of the object that holds the body. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

export function needsClaim({ body }: Message): boolean {
  return body.byteLength > CLAIM_ABOVE_BYTES;
}

/** Undefined for a message that carries its body itself. */
export function claimOf({ attributes }: Message): Claim | undefined {
  const name = attributes[NAME];
  if (name === undefined) return undefined;
  return { name, bytes: Number(attributes[BYTES] ?? 'NaN'), sha256: attributes[SHA256] ?? '' };
}

/** The claim to store `message`'s body under, and the message to publish in its place once that is durable. */
export function checkIn(
  topic: string,
  message: Message,
  atMicros: number,
): { readonly claim: Claim; readonly message: Message } {
  const sha256 = hash('sha256', message.body, 'hex');
  const day = new Date(atMicros / 1000).toISOString().slice(0, 10);
  const claim = { name: `${CLAIMS_PREFIX}${topic}/${day}/${sha256}`, bytes: message.body.byteLength, sha256 };
  const attributes = { ...message.attributes, [NAME]: claim.name, [BYTES]: String(claim.bytes), [SHA256]: sha256 };
  return { claim, message: { body: withoutRecord(message), attributes } };
}

/**
 * The message as it was before it was checked in. Throws `InvalidMessage`: `claim_missing` where there is no such object,
 * `claim_damaged` where it is not what was stored.
 */
export function redeem<M extends Message>(message: M, claim: Claim, body: Uint8Array | undefined): M {
  if (body === undefined)
    throw new InvalidMessage(
      'claim_missing',
      `The body was stored as ${claim.name}, which is not there: it was deleted before the message was read. Read the record again from its source.`,
    );
  if (body.byteLength !== claim.bytes || hash('sha256', body, 'hex') !== claim.sha256)
    throw new InvalidMessage(
      'claim_damaged',
      `The object ${claim.name} is not the body that was stored (${body.byteLength} of ${claim.bytes} bytes). Read the record again from its source.`,
    );
  const { [NAME]: _name, [BYTES]: _bytes, [SHA256]: _sha256, ...attributes } = message.attributes;
  return { ...message, body, attributes };
}

/** What has no schema of ours, as on a dead-letter topic it may, gets a body that says nothing. */
const NOTHING = Uint8Array.of(0);

interface BodySchema {
  readonly fields: readonly [{ readonly type: unknown }, { readonly type: readonly unknown[] }];
}

/** The envelope's bytes as they are, then the union's branch for null: no record is decoded. */
function withoutRecord({ body, attributes }: Message): Uint8Array {
  const schema = schemaOf(attributes);
  if (schema === undefined) return NOTHING;
  const [envelope, record] = schema.fields;
  const end = endOf(envelope.type, body);
  if (end === undefined) return NOTHING;
  const branch = typeFor('long').toBuffer(record.type.indexOf('null'));
  return Buffer.concat([body.subarray(0, end), branch]);
}

function schemaOf(attributes: Message['attributes']): BodySchema | undefined {
  const name = (attributes['ce-type'] ?? '').slice('tributary.'.length);
  const fingerprint = (attributes['ce-dataschema'] ?? '').split('/').at(-1) ?? '';
  const known = BODIES[name];
  const schema = known?.fingerprint === fingerprint ? known.schema : HISTORY[name]?.[fingerprint];
  return schema as BodySchema | undefined;
}

function endOf(schema: unknown, body: Uint8Array): number | undefined {
  try {
    const { offset } = typeFor(schema).decode(Buffer.from(body.buffer, body.byteOffset, body.byteLength), 0);
    return offset < 0 ? undefined : offset;
  } catch {
    return undefined;
  }
}
