import { describe, expect, it } from 'vitest';
import { parseExact } from '#core/vendor/json.ts';
import { decodeBytes, decodeCall, recordText, type CallImage } from '#services/ingest-dialpad/decode.ts';
import { CALL_FIELDS } from '#services/ingest-dialpad/fields.ts';

function imageOf(text: string): CallImage {
  const decoded = decodeBytes(Buffer.from(text));
  if (decoded.kind !== 'call') throw new Error(decoded.code);
  return decoded.image;
}

/** The raw call record of a payload with these fields beside the identity. */
function record(fields: string): Record<string, unknown> {
  const image = imageOf(`{"call_id":1,"state":"hangup","event_timestamp":1767600000000,${fields}}`);
  return JSON.parse(recordText(image.json, CALL_FIELDS)) as Record<string, unknown>;
}

describe('the decoding of a call', () => {
  it('keeps every digit of an id beyond 2^53, as number and as text', () => {
    for (const id of ['9007199254740993123', '"9007199254740993123"'])
      expect(imageOf(`{"call_id":${id},"event_timestamp":1767600000000}`).callId).toBe('9007199254740993123');
    expect(record('"entry_point_call_id":9007199254740993123')).toMatchObject({
      entry_point_call_id: '9007199254740993123',
    });
    expect(record('"contact":{"id":9007199254740993}')).toMatchObject({ contact: { id: '9007199254740993' } });
  });

  const values: readonly [string, string, string, unknown][] = [
    ['an empty text is absent', 'external_number', '""', null],
    ['a word in place of a number stays', 'external_number', '"blocked"', 'blocked'],
    ['a number in a text field is text', 'external_number', '42', '42'],
    ['an object in a text field is its JSON', 'external_number', '{"a":1}', '{"a":"1"}'],
    ['an essay stays an essay', 'external_number', JSON.stringify('word '.repeat(10_000)), 'word '.repeat(10_000)],
    ['half a surrogate pair becomes a replacement character', 'direction', '"\\ud800"', '\ufffd'],
    ['a number has one text', 'duration', '61000.0', '61000'],
    ['a number given as text has the same', 'duration', '"61000.50"', '61000.5'],
    ['an exponent is written out', 'duration', '6.1e4', '61000'],
    ['an id of 0 is none', 'master_call_id', '0', null],
    ['an id "null" is none', 'master_call_id', '"null"', null],
    ['a flag given as text is a flag', 'is_transferred', '"false"', false],
    ['a party without content is none', 'proxy_target', '{}', null],
    ['a party of empty texts is none', 'contact', '{"id":0,"name":"","type":null}', null],
    ['no labels is an empty list', 'labels', 'null', []],
    ['labels stay', 'labels', '["VIP"]', ['VIP']],
  ];

  it.each(values)('%s', (_claim, name, given, kept) => {
    expect(record(`${JSON.stringify(name)}:${given}`)[name]).toEqual(kept);
  });

  it('gives every field, in the order of the field list, whatever the payload lacks and however it is ordered', () => {
    const names = CALL_FIELDS.map(({ name }) => name);
    expect(Object.keys(record('"labels":[]'))).toEqual(names);
    expect(Object.keys(record('"__proto__":{"direction":"x"},"total_duration":1,"direction":"inbound"'))).toEqual(
      names,
    );
  });

  it('does not take the end for granted because a ringing event has one', () => {
    const image = imageOf('{"call_id":1,"state":"ringing","event_timestamp":1767600000000,"date_ended":1767600009999}');
    expect(image.state).toBe('ringing');
    expect(image.sequence).toBe(1_767_600_000_000_300);
  });

  it('takes the end, then the start, for the time of a listed call that has none', () => {
    const sequenceOf = (json: string): number | null => {
      const decoded = decodeCall(parseExact(json));
      return decoded.kind === 'call' ? decoded.image.eventMs : null;
    };
    expect(sequenceOf('{"call_id":"1","state":"hangup","date_ended":"1767600000000","date_started":"1"}')).toBe(
      1_767_600_000_000,
    );
    expect(sequenceOf('{"call_id":"1","state":"hangup","date_started":"1767600000000"}')).toBe(1_767_600_000_000);
  });
});
