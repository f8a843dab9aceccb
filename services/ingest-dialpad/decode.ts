/**
 * One decoding of what Dialpad says about calls, whichever way it came: the webhook renders int64 as numbers, the list as
 * text; one says `""`, the other leaves out. Nothing but an unusable identity or time is refused here: a phone field with
 * an essay or an object in a text field goes on as text, for the mapper to judge.
 */
import { plainDecimal } from '#core/vendor/decimal.ts';
import { isRecord, parseExact } from '#core/vendor/json.ts';
import { PARTY_FIELDS, type Field } from './fields.ts';
import { stateMeaning } from './state-rank.ts';

/** As `parseExact` gives it: numbers are decimal text. */
export type JsonObject = Readonly<Record<string, unknown>>;

export interface CallImage {
  readonly callId: string;
  readonly state: string | null;
  /** When what the image shows happened, by the source's clock. */
  readonly eventMs: number;
  /** Event time × 1000 + state rank. */
  readonly sequence: number;
  readonly json: JsonObject;
}

export type Unreadable = 'not_utf8' | 'not_json' | 'not_an_object' | 'no_call_id' | 'no_event_time';
export type Decoded =
  { readonly kind: 'call'; readonly image: CallImage } | { readonly kind: 'unreadable'; readonly code: Unreadable };

/** Of a webhook's payload. */
export function decodeBytes(payload: Uint8Array): Decoded {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch {
    return { kind: 'unreadable', code: 'not_utf8' };
  }
  let json: unknown;
  try {
    json = parseExact(text);
  } catch {
    // A SyntaxError, or a RangeError where it is nested deeper than the stack goes.
    return { kind: 'unreadable', code: 'not_json' };
  }
  return decodeCall(json);
}

/** Of a webhook's payload or one item of the list, parsed by `parseExact`. */
export function decodeCall(json: unknown): Decoded {
  if (!isRecord(json)) return { kind: 'unreadable', code: 'not_an_object' };
  const callId = decodeField(json['call_id'], 'id');
  if (typeof callId !== 'string' || !/^\d{1,30}$/.test(callId)) return { kind: 'unreadable', code: 'no_call_id' };
  const eventMs = eventTime(json);
  if (eventMs === null) return { kind: 'unreadable', code: 'no_event_time' };
  const stated = decodeField(json['state'], 'text');
  const state = typeof stated === 'string' ? stated : null;
  const sequence = eventMs * 1000 + stateMeaning(state).rank;
  return { kind: 'call', image: { callId, state, eventMs, sequence, json } };
}

/** A raw record: JSON text with every field of the list, in its order, whatever the payload lacks. */
export function recordText(json: JsonObject, fields: readonly Field[], more: JsonObject = {}): string {
  return JSON.stringify({ ...decodeObject(json, fields), ...more });
}

/** What a payload has beyond a field list, as it came. */
export function beyond(json: JsonObject, fields: readonly Field[]): JsonObject {
  const known = new Set(fields.map(({ name }) => name));
  return Object.fromEntries(Object.entries(json).filter(([name]) => !known.has(name)));
}

function decodeObject(json: JsonObject, fields: readonly Field[]): JsonObject {
  const record: Record<string, unknown> = {};
  for (const { name, kind, alias } of fields) {
    const value = decodeField(json[name], kind);
    record[name] = value === null && alias !== undefined ? decodeField(json[alias], kind) : value;
  }
  return record;
}

function decodeField(value: unknown, kind: Field['kind']): unknown {
  switch (kind) {
    case 'text':
      return plain(value);
    case 'id':
      return idOf(plain(value));
    case 'number':
      return decimalOf(plain(value));
    case 'flag':
      return value === 'true' || value === 'false' ? value === 'true' : plain(value);
    case 'party':
      return isRecord(value) ? partyOf(value) : plain(value);
    case 'list':
      return value ?? [];
    case 'object':
      return isRecord(value) && Object.keys(value).length === 0 ? null : (value ?? null);
  }
}

/** A scalar as it is, `""` as absent, anything larger as its JSON text. */
function plain(value: unknown): string | boolean | null {
  if (value === undefined || value === null || value === '') return null;
  if (typeof value === 'boolean') return value;
  return typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value);
}

function idOf(value: string | boolean | null): string | boolean | null {
  return value === '0' || value === 'null' ? null : value;
}

function decimalOf(value: string | boolean | null): string | boolean | null {
  return typeof value === 'string' ? plainDecimal(value) : value;
}

function partyOf(party: JsonObject): JsonObject | null {
  const decoded = decodeObject(party, PARTY_FIELDS);
  return Object.values(decoded).every((value) => value === null) ? null : decoded;
}

/** The list's description allows a row without an event time: then its end, or failing that its start, stands for it. */
function eventTime(json: JsonObject): number | null {
  for (const name of ['event_timestamp', 'date_ended', 'date_started']) {
    const text = decodeField(json[name], 'number');
    if (text === null) continue;
    const ms = typeof text === 'string' && /^\d+(\.\d+)?$/.test(text) ? Math.floor(Number(text)) : Number.NaN;
    return ms > 0 && Number.isSafeInteger(ms * 1000 + 999) ? ms : null;
  }
  return null;
}
