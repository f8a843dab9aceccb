import { describe, expect, it } from 'vitest';
import { parseExact } from '#core/vendor/json.ts';
import { recordPlan } from '#services/ingest-salesforce/decode/plan.ts';
import { decodeCells, decodeObject } from '#services/ingest-salesforce/decode/row.ts';
import { isoInstant, kindOf } from '#services/ingest-salesforce/decode/value.ts';
import { fieldList } from '#services/ingest-salesforce/objects.ts';

const plan = recordPlan('Opportunity', [
  { name: 'Id', kind: kindOf('id') },
  { name: 'IsDeleted', kind: kindOf('boolean') },
  { name: 'Name', kind: kindOf('string') },
  { name: 'Amount', kind: kindOf('currency') },
  { name: 'Big__c', kind: kindOf('double') },
  { name: 'CloseDate', kind: kindOf('date') },
  { name: 'SystemModstamp', kind: kindOf('datetime') },
]);

/** The same record as Bulk's CSV has it, and as REST's JSON text has it. */
const SAME: readonly (readonly [string, readonly string[], string])[] = [
  [
    'plain values',
    ['006000000000001AAA', 'false', 'Deal', '1000.5', '3', '2026-01-31', '2026-01-05T09:00:00.000Z'],
    '{"attributes":{"type":"Opportunity"},"SystemModstamp":"2026-01-05T09:00:00.000+0000","Id":"006000000000001AAA","IsDeleted":false,"Name":"Deal","Amount":1000.50,"Big__c":3.0,"CloseDate":"2026-01-31"}',
  ],
  [
    'empty values',
    ['006000000000002AAA', 'true', '', '', '', '', '2026-01-05T09:00:01.000Z'],
    '{"Id":"006000000000002AAA","IsDeleted":true,"Name":null,"Amount":null,"CloseDate":null,"SystemModstamp":"2026-01-05T09:00:01.000+0000"}',
  ],
  [
    'quotes, line breaks, control characters, unicode',
    [
      '006000000000003AAA',
      'false',
      'say "hi"\\\r\nsecond\tline \u0007 ü 😀',
      '0',
      '12345678901234567.5',
      '',
      '2026-01-05T09:00:02.000Z',
    ],
    '{"Id":"006000000000003AAA","IsDeleted":false,"Name":"say \\"hi\\"\\\\\\nsecond\\tline \\u0007 \\u00fc \\ud83d\\ude00","Amount":0.0,"Big__c":12345678901234567.50,"SystemModstamp":"2026-01-05T09:00:02Z"}',
  ],
  [
    'half a character',
    ['006000000000004AAA', 'false', 'a\ufffdb', '-1', '0.001', '', '2026-01-05T09:00:02.000Z'],
    '{"Id":"006000000000004AAA","IsDeleted":false,"Name":"a\\ud83db","Amount":-1,"Big__c":1E-3,"SystemModstamp":"2026-01-05T09:00:02.000Z"}',
  ],
];

describe('the decoding of a record', () => {
  it.each(SAME)('gives the same bytes for CSV and JSON: %s', (_what, cells, json) => {
    const fromCsv = decodeCells(plan, cells);
    expect(decodeObject(plan, parseExact(json))).toEqual(fromCsv);
    expect(Object.keys(JSON.parse(fromCsv.json) as object)).toEqual(plan.fields.map(({ name }) => name));
  });

  it('says what is in the record by type: text for numbers, booleans for booleans, null for empty', () => {
    const [, cells] = SAME[0] as (typeof SAME)[number];
    expect(JSON.parse(decodeCells(plan, cells).json)).toEqual({
      Id: '006000000000001AAA',
      IsDeleted: false,
      Name: 'Deal',
      Amount: '1000.5',
      Big__c: '3',
      CloseDate: '2026-01-31',
      SystemModstamp: '2026-01-05T09:00:00.000Z',
    });
  });

  it.each([
    ['no id', ['', 'false', '', '', '', '', '2026-01-05T09:00:00.000Z'], 'no_record_id'],
    ['no time', ['006000000000001AAA', 'false', '', '', '', '', ''], 'no_system_modstamp'],
  ])('refuses a record with %s', (_what, cells, code) => {
    expect(() => decodeCells(plan, cells)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['2024-01-02T03:04:05.000+0000', '2024-01-02T03:04:05.000Z'],
    ['2024-01-02T03:04:05Z', '2024-01-02T03:04:05.000Z'],
    ['2024-01-02T05:04:05.000+02:00', '2024-01-02T03:04:05.000Z'],
    ['not an instant', 'not an instant'],
  ])('an instant has one form: %s', (given, iso) => {
    expect(isoInstant(given)).toBe(iso);
  });

  it('reads 24 fields of a contact, then the extra ones in configured order', () => {
    expect(fieldList('Contact', [])).toHaveLength(24);
    const extra = ['Contact.Score__c', 'Lead.Region__c', 'Contact.Region__c', 'Contact.Email'];
    expect(fieldList('Contact', extra).slice(24)).toEqual(['Score__c', 'Region__c']);
  });
});
