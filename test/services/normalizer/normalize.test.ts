import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { RawSource } from '#schemas/generated/types.ts';
import { LARGEST_BODY_BYTES } from '#core/claim.ts';
import { Codec } from '#core/codec.ts';
import type { Envelope } from '#core/envelope.ts';
import { createPhoneParser } from '#core/identifiers/phone.ts';
import type { Message } from '#core/ports/broker.ts';
import { defineMapper } from '#services/normalizer/mapper.ts';
import { MAPPERS } from '#services/normalizer/mappers/index.ts';
import { createNormalizer } from '#services/normalizer/normalize.ts';
import { constant } from '#services/normalizer/rules.ts';
import { envelopeOf } from './kit.ts';

const codec = new Codec();
const phones = createPhoneParser({ defaultCountry: 'US', cacheEntries: 100 });
const { normalize } = createNormalizer(codec, MAPPERS, phones);
const CONTACT = envelopeOf('salesforce', 'Contact', '003000000000001AAA');

function raw(record: string | null, envelope: Partial<Envelope> = {}, source: RawSource = 'salesforce'): Message {
  return codec.encodeRaw(source, { envelope: { ...CONTACT, source, ...envelope }, record });
}

describe('one bad message is its own dead letter', () => {
  const good = raw('{"Id":"003000000000001AAA","LastName":"Example"}');
  const attributes = good.attributes;
  const cases: readonly (readonly [string, Message, string])[] = [
    ['bytes that are no event', { body: Buffer.from('garbage'), attributes }, 'not_decodable'],
    ['an empty body', { body: new Uint8Array(), attributes }, 'not_decodable'],
    ['a cut body', { body: good.body.subarray(0, good.body.byteLength - 5), attributes }, 'not_decodable'],
    ['an unknown schema', { body: good.body, attributes: { ...attributes, 'ce-dataschema': 'x/y' } }, 'unknown_schema'],
    ['an unknown object', raw('{}', { object: 'Casserole' }), 'no_mapper'],
    ['a record that is not JSON', raw('{"LastName":"Exam'), 'raw_not_json'],
    ['a record that is JSON and no object', raw('["Example"]'), 'raw_not_json'],
    ['a record named like a built-in', raw('{}', { object: 'constructor' }), 'no_mapper'],
  ];

  it.each(cases)('%s', (_what, bad, code) => {
    const { outputs, dispositions } = normalize('salesforce', [good, bad, good]);
    expect(dispositions).toMatchObject([{ kind: 'ack' }, { kind: 'deadLetter', code }, { kind: 'ack' }]);
    expect(outputs.get('canonical.contact')).toHaveLength(2);
    expect(outputs.size).toBe(1);
  });

  it('and its reason quotes nothing of the record', () => {
    const bad = raw('{"LastName":"Secretname');
    const { dispositions } = normalize('salesforce', [bad]);
    expect(JSON.stringify(dispositions)).not.toContain('Secretname');
  });

  it('what the source sent and is no record keeps the code that the receiver found', () => {
    const hint = { kind: 'not_utf8', changedFields: null, user: null, origin: null, transaction: null };
    const { dispositions } = normalize('dialpad', [
      raw('{', { object: 'unreadable', hint }, 'dialpad'),
      raw('{', { object: 'unreadable', hint: { ...hint, kind: 'Not a code!' } }, 'dialpad'),
    ]);
    expect(dispositions).toMatchObject([{ code: 'not_utf8' }, { code: 'unreadable' }]);
  });

  it('a canonical event too large to be carried is parked, not published', () => {
    const essay = 'x'.repeat(LARGEST_BODY_BYTES / 3 + 1);
    const bad = raw(JSON.stringify({ LastName: essay, Phone: essay, Custom__c: essay }));
    expect(normalize('salesforce', [bad, good]).dispositions).toMatchObject([{ code: 'too_large' }, { kind: 'ack' }]);
  });
});

describe('a mapper that throws', () => {
  const broken = defineMapper({
    source: 'dialpad',
    entity: 'call_transcript',
    ignores: [],
    objects: {
      call_transcript: {
        call_id: constant('1'),
        transcript_text: {
          from: [],
          read: () => {
            throw new TypeError('cannot read Secretname');
          },
        },
      },
    },
  });

  it('makes a dead letter with a stable code and without its own message', () => {
    const { normalize: normalizeBroken } = createNormalizer(codec, [broken], phones);
    const { outputs, dispositions } = normalizeBroken('dialpad', [raw('{}', { object: 'call_transcript' }, 'dialpad')]);
    expect(dispositions).toMatchObject([{ kind: 'deadLetter', code: 'mapper_failed' }]);
    expect(JSON.stringify(dispositions)).not.toContain('Secretname');
    expect(outputs.size).toBe(0);
  });
});

describe('the envelope', () => {
  function canonical(message: Message): Envelope {
    const [output] = normalize('salesforce', [message]).outputs.get('canonical.contact') ?? [];
    if (output === undefined) throw new Error('Nothing was published.');
    expect(output.attributes['lane']).toBe(codec.decodeCanonical('contact', output).envelope.lane);
    return codec.decodeCanonical('contact', output).envelope;
  }

  it('passes through, with version, trace and hint', () => {
    expect(canonical(raw('{"LastName":"Example"}'))).toEqual(CONTACT);
  });

  it('stays in the bulk lane when a replay brought it there', () => {
    const message = raw('{"LastName":"Example"}');
    const replayed = { ...message, attributes: { ...message.attributes, lane: 'bulk', to: 'normalizer' } };
    expect(canonical(replayed)).toEqual({ ...CONTACT, lane: 'bulk' });
  });

  it('of a delete without an image comes with no record', () => {
    const message = raw(null, { operation: 'delete' });
    const [output] = normalize('salesforce', [message]).outputs.get('canonical.contact') ?? [];
    expect(output && codec.decodeCanonical('contact', output)).toEqual({
      envelope: { ...CONTACT, operation: 'delete' },
      record: null,
    });
  });
});

describe('any record', () => {
  const names = fc.oneof(
    fc.constantFrom(
      'Id',
      'LastName',
      'Phone',
      'Email',
      'CreatedDate',
      'NumberOfEmployees',
      'IsDeleted',
      'CloseDate',
      'contact',
    ),
    fc.constantFrom(
      'target',
      'labels',
      'recording_details',
      'date_started',
      'duration',
      '__proto__',
      'constructor',
      'content',
    ),
    fc.string(),
  );
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom('1', '1e400', '99999999999999999999', '0000-00-00', true),
  );
  const records = fc.array(fc.tuple(names, values), { maxLength: 12 }).map((entries) => {
    return `{${entries.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
  });
  const kinds = fc.constantFrom(
    ...MAPPERS.flatMap(({ source, objects }) => objects.map((object) => ({ source, object }))),
  );

  it('is mapped and fits its schema', () => {
    fc.assert(
      fc.property(records, kinds, (record, { source, object }) => {
        const { dispositions } = normalize(source, [raw(record, { object }, source)]);
        expect(dispositions).toEqual([{ kind: 'ack' }]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('is mapped the same every time', () => {
    fc.assert(
      fc.property(records, kinds, (record, { source, object }) => {
        const message = raw(record, { object }, source);
        expect(normalize(source, [message])).toEqual(normalize(source, [message]));
      }),
      { numRuns: 300 },
    );
  });
});
