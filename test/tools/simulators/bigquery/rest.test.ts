/** What REST and DDL answer: rows by insertAll, results in pages, tables as they are, and the service's words for faults. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { columns, jsonWriter, PROJECT, startKit, type Kit } from './kit.ts';

type Json = Record<string, unknown>;

let kit: Kit;
beforeEach(async () => {
  kit = await startKit();
  await kit.makeTable('people', { schema: columns('id STRING REQUIRED', 'name STRING', 'seen TIMESTAMP') });
});
afterEach(() => kit.stop());

async function send(method: string, path: string, body?: Json): Promise<{ status: number; json: Json }> {
  const response = await fetch(`${kit.simulator.restUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? {} : (JSON.parse(text) as Json) };
}
const base = `/bigquery/v2/projects/${PROJECT}`;
const insert = (rows: readonly Json[], more: Json = {}) =>
  send('POST', `${base}/datasets/sales/tables/people/insertAll`, { rows, ...more });
const ids = async () => (await kit.ask('SELECT id FROM sales.people ORDER BY id')).map(({ id }) => id);

describe('insertAll', () => {
  it('keeps one of two rows with the same insert id within a minute, and both after it', async () => {
    const row = { insertId: 'i1', json: { id: 'a' } };
    await insert([row, row]);
    await insert([row]);
    expect(await ids()).toEqual(['a']);
    kit.simulator.advance(61_000);
    await insert([row]);
    expect(await ids()).toEqual(['a', 'a']);
  });

  it('takes the repetition of a row of which the request failed', async () => {
    const rows = [{ insertId: 'i1', json: { id: 'a' } }];
    kit.simulator.faults.onRest({ status: 503, path: 'insertAll' });
    expect((await insert(rows)).status).toBe(503);
    await insert([...rows, { insertId: 'i2', json: { nobody: 1 } }]);
    expect(await ids()).toEqual([]);
    await insert(rows);
    expect(await ids()).toEqual(['a']);
  });

  it('does not double a row that was kept though the answer failed, as long as it has an insert id', async () => {
    kit.simulator.faults.onRest({ status: 503, path: 'insertAll', isDone: true });
    const rows = [{ insertId: 'i1', json: { id: 'a' } }];
    expect((await insert(rows)).status).toBe(503);
    await insert(rows);
    expect(await ids()).toEqual(['a']);
  });

  const mixed = [{ json: { id: 'a' } }, { json: { name: 'no id' } }, { json: { id: 'c', nobody: 1 } }];

  it('stops the good rows of a request with bad ones, and says of each why', async () => {
    const { status, json } = await insert(mixed);
    expect(status).toBe(200);
    const errors = json['insertErrors'] as { index: number; errors: { reason: string; message: string }[] }[];
    expect(errors.map(({ index, errors: [first] }) => [index, first?.reason])).toEqual([
      [0, 'stopped'],
      [1, 'invalid'],
      [2, 'invalid'],
    ]);
    expect(errors[1]?.errors[0]?.message).toMatch(/Missing required field: id/);
    expect(errors[2]?.errors[0]?.message).toMatch(/no such field: nobody/);
    expect(await ids()).toEqual([]);
  });

  it('with skipInvalidRows keeps the good ones; with ignoreUnknownValues an unknown field is no fault', async () => {
    await insert(mixed, { skipInvalidRows: true });
    expect(await ids()).toEqual(['a']);
    await insert([mixed[2]!], { ignoreUnknownValues: true });
    expect(await ids()).toEqual(['a', 'c']);
  });

  it.each([
    ['no rows', [], /No rows/],
    ['more than 50,000 rows', Array.from({ length: 50_001 }, () => ({ json: { id: 'a' } })), /too many rows/],
  ])('refuses %s', async (_, rows, message) => {
    const { status, json } = await insert(rows);
    expect(status).toBe(400);
    expect((json['error'] as { message: string }).message).toMatch(message);
  });

  it('refuses more than 10 MB', async () => {
    const { status } = await insert([{ json: { id: 'a', name: 'x'.repeat(10_500_000) } }]);
    expect(status).toBe(413);
  });

  it.each([
    ['denied', { denied: ['sales'] }, 403, 'accessDenied'],
    ['over its quota', { isQuotaExceeded: true }, 403, 'quotaExceeded'],
  ])('is refused where writing is %s', async (_, switches, status, reason) => {
    kit.simulator.faults.set(switches);
    const answer = await insert([{ json: { id: 'a' } }]);
    expect(answer.status).toBe(status);
    expect((answer.json['error'] as { errors: { reason: string }[] }).errors[0]?.reason).toBe(reason);
  });
});

describe('a query', () => {
  const query = (sql: string, more: Json = {}) =>
    send('POST', `${base}/queries`, { query: sql, useLegacySql: false, ...more });

  it.each([
    ['SELECT x FROM sales.people', 'Unrecognized name: x at [1:8]'],
    ['SELECT extra, x FROM (SELECT id AS extra FROM sales.people)', 'Unrecognized name: x at [1:15]'],
    ['SELECT p.x FROM sales.people AS p', /x.*\[1:/],
    ['SELECT id\nFROM sales.people\nWHERE nobody = 1', 'Unrecognized name: nobody at [3:7]'],
    ['SELECT nothing_like_it(id) FROM sales.people', /Function not found: nothing_like_it/],
    ['SELEC id', /Syntax error/],
    ['SELECT id FROM people', /must be qualified with a dataset/],
    ['SELECT id FROM sales.nobody', /Not found: Table acme-analytics:sales\.nobody/],
  ])('%s is refused in words of the service, not of its database', async (sql, message) => {
    const { status, json } = await query(sql);
    expect(status).toBeGreaterThanOrEqual(400);
    const said = (json['error'] as { message: string }).message;
    if (typeof message === 'string') expect(said).toBe(message);
    else expect(said).toMatch(message);
    expect(said).not.toMatch(/Binder|Catalog Error|Parser Error|Candidate|DuckDB|LINE 1/i);
  });

  it('gives every row once, page after page, from the answer as it was when asked', async () => {
    await insert(Array.from({ length: 25 }, (_, at) => ({ json: { id: `r${String(at).padStart(2, '0')}` } })));
    let { json } = await query('SELECT id FROM sales.people ORDER BY id', { maxResults: 10 });
    const job = (json['jobReference'] as { jobId: string }).jobId;
    expect(json['totalRows']).toBe('25');
    const sizes: number[] = [];
    const seen: unknown[] = [];
    for (;;) {
      const rows = json['rows'] as { f: { v: unknown }[] }[];
      sizes.push(rows.length);
      seen.push(...rows.map(({ f }) => f[0]?.v));
      await insert([{ json: { id: 'late' } }]);
      if (json['pageToken'] === undefined) break;
      ({ json } = await send('GET', `${base}/queries/${job}?maxResults=10&pageToken=${json['pageToken'] as string}`));
    }
    expect(sizes).toEqual([10, 10, 5]);
    expect(new Set(seen).size).toBe(25);
  });

  it('shows instants as floating seconds, or exactly in microseconds where that is asked for', async () => {
    await insert([{ json: { id: 'a', seen: '2026-01-05T09:00:00.123457Z' } }]);
    const seen = async (more: Json) =>
      ((await query('SELECT seen FROM sales.people', more)).json['rows'] as { f: { v: unknown }[] }[])[0]?.f[0]?.v;
    expect(Number(await seen({}))).toBeCloseTo(1_767_603_600.123457, 5);
    expect(await seen({ formatOptions: { useInt64Timestamp: true } })).toBe('1767603600123457');
  });
});

describe('tables', () => {
  const described = async (name: string) => (await send('GET', `${base}/datasets/sales/tables/${name}`)).json;
  const MADE = `CREATE TABLE sales.deals (
    id STRING NOT NULL OPTIONS (description = 'The key'), amount INT64, day DATE,
    PRIMARY KEY (id) NOT ENFORCED
  ) PARTITION BY day CLUSTER BY id OPTIONS (description = 'Deals', max_staleness = INTERVAL 15 MINUTE)`;

  it('are answered as DDL made them', async () => {
    await kit.ask(MADE);
    expect(await described('deals')).toMatchObject({
      type: 'TABLE',
      description: 'Deals',
      maxStaleness: '0-0 0 0:15:0',
      timePartitioning: { type: 'DAY', field: 'day' },
      clustering: { fields: ['id'] },
      tableConstraints: { primaryKey: { columns: ['id'] } },
      schema: {
        fields: [
          { name: 'id', type: 'STRING', mode: 'REQUIRED', description: 'The key' },
          { name: 'amount', type: 'INTEGER', mode: 'NULLABLE' },
          { name: 'day', type: 'DATE', mode: 'NULLABLE' },
        ],
      },
    });
  });

  it('take a column more, a wider type and NULL where it was refused, and keep their rows', async () => {
    await kit.ask(MADE);
    await send('POST', `${base}/datasets/sales/tables/deals/insertAll`, { rows: [{ json: { id: 'a', amount: 5 } }] });
    await kit.ask('ALTER TABLE sales.deals ADD COLUMN note STRING');
    await kit.ask('ALTER TABLE sales.deals ALTER COLUMN amount SET DATA TYPE NUMERIC');
    await kit.ask('ALTER TABLE sales.deals ALTER COLUMN id DROP NOT NULL');
    const { schema } = (await described('deals')) as { schema: { fields: Json[] } };
    expect(schema.fields.map(({ name, type, mode }) => `${String(name)} ${String(type)} ${String(mode)}`)).toEqual([
      'id STRING NULLABLE',
      'amount NUMERIC NULLABLE',
      'day DATE NULLABLE',
      'note STRING NULLABLE',
    ]);
    const [row] = await kit.ask('SELECT id, CAST(amount AS INT64) AS amount, note FROM sales.deals');
    expect(row).toEqual({ id: 'a', amount: 5, note: null });
  });

  it.each([
    ['ALTER TABLE sales.people ALTER COLUMN name SET DATA TYPE INT64', /assignable/],
    ['ALTER TABLE sales.people ADD COLUMN name STRING', /already exists/],
    ['ALTER TABLE sales.people ADD COLUMN fresh STRING NOT NULL', /required/],
    ['ALTER TABLE sales.nobody ADD COLUMN a STRING', /Not found: Table/],
    ['CREATE TABLE sales.people (id STRING)', /Already Exists/],
    ['CREATE TABLE nowhere.people (id STRING)', /Not found: Dataset/],
    ['CREATE TABLE sales.t (id STRING, PRIMARY KEY (other) NOT ENFORCED)', /does not exist in the schema/],
    ['CREATE TABLE sales.t (id STRING, PRIMARY KEY (id))', /NOT ENFORCED/],
    ['CREATE TABLE sales.t (id STRING) PARTITION BY id', /can only be of type TIMESTAMP, DATE or DATETIME/],
    ['CREATE TABLE sales.t (id STRING, doc JSON) CLUSTER BY doc', /not supported on column doc/],
    ['CREATE VIEW sales.v AS SELECT nobody FROM sales.people', /Unrecognized name: nobody/],
    ['DROP VIEW sales.people', /it is a TABLE/],
    ['DROP SCHEMA sales', /still in use/],
  ])('%s is refused, and nothing is changed', async (sql, message) => {
    const before = await described('people');
    await expect(kit.ask(sql)).rejects.toThrow(message);
    expect(await described('people')).toEqual(before);
    expect((await send('GET', `${base}/datasets/sales/tables/t`)).status).toBe(404);
  });
});

describe('the simulator as a whole', () => {
  it('is ordered about over HTTP: faults, switches, clock', async () => {
    await send('POST', '/__control/faults/rest', { status: 500, reason: 'backendError', path: 'insertAll' });
    expect((await insert([{ json: { id: 'a' } }])).status).toBe(500);
    expect((await insert([{ json: { id: 'a' } }])).status).toBe(200);
    await send('POST', '/__control/switches', { denied: ['*'] });
    expect((await insert([{ json: { id: 'b' } }])).status).toBe(403);
    await send('POST', '/__control/clear');
    const { json: before } = await send('GET', '/__control/state');
    await send('POST', '/__control/clock', { advanceMs: 5_000 });
    const { json: after } = await send('GET', '/__control/state');
    expect(Number(after['nowMs']) - Number(before['nowMs'])).toBe(5_000);
    expect(after['switches']).toMatchObject({ denied: [] });
    expect((await send('POST', '/__control/faults/append', { kind: 'nonsense' })).status).toBe(400);
  });

  it('finds its tables, rows and waiting changes again on the same file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-simulator-'));
    const file = join(folder, 'bigquery.duckdb');
    const change = (kind: string, sequence: string, row: Json) => {
      return { ...row, _CHANGE_TYPE: kind, _CHANGE_SEQUENCE_NUMBER: sequence };
    };
    const first = await startKit({ file });
    await first.rest.createDataset('sales');
    await first.makeTable('keyed', {
      schema: columns('id STRING REQUIRED', 'name STRING'),
      tableConstraints: { primaryKey: { columns: ['id'] } },
    });
    const writer = await jsonWriter(first, 'keyed', { changes: true });
    await writer.append([change('UPSERT', '2', { id: 'a', name: 'two' }), change('DELETE', '5', { id: 'b' })]);
    writer.close();
    await first.stop();
    const second = await startKit({ file });
    const again = await jsonWriter(second, 'keyed', { changes: true });
    await again.append([
      change('UPSERT', '1', { id: 'a', name: 'one' }),
      change('UPSERT', '4', { id: 'b', name: 'gone' }),
      change('UPSERT', '1', { id: 'c', name: 'new' }),
    ]);
    const rows = await second.ask('SELECT id, name FROM sales.keyed ORDER BY id');
    again.close();
    await second.stop();
    rmSync(folder, { recursive: true });
    expect(rows).toEqual([
      { id: 'a', name: 'two' },
      { id: 'c', name: 'new' },
    ]);
  });
});
