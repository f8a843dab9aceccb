import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { columns, jsonWriter, startKit, type JsonWriter, type Kit } from './kit.ts';

let kit: Kit;
let writer: JsonWriter;
beforeEach(async () => {
  kit = await startKit();
  await kit.makeTable('people', PEOPLE);
  writer = await jsonWriter(kit, 'people', { changes: true });
});
afterEach(async () => {
  writer.close();
  await kit.stop();
});

const PEOPLE = {
  schema: columns('id STRING REQUIRED', 'name STRING', 'salary INTEGER'),
  tableConstraints: { primaryKey: { columns: ['id'] } },
};
const DAY_MS = 24 * 3_600_000;

/** `UPSERT 1/a name` of the row `a`. */
const change = (text: string) => {
  const [kind, sequence, name] = text.split(' ');
  return { id: 'a', ...(name === undefined ? {} : { name }), _CHANGE_TYPE: kind, _CHANGE_SEQUENCE_NUMBER: sequence };
};
const append = async (...texts: readonly string[]) => {
  const answer = await writer.append(texts.map(change));
  expect(answer.error, JSON.stringify(answer)).toBeFalsy();
};
const names = async () => (await kit.ask('SELECT name FROM sales.people')).map(({ name }) => name);

describe('changes by key', () => {
  it('an UPSERT replaces the whole row, and what it does not name is NULL', async () => {
    await writer.append([{ ...change('UPSERT 1 Ada'), salary: 5 }]);
    await writer.append([{ id: 'a', salary: 6, _CHANGE_TYPE: 'UPSERT', _CHANGE_SEQUENCE_NUMBER: '2' }]);
    expect(await kit.ask('SELECT * FROM sales.people')).toEqual([{ id: 'a', name: null, salary: 6 }]);
  });

  it.each([
    ['the greater sequence wins', ['UPSERT 1 old', 'UPSERT 2 new'], ['new']],
    ['an older change that comes later changes nothing', ['UPSERT 2 new', 'UPSERT 1 old'], ['new']],
    ['of two that are equal the later arrival wins', ['UPSERT 5 first', 'UPSERT 5 second'], ['second']],
    ['sections are numbers, not text', ['UPSERT A one', 'UPSERT 9 two'], ['one']],
    ['case does not matter', ['UPSERT ff one', 'UPSERT FE two'], ['one']],
    ['the first section decides before the second', ['UPSERT 2/0 one', 'UPSERT 1/FFFFFFFFFFFFFFFF two'], ['one']],
    ['a section of sixteen digits is above all of fifteen', ['UPSERT 8000000000000000 x', 'UPSERT FFFFFFFFFFFFFFF y'], ['x']], // prettier-ignore
    ['the fourth section decides last', ['UPSERT 1/1/1/2 one', 'UPSERT 1/1/1/1 two'], ['one']],
    ['a DELETE removes the row', ['UPSERT 1 x', 'DELETE 2'], []],
    ['an older DELETE removes nothing', ['UPSERT 2 x', 'DELETE 1'], ['x']],
    ['an older UPSERT after a DELETE does not bring the row back', ['DELETE 2', 'UPSERT 1 x'], []],
    ['a newer UPSERT after a DELETE makes the row anew', ['DELETE 2', 'UPSERT 3 x'], ['x']],
  ])('%s, in one append and in two, with and without a query between', async (_, texts, expected) => {
    await append(...texts);
    expect(await names()).toEqual(expected);
    const [one, two] = texts as [string, string];
    const other = (text: string) => ({ ...change(text), id: 'b' });
    await writer.append([other(one)]);
    await kit.ask('SELECT count(*) FROM sales.people');
    await writer.append([other(two)]);
    const rows = await kit.ask("SELECT name FROM sales.people WHERE id = 'b'");
    expect(rows.map(({ name }) => name)).toEqual(expected);
  });

  it('forgets a DELETE after two days: an older UPSERT then comes back, which is why we keep tombstones as rows', async () => {
    await append('UPSERT 1 x', 'DELETE 3');
    expect(await names()).toEqual([]);
    kit.simulator.advance(2 * DAY_MS - 1_000);
    await append('UPSERT 2 old');
    expect(await names()).toEqual([]);
    kit.simulator.advance(2_000);
    await append('UPSERT 2 old');
    expect(await names()).toEqual(['old']);
  });

  it('ends in the same rows whatever the order and the batches, where sequences differ', async () => {
    const changes = Array.from({ length: 60 }, (_, at) => ({
      id: `r${at % 7}`,
      ...(at % 5 === 0 ? {} : { name: `n${at}` }),
      _CHANGE_TYPE: at % 5 === 0 ? 'DELETE' : 'UPSERT',
      _CHANGE_SEQUENCE_NUMBER: `0/${at.toString(16)}`,
    }));
    const answers: unknown[] = [];
    for (const step of [1, 23, 37]) {
      await kit.makeTable(`people_${step}`, PEOPLE);
      const own = await jsonWriter(kit, `people_${step}`, { changes: true });
      const mixed = changes.map((_, at) => changes[(at * step) % 60]!);
      for (let at = 0; at < 60; at += step) await own.append(mixed.slice(at, at + step));
      answers.push(await kit.ask(`SELECT id, name FROM sales.people_${step} ORDER BY id`));
      own.close();
    }
    expect(answers[0]).not.toEqual([]);
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
  });

  it.each([
    [{ _CHANGE_TYPE: 'INSERT' }, /Only UPSERT and DELETE/],
    [{ _CHANGE_TYPE: 'upsert' }, /Only UPSERT and DELETE/],
    [{ _CHANGE_SEQUENCE_NUMBER: '1/2/3/4/5' }, /1 to 4 sections/],
    [{ _CHANGE_SEQUENCE_NUMBER: '12345678901234567' }, /1 to 16 hexadecimal digits/],
    [{ _CHANGE_SEQUENCE_NUMBER: '-1' }, /hexadecimal/],
    [{ _CHANGE_SEQUENCE_NUMBER: '1//2' }, /hexadecimal/],
  ])('refuses %j with the index of its row, and writes none of the append', async (wrong, message) => {
    const answer = await writer.append([change('UPSERT 1 good'), { ...change('UPSERT 2 bad'), ...wrong }]);
    expect(answer.rowErrors).toHaveLength(1);
    expect(Number(answer.rowErrors?.[0]?.index)).toBe(1);
    expect(answer.rowErrors?.[0]?.message).toMatch(message);
    expect(await names()).toEqual([]);
  });

  it('refuses changes to a table without a primary key', async () => {
    await kit.makeTable('keyless', { schema: PEOPLE.schema });
    const own = await jsonWriter(kit, 'keyless', { changes: true });
    const answer = await own.append([change('UPSERT 1 x')]);
    expect(answer.error?.message).toMatch(/extra fields: '_change_sequence_number, _change_type'/);
    own.close();
  });

  it('shows changes only after the staleness of the table, and then all of them', async () => {
    await kit.ask('ALTER TABLE sales.people SET OPTIONS (max_staleness = INTERVAL 10 MINUTE)');
    kit.simulator.advance(1_000);
    await append('UPSERT 1 x');
    expect(await names()).toEqual([]);
    kit.simulator.advance(10 * 60_000);
    expect(await names()).toEqual(['x']);
  });
});
