import { describe, expect, it } from 'vitest';
import { toCloudEvent } from '#core/cloud-event.ts';
import { Codec, type CanonicalEvent, type RawEvent } from '#core/codec.ts';
import { InvalidMessage } from '#core/errors.ts';
import { eventId, type Envelope } from '#core/envelope.ts';
import { MESSAGE_LIMITS, type Message } from '#core/ports/broker.ts';

const codec = new Codec();

const ENVELOPE: Envelope = {
  source: 'salesforce',
  instance: '00D000000000001AAA',
  object: 'Contact',
  id: '003000000000001AAA',
  operation: 'upsert',
  version: { epoch: 0, sourceSequence: 1_790_000_000_000_000, issuedMicros: 1_790_000_000_250_001, generation: 0 },
  lane: 'live',
  runId: null,
  observedAtMicros: 1_790_000_000_250_001,
  changedAtMicros: 1_790_000_000_100_000,
  trace: '4bf92f3577b34da6a3ce929d0e0e4736',
  hint: {
    kind: 'UPDATE',
    changedFields: ['Name.FirstName'],
    user: '005000000000001AAA',
    origin: null,
    transaction: 'tx-1',
  },
};
const RAW: RawEvent = { envelope: ENVELOPE, record: '{"Id":"003000000000001AAA","LastName":"Żółć \\"quoted\\"\\n"}' };

function changed(message: Message, attributes: Record<string, string>): Message {
  return { ...message, attributes: { ...message.attributes, ...attributes } };
}

describe('an event in a message', () => {
  it('comes back as it went in, hint facts and trace included', () => {
    expect(codec.decodeRaw('salesforce', codec.encodeRaw('salesforce', RAW))).toEqual(RAW);
  });

  it('of a delete without an image has no record', () => {
    const event: RawEvent = { envelope: { ...ENVELOPE, operation: 'delete' }, record: null };
    expect(codec.decodeRaw('salesforce', codec.encodeRaw('salesforce', event)).record).toBeNull();
  });

  it('is a CloudEvent to the cloudevents package, with the same id', () => {
    const event = toCloudEvent(codec.encodeRaw('salesforce', RAW));
    expect(event.validate()).toBe(true);
    expect(event).toMatchObject({
      id: eventId(ENVELOPE),
      type: 'tributary.raw.salesforce',
      source: '/salesforce/00D000000000001AAA',
      lane: 'live',
    });
  });

  it('keeps its id when it is published again, and another read has another', () => {
    const later = { ...ENVELOPE, version: { ...ENVELOPE.version, issuedMicros: ENVELOPE.version.issuedMicros + 1 } };
    expect(eventId({ ...ENVELOPE, lane: 'bulk', trace: 'other' })).toBe(eventId(ENVELOPE));
    expect(eventId(later)).not.toBe(eventId(ENVELOPE));
  });

  it('has a key that no other record has, whatever its parts contain', () => {
    const key = (object: string, id: string) =>
      codec.encodeRaw('salesforce', { ...RAW, envelope: { ...ENVELOPE, object, id } }).attributes['key'];
    expect(key('a/b', 'c')).not.toBe(key('a', 'b/c'));
    expect(key('a%2Fb', 'c')).not.toBe(key('a/b', 'c'));
  });

  it('stays within the broker’s limits for attributes', () => {
    const { attributes } = codec.encodeRaw('salesforce', RAW);
    expect(Object.keys(attributes).length).toBeLessThan(MESSAGE_LIMITS.attributes);
    for (const value of Object.values(attributes))
      expect(Buffer.byteLength(value)).toBeLessThanOrEqual(MESSAGE_LIMITS.attributeValueBytes);
  });
});

describe('a message that cannot be read', () => {
  const message = codec.encodeRaw('salesforce', RAW);

  it.each([
    ['truncated', { ...message, body: message.body.subarray(0, 40) }, 'not_decodable'],
    [
      'of no known schema',
      changed(message, { 'ce-dataschema': 'tributary:schema/raw.salesforce/0123456789abcdef' }),
      'unknown_schema',
    ],
    ['empty', { ...message, body: new Uint8Array() }, 'not_decodable'],
  ])('%s is refused with a stable code', (_name, broken, code) => {
    expect(() => codec.decodeRaw('salesforce', broken)).toThrow(expect.objectContaining({ code }) as Error);
  });

  it('names an entity that does not exist', () => {
    expect(() => codec.decodeAny(changed(message, { 'ce-type': 'tributary.canonical.unicorn' }))).toThrow(
      InvalidMessage,
    );
  });

  it('an event that does not fit its schema says which field', () => {
    const event = { envelope: { ...ENVELOPE, id: 42 }, record: null } as unknown as RawEvent;
    expect(() => codec.encodeRaw('salesforce', event)).toThrow('envelope.id');
  });

  it('a number beyond the safe integers is refused, not rounded', () => {
    const event = { ...RAW, envelope: { ...ENVELOPE, version: { ...ENVELOPE.version, sourceSequence: 2 ** 60 } } };
    expect(() => codec.encodeRaw('salesforce', event)).toThrow(InvalidMessage);
  });
});

describe('open vocabularies', () => {
  it('an unknown state of a call survives the trip', () => {
    const state = 'a_state_of_next_year';
    const event = {
      envelope: { ...ENVELOPE, object: 'call' },
      record: { ...EMPTY_CALL, state },
    } as CanonicalEvent<'call'>;
    expect(codec.decodeCanonical('call', codec.encodeCanonical('call', event)).record?.state).toBe(state);
  });
});

const EMPTY_CALL = {
  conversation_id: '1',
  entry_point_call_id: null,
  master_call_id: null,
  operator_call_id: null,
  state: null,
  direction: null,
  external_number: null,
  internal_number: null,
  phones: [],
  contact_id: null,
  contact_type: null,
  contact_name: null,
  contact_email: null,
  target_id: null,
  target_type: null,
  target_name: null,
  target_email: null,
  group_id: null,
  started_at: null,
  rang_at: null,
  queued_at: null,
  connected_at: null,
  ended_at: null,
  talk_ms: null,
  hold_ms: null,
  duration_ms: null,
  total_duration_ms: null,
  was_recorded: null,
  is_internal: null,
  is_transferred: null,
  csat_score: null,
  mos_score: null,
  labels: [],
  voicemail_link: null,
  custom_fields: null,
};
