import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { Transient } from '#core/errors.ts';
import { RpcError } from '#core/ports/vendor.ts';
import { eventDecoder } from '#services/ingest-salesforce/cdc/event.ts';

const header = {
  type: 'record',
  name: 'ChangeEventHeader',
  fields: [
    { name: 'entityName', type: 'string' },
    { name: 'recordIds', type: { type: 'array', items: 'string' } },
    {
      name: 'changeType',
      type: { type: 'enum', name: 'ChangeType', symbols: ['CREATE', 'UPDATE', 'DELETE', 'UNDELETE', 'SNAPSHOT'] },
    },
    { name: 'changeOrigin', type: 'string' },
    { name: 'transactionKey', type: 'string' },
    { name: 'sequenceNumber', type: 'int' },
    { name: 'commitTimestamp', type: 'long' },
    { name: 'commitNumber', type: 'long' },
    { name: 'commitUser', type: 'string' },
    { name: 'nulledFields', type: { type: 'array', items: 'string' } },
    { name: 'diffFields', type: { type: 'array', items: 'string' } },
    { name: 'changedFields', type: { type: 'array', items: 'string' } },
  ],
};
const schema = {
  type: 'record',
  name: 'ContactChangeEvent',
  fields: [
    { name: 'ChangeEventHeader', type: header },
    { name: 'Title', type: ['null', 'string'], default: null },
    { name: 'Phone', type: ['null', 'string'], default: null },
    { name: 'Huge__c', type: ['null', 'long'], default: null },
  ],
};
const type = avsc.Type.forSchema(schema as avsc.Schema);

function payload(changes: object = {}): Buffer {
  return type.toBuffer({
    ChangeEventHeader: {
      entityName: 'Contact',
      recordIds: ['003000000000001AAA'],
      changeType: 'UPDATE',
      changeOrigin: 'com/salesforce/api/rest/62.0',
      transactionKey: 't-1',
      sequenceNumber: 1,
      commitTimestamp: 1_767_600_000_123,
      commitNumber: 17,
      commitUser: '005000000000001AAA',
      nulledFields: ['0x04'],
      diffFields: [],
      changedFields: ['0x06'],
      ...changes,
    },
    Title: 'CTO',
    Phone: null,
    Huge__c: null,
  });
}

describe('a change event', () => {
  it('asks for a schema once, however many events wait for it', async () => {
    let asked = 0;
    const decoder = eventDecoder(async () => {
      asked += 1;
      return JSON.stringify(schema);
    });
    const events = await Promise.all([1, 2, 3].map(() => decoder.decode('s1', payload())));
    expect(asked).toBe(1);
    expect(events[0]).toEqual({
      entity: 'Contact',
      recordIds: ['003000000000001AAA'],
      changeType: 'UPDATE',
      changeOrigin: 'com/salesforce/api/rest/62.0',
      transactionKey: 't-1',
      commitUser: '005000000000001AAA',
      commitMs: 1_767_600_000_123,
      changedFields: ['Title', 'Phone'],
    });
  });

  it('does not say which fields changed where the event does not', async () => {
    const decoder = eventDecoder(async () => JSON.stringify(schema));
    const created = await decoder.decode('s1', payload({ changeType: 'CREATE', changedFields: [], nulledFields: [] }));
    expect(created.changedFields).toBeNull();
  });

  it.each([
    ['cut', payload().subarray(0, 20)],
    ['cut at its end', payload().subarray(0, -1)],
    ['with more bytes than its schema reads', Buffer.concat([payload(), Buffer.from([1])])],
    ['of other bytes', Buffer.from('this is no Avro at all, and long enough to be read as some')],
    ['empty', Buffer.alloc(0)],
  ])('is undecodable when %s', async (_what, bytes) => {
    const decoder = eventDecoder(async () => JSON.stringify(schema));
    await expect(decoder.decode('s1', bytes)).rejects.toMatchObject({ code: 'undecodable_event' });
  });

  it('of a schema that the source does not know is told apart, and asked for again later', async () => {
    let asked = 0;
    const decoder = eventDecoder(async () => {
      asked += 1;
      if (asked === 1) throw new RpcError({ status: 'NOT_FOUND', errorCode: null }, 'none');
      return JSON.stringify(schema);
    });
    await expect(decoder.decode('s1', payload())).rejects.toMatchObject({ code: 'unknown_schema' });
    await expect(decoder.decode('s1', payload())).resolves.toMatchObject({ entity: 'Contact' });
  });

  it('passes on that the source is away: no event is at fault', async () => {
    const away = new Transient('away', 'The source is away.');
    const decoder = eventDecoder(() => Promise.reject(away));
    await expect(decoder.decode('s1', payload())).rejects.toBe(away);
  });

  it('is read though a number in it is too large for us', async () => {
    const decoder = eventDecoder(async () => JSON.stringify(schema));
    // 0xff… in nine bytes and one: the largest long, as Avro writes it, in place of the last field's null.
    const bytes = Buffer.concat([payload().subarray(0, -1), Buffer.from('02feffffffffffffffff01', 'hex')]);
    await expect(decoder.decode('s1', bytes)).resolves.toMatchObject({ entity: 'Contact' });
  });
});
