import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { columns, jsonWriter, startKit, type Kit } from './kit.ts';

let kit: Kit;
beforeEach(async () => void (kit = await startKit()));
afterEach(() => kit.stop());

const PEOPLE = {
  schema: columns('id STRING REQUIRED', 'name STRING', 'salary INTEGER'),
  tableConstraints: { primaryKey: { columns: ['id'] } },
};
const change = (kind: string, sequence: string, row: object) => ({
  ...row,
  _CHANGE_TYPE: kind,
  _CHANGE_SEQUENCE_NUMBER: sequence,
});

describe('changes by key', () => {
  it('an UPSERT replaces the whole row, and what it does not name is NULL', async () => {
    await kit.makeTable('people', PEOPLE);
    const writer = await jsonWriter(kit, 'people', { changes: true });
    expect((await writer.append([change('UPSERT', '1', { id: 'a', name: 'Ada', salary: 5 })])).error).toBeFalsy();
    await writer.append([change('UPSERT', '2', { id: 'a', salary: 6 })]);
    expect(await kit.ask('SELECT * FROM sales.people')).toEqual([{ id: 'a', name: null, salary: 6 }]);
  });
});
