import { describe, expect, it } from 'vitest';
import { rowMaker } from '#services/bq-writer/rows.ts';
import { TABLES } from '#schemas/generated/tables.ts';
import type { EntityName } from '#schemas/generated/types.ts';
import { codec, CONTACT, contactEvent, contactMessage } from './kit.ts';

describe('a row', () => {
  it('has exactly the columns of its table, after a trip through Avro', () => {
    const event = codec.decodeCanonical('contact', contactMessage({ id: '003A' }));
    const row = rowMaker('contact').rowOf(event);
    expect(Object.keys(row.values).sort()).toEqual(TABLES.contact.columns.map(({ name }) => name).sort());
  });

  it('keeps repeated fields as JSON text and JSON text as it is', () => {
    const { values } = rowMaker('contact').rowOf(contactEvent({ id: '003A' }));
    expect(JSON.parse(values['phones'] as string)).toEqual(CONTACT.phones);
    expect(values['custom_fields']).toBe('{"Score__c":3}');
  });

  it('of a tombstone with its last image is deleted and keeps the image', () => {
    const event = contactEvent({ id: '003A' });
    const row = rowMaker('contact').rowOf({ ...event, envelope: { ...event.envelope, operation: 'delete' } });
    expect(row.deleted).toBe(true);
    expect(row.values['name']).toBe('Ada Example');
  });

  it('carries key, version and provenance of its envelope', () => {
    const { values: _values, ...row } = rowMaker('contact').rowOf(contactEvent({ id: '003A', sequence: 7 }));
    expect(row).toEqual({
      key: { source: 'salesforce', instance: '00D000000000001', object: 'Contact', id: '003A' },
      version: { epoch: 0, sourceSequence: 7, issuedMicros: 7, generation: 0 },
      deleted: false,
      observedAtMicros: 1_750_000_000_000_000,
      runId: null,
      trace: 'trace-003A',
    });
  });

  it.each(Object.keys(TABLES) as EntityName[])('of a %s tombstone without an image fits every column', (entity) => {
    const { envelope } = contactEvent({ id: 'x', record: null });
    const { values } = rowMaker(entity).rowOf({ envelope, record: null });
    for (const column of TABLES[entity].columns) {
      const value = values[column.name];
      expect(value).toSatisfy((held) => (column.nullable ? held === null : held !== null && held !== undefined));
    }
  });
});
