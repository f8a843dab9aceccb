/** What the Storage Write API refuses, and how: in the answer to a request, or by the end of the connection. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { columns, jsonWriter, startKit, type Kit } from './kit.ts';

let kit: Kit;
beforeEach(async () => {
  kit = await startKit();
  await kit.makeTable('people', { schema: columns('id STRING REQUIRED', 'name STRING', 'born DATE') });
});
afterEach(() => kit.stop());

/** The status with which the append failed, whether its promise resolved or not. */
async function failureOf(append: Promise<{ error?: { code?: unknown; message?: unknown } | null }>) {
  const answer = await append.catch((error: unknown) => ({ error: error as { code: unknown; message: unknown } }));
  return { code: Number(answer.error?.code), message: String(answer.error?.message) };
}
const count = async () => (await kit.ask('SELECT count(*) AS n FROM sales.people'))[0]?.['n'];

describe('an append', () => {
  it('of 10 MB is refused whole, and one below is taken', async () => {
    const writer = await jsonWriter(kit, 'people');
    const rows = (n: number) => Array.from({ length: n }, (_, at) => ({ id: String(at), name: 'x'.repeat(1_000_000) }));
    expect(await failureOf(writer.append(rows(11)))).toMatchObject({ code: 3, message: expect.stringMatching(/too large/) as string }); // prettier-ignore
    writer.close();
    const other = await jsonWriter(kit, 'people');
    expect((await other.append(rows(9))).error).toBeFalsy();
    other.close();
    expect(await count()).toBe(9);
  });

  it('with a column that the table has not is refused, naming it', async () => {
    const writer = await jsonWriter(kit, 'people', { schema: columns('id STRING', 'salary INTEGER') });
    const failure = await failureOf(writer.append([{ id: 'a', salary: 1 }]));
    expect(failure).toMatchObject({ code: 3, message: expect.stringMatching(/extra fields: 'salary'/) as string });
    writer.close();
  });

  it('with a field of a type that does not fit is refused, naming both types', async () => {
    const writer = await jsonWriter(kit, 'people', { schema: columns('id STRING', 'name FLOAT') });
    const failure = await failureOf(writer.append([{ id: 'a', name: 1.5 }]));
    expect(failure.message).toMatch(/mismatched with BigQuery field at people\.name.*double.*STRING/i);
    writer.close();
  });

  it('with rows that lack a required field names each of them, and writes none', async () => {
    const writer = await jsonWriter(kit, 'people', { schema: columns('id STRING', 'name STRING') });
    const answer = await writer.append([{ name: 'Ada' }, { id: 'b' }, { name: 'Cy' }]);
    expect(answer.rowErrors?.map(({ index }) => Number(index))).toEqual([0, 2]);
    expect(answer.rowErrors?.[0]?.message).toMatch(/id.*required/);
    expect(await count()).toBe(0);
    expect((await writer.append([{ id: 'b' }])).error).toBeFalsy();
    expect(await count()).toBe(1);
    writer.close();
  });

  it('with an offset to the default stream is refused', async () => {
    const writer = await jsonWriter(kit, 'people');
    expect(await failureOf(writer.append([{ id: 'a' }], 0))).toMatchObject({ code: 3 });
    writer.close();
  });

  it.each([
    ['a table that is gone', async () => void (await kit.rest.dataset('sales').table('people').delete()), 5],
    ['a table where writing is denied', async () => kit.simulator.faults.set({ denied: ['sales.people'] }), 7],
    ['a project whose quota is used up', async () => kit.simulator.faults.set({ isQuotaExceeded: true }), 8],
    ['a new table the backend does not know yet', async () => kit.simulator.faults.set({ newTableDelayMs: 1_000 }), 5],
  ])('to %s ends with its status', async (_, happen, code) => {
    const writer = await jsonWriter(kit, 'people');
    await happen();
    expect(await failureOf(writer.append([{ id: 'a' }]))).toMatchObject({ code });
    writer.close();
  });

  it('learns of an added column once, when the backend has', async () => {
    kit.simulator.faults.set({ schemaDelayMs: 60_000 });
    kit.simulator.advance(120_000);
    const writer = await jsonWriter(kit, 'people');
    await writer.append([{ id: 'a' }]);
    await kit.ask('ALTER TABLE sales.people ADD COLUMN salary INT64');
    expect((await writer.append([{ id: 'b' }])).updatedSchema).toBeFalsy();
    const early = await jsonWriter(kit, 'people');
    expect((await failureOf(early.append([{ id: 'c', salary: 1 }]))).message).toMatch(/extra fields: 'salary'/);
    kit.simulator.advance(60_000);
    const late = await jsonWriter(kit, 'people');
    expect((await late.append([{ id: 'd', salary: 1 }])).error).toBeFalsy();
    expect(await count()).toBe(3);
    for (const each of [writer, early, late]) each.close();
  });
});

describe('a fault told to an append', () => {
  it.each([
    ['is not written', false, 0],
    ['is written all the same', true, 1],
  ])('of which the answer is lost %s', async (_, isWritten, rows) => {
    const writer = await jsonWriter(kit, 'people');
    kit.simulator.faults.onAppend({ kind: 'reset', isWritten });
    expect(await failureOf(writer.append([{ id: 'a' }]))).toMatchObject({ code: 14 });
    expect(await count()).toBe(rows);
    writer.close();
  });

  it('strikes only the table it names', async () => {
    await kit.makeTable('others', { schema: columns('id STRING') });
    kit.simulator.faults.onAppend({ kind: 'error', table: 'sales.others' });
    const [people, others] = [await jsonWriter(kit, 'people'), await jsonWriter(kit, 'others')];
    expect((await people.append([{ id: 'a' }])).error).toBeFalsy();
    expect(await failureOf(others.append([{ id: 'a' }]))).toMatchObject({ code: 13 });
    people.close();
    others.close();
  });
});
