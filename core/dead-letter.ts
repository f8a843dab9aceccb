/**
 * A message that could not be processed, as it is kept: the bytes and attributes unchanged, with what is known about the
 * failure. The object's name is derived from the message and the subscription, so parking twice keeps one.
 */
import { hash } from 'node:crypto';
import type { Entities } from '#schemas/generated/types.ts';
import { InvalidMessage } from './errors.ts';
import type { Fact } from './facts.ts';
import type { Delivered, Message } from './ports/broker.ts';

export interface DeadLetter {
  readonly id: string;
  readonly service: string;
  readonly subscription: string;
  readonly topic: string;
  readonly code: string;
  readonly reason: string;
  readonly attempts: number;
  /** How often it was replayed before it was parked this time. */
  readonly replays: number;
  readonly firstFailedAtMicros: number;
  readonly parkedAtMicros: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly bodyBase64: string;
}

export const MAXIMUM_REPLAYS = 3;

/** Attributes that a replay adds, and that belong to no event. */
const REPLAYS = 'replays';

const PREFIX = 'dead-letters/';

export interface Failure {
  readonly service: string;
  readonly subscription: string;
  readonly topic: string;
  readonly code: string;
  readonly reason: string;
  readonly firstFailedAtMicros: number;
  readonly parkedAtMicros: number;
}

export function toDeadLetter(message: Delivered, failure: Failure): DeadLetter {
  const replays = Number(message.attributes[REPLAYS] ?? '0');
  const identity = `${failure.subscription}|${message.attributes['ce-id'] ?? ''}|${hash('sha1', message.body, 'hex')}|${replays}`;
  return {
    id: hash('sha1', identity, 'hex').slice(0, 20),
    ...failure,
    attempts: message.deliveryAttempts,
    replays,
    attributes: message.attributes,
    bodyBase64: Buffer.from(message.body).toString('base64'),
  };
}

/** `dead-letters/<service>/<code>/<id>`: a listing tells service and code without opening anything. */
export function deadLetterName(letter: Pick<DeadLetter, 'service' | 'code' | 'id'>): string {
  return `${PREFIX}${letter.service}/${letter.code}/${letter.id}`;
}

export function parseDeadLetterName(name: string): Pick<DeadLetter, 'service' | 'code' | 'id'> | undefined {
  const [service, code, id, ...rest] = name.slice(PREFIX.length).split('/');
  return name.startsWith(PREFIX) && service && code && id && rest.length === 0 ? { service, code, id } : undefined;
}

export const DEAD_LETTERS_PREFIX = PREFIX;

export function encodeDeadLetter(letter: DeadLetter): Uint8Array {
  return Buffer.from(JSON.stringify(letter));
}

export function decodeDeadLetter(bytes: Uint8Array): DeadLetter {
  try {
    return JSON.parse(Buffer.from(bytes).toString()) as DeadLetter;
  } catch (cause) {
    throw new InvalidMessage('not_a_dead_letter', 'The parked object is damaged: look at its file by hand.', { cause });
  }
}

/** The message as it is sent again: to the topic it came from, addressed to the one service that failed. */
export function replayMessage(letter: DeadLetter): Message {
  return {
    body: Buffer.from(letter.bodyBase64, 'base64'),
    attributes: { ...letter.attributes, lane: 'bulk', to: letter.service, [REPLAYS]: String(letter.replays + 1) },
  };
}

const STATES = { parked: 1, replayed: 2, dropped: 3 } as const;

export function deadLetterFact(letter: DeadLetter, state: keyof typeof STATES, atMicros: number): Fact<'dead_letter'> {
  const record: Entities['dead_letter'] = {
    service: letter.service,
    subscription: letter.subscription,
    topic: letter.topic,
    code: letter.code,
    reason: letter.reason,
    record_key: letter.attributes['key'] ?? null,
    attempts: letter.attempts,
    replays: letter.replays,
    state,
    first_failed_at: letter.firstFailedAtMicros,
    parked_at: letter.parkedAtMicros,
    body_bytes: Math.floor((letter.bodyBase64.length * 3) / 4),
    object_name: deadLetterName(letter),
  };
  return { entity: 'dead_letter', id: letter.id, state: STATES[state], atMicros, trace: letter.id, record };
}
