/** From an image of a call to raw events: which row each is about, and which version it has. */
import { hash } from 'node:crypto';
import { MICROS_PER_MS } from '#core/clock.ts';
import type { RawEvent } from '#core/codec.ts';
import type { Lane } from '#core/ports/broker.ts';
import { isRecord } from '#core/vendor/json.ts';
import { beyond, recordText, type CallImage } from './decode.ts';
import { CALL_FIELDS, DETAIL_FIELDS, HEAD_FIELDS, RECORDING_FIELDS, TRANSCRIPT_FIELDS } from './fields.ts';
import { stateMeaning, type Subject } from './state-rank.ts';

/** How an image came to us. */
export interface Arrival {
  readonly instance: string;
  readonly epoch: number;
  readonly lane: Lane;
  readonly runId: string | null;
  /** A push: when it was received. A row of the list: when the request that succeeded was sent. */
  readonly issuedMicros: number;
  readonly trace: string;
}

/** A push is about the call, or about one thing the call produced; never about both, since it shows only the one in full. */
export function pushedEvents(image: CallImage, arrival: Arrival): readonly RawEvent[] {
  const { subject } = stateMeaning(image.state);
  if (subject !== 'call') return [event(image, arrival, subject, productText(image, subject), image.state)];
  return [
    event(image, arrival, 'call', recordText(image.json, CALL_FIELDS), image.state),
    event(image, arrival, 'call_detail', recordText(image.json, DETAIL_FIELDS), image.state),
  ];
}

/**
 * A row of the list shows the call whatever its state, and its recordings and transcript where there are any: so a lost
 * push of those is repaired too. Its event time is the call's, hence older than a product's push, which wins where it came.
 */
export function listedEvents(image: CallImage, arrival: Arrival): readonly RawEvent[] {
  const events = [event(image, arrival, 'call', recordText(image.json, CALL_FIELDS), null)];
  const { json } = image;
  if (
    RECORDING_FIELDS.slice(HEAD_FIELDS.length).some(
      ({ name, alias }) => hasContent(json[name]) || hasContent(json[alias ?? name]),
    )
  )
    events.push(event(image, arrival, 'call_recording', productText(image, 'call_recording'), null));
  if (hasContent(json['transcription_text']))
    events.push(event(image, arrival, 'call_transcript', productText(image, 'call_transcript'), null));
  return events;
}

/** What was signed by the sender and still is no call: published as it came, so that it is parked downstream with its bytes. */
export function unreadableEvent(bytes: Uint8Array, code: string, arrival: Arrival): RawEvent {
  const id = hash('sha1', bytes, 'hex');
  return rawEvent(arrival, {
    object: 'unreadable',
    id,
    sequence: 0,
    eventMs: null,
    state: code,
    record: textOf(bytes),
  });
}

function productText(image: CallImage, subject: Exclude<Subject, 'call'>): string {
  const { json } = image;
  switch (subject) {
    case 'call_recording':
      return recordText(json, RECORDING_FIELDS);
    case 'call_transcript':
      return recordText(json, TRANSCRIPT_FIELDS);
    // No layout of these is documented: what is not the call's own stays as it came.
    case 'call_recap':
    case 'call_disposition':
      return recordText(json, HEAD_FIELDS, { content: beyond(json, KNOWN_OF_CALLS) });
  }
}

const KNOWN_OF_CALLS = [...CALL_FIELDS, ...DETAIL_FIELDS, ...RECORDING_FIELDS, ...TRANSCRIPT_FIELDS];

function event(image: CallImage, arrival: Arrival, object: string, record: string, state: string | null): RawEvent {
  const id = object === 'call_recap' ? `${image.callId}/${image.state}` : image.callId;
  return rawEvent(arrival, { object, id, sequence: image.sequence, eventMs: image.eventMs, state, record });
}

interface Part {
  readonly object: string;
  readonly id: string;
  readonly sequence: number;
  readonly eventMs: number | null;
  /** The state that the push reported; null for a row of the list. */
  readonly state: string | null;
  readonly record: string;
}

function rawEvent(arrival: Arrival, part: Part): RawEvent {
  const { instance, epoch, lane, runId, issuedMicros, trace } = arrival;
  return {
    envelope: {
      source: 'dialpad',
      instance,
      object: part.object,
      id: part.id,
      operation: 'upsert',
      version: { epoch, sourceSequence: part.sequence, issuedMicros, generation: 0 },
      lane,
      runId,
      observedAtMicros: issuedMicros,
      // Only a push tells of a change as it happens; what the list shows may have been known for long.
      changedAtMicros: part.state === null || part.eventMs === null ? null : part.eventMs * MICROS_PER_MS,
      trace,
      hint:
        part.state === null
          ? null
          : { kind: part.state, changedFields: null, user: null, origin: null, transaction: null },
    },
    record: part.record,
  };
}

function hasContent(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  if (Array.isArray(value)) return value.length > 0;
  return !isRecord(value) || Object.keys(value).length > 0;
}

/** Valid UTF-8 as it is; other bytes as JSON that says so, since a raw record is text. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return JSON.stringify({ notUtf8Base64: Buffer.from(bytes).toString('base64') });
  }
}
