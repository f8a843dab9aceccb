import { parse } from 'csv-parse/sync';
import { gunzipSync } from 'node:zlib';
import { get } from 'node:http';
import { describe, expect, it } from 'vitest';
import { OBJECT_NAMES, recordId } from '#tools/simulators/world/index.ts';
import { org, soql, V, type TestOrg } from './kit.ts';

type Job = { readonly id: string; readonly state: string; readonly numberRecordsProcessed: number };
type Rows = readonly (readonly string[])[];

async function complete({ json }: TestOrg, query: string, operation = 'query'): Promise<Job> {
  const created = await json(`${V}/jobs/query`, { method: 'POST', body: JSON.stringify({ operation, query }) });
  let job = created.body as Job;
  while (job.state !== 'JobComplete') job = (await json(`${V}/jobs/query/${job.id}`)).body;
  return job;
}

async function page(
  { send }: TestOrg,
  path: string,
): Promise<{ readonly rows: Rows; readonly locator: string; readonly count: number }> {
  const response = await send(path);
  expect(response.status).toBe(200);
  const rows = parse(await response.text(), { from_line: 1 }) as unknown as Rows;
  return {
    rows,
    locator: response.headers.get('sforce-locator')!,
    count: Number(response.headers.get('sforce-numberofrecords')),
  };
}

describe('Bulk API 2.0 query jobs', () => {
  it('give their rows page by page, each with the header, until the locator is the word null', async () => {
    const served = await org();
    const job = await complete(served, 'SELECT Id, Title FROM Contact');
    const ids: string[] = [];
    let locator = '';
    for (; locator !== 'null';) {
      const more = locator === '' ? '' : `&locator=${locator}`;
      const found = await page(served, `${V}/jobs/query/${job.id}/results?maxRecords=1700${more}`);
      expect(found.rows[0]).toEqual(['Id', 'Title']);
      expect(found.count).toBe(found.rows.length - 1);
      ids.push(...found.rows.slice(1).map(([id]) => id!));
      locator = found.locator;
    }
    expect(ids.length).toBe(job.numberRecordsProcessed);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(['resultPages', 'resultChunks'] as const)(
    'list their pages as %s, five at a time, which together are the whole',
    async (shape) => {
      const served = await org({ resultPages: shape, resultRows: 700 });
      const job = await complete(served, 'SELECT Id FROM Contact');
      const seen: string[] = [];
      for (let next: string | null = `${V}/jobs/query/${job.id}/resultPages`; next !== null;) {
        const list: Record<string, { resultUrl?: string; resultLink?: string }[]> & { nextRecordsUrl: string | null } =
          (await served.json(next)).body;
        expect(list[shape]!.length).toBeLessThanOrEqual(5);
        for (const { resultUrl, resultLink } of list[shape]!) {
          const found = await page(served, resultUrl ?? V + resultLink!);
          seen.push(...found.rows.slice(1).map(([id]) => id!));
        }
        next = list.nextRecordsUrl;
      }
      expect(seen.length).toBe(job.numberRecordsProcessed);
      expect(seen).toEqual(seen.toSorted((a, b) => (a < b ? -1 : 1)));
    },
  );

  it('answer as of their creation, whatever changes while they are fetched', async () => {
    const served = await org({}, { contacts: 100 });
    const { id } = (await served.json(`${V}/jobs/query`, { method: 'POST', body: JSON.stringify({ operation: 'query', query: 'SELECT Id, Title FROM Contact' }) })).body as Job; // prettier-ignore
    const contact = recordId('Contact', 1);
    served.world.commit({ changes: [{ kind: 'update', object: 'Contact', id: contact, values: { Title: 'Later' } }] });
    await served.json(`${V}/jobs/query/${id}`);
    await served.json(`${V}/jobs/query/${id}`);
    const { rows } = await page(served, `${V}/jobs/query/${id}/results`);
    expect(rows.find(([row]) => row === contact)?.[1]).toBe('Line one\nLine two');
  });

  it('are zipped for whoever takes that', async () => {
    const served = await org({}, { contacts: 500 });
    const job = await complete(served, 'SELECT Id FROM Contact');
    const headers = { authorization: `Bearer ${served.token}`, 'accept-encoding': 'gzip' };
    const zipped = await new Promise<Buffer>((resolve, reject) => {
      get(`${served.url}${V}/jobs/query/${job.id}/results`, { headers }, (response) => {
        expect(response.headers['content-encoding']).toBe('gzip');
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece)).once('end', () => resolve(Buffer.concat(pieces)));
      }).once('error', reject);
    });
    expect(gunzipSync(zipped).toString().split('\n').length).toBe(job.numberRecordsProcessed + 2);
  });

  it('can be aborted, and are gone after they were deleted', async () => {
    const served = await org({ jobPolls: 50 }, { contacts: 100 });
    const { id } = (await served.json(`${V}/jobs/query`, { method: 'POST', body: JSON.stringify({ operation: 'query', query: 'SELECT Id FROM Contact' }) })).body as Job; // prettier-ignore
    const path = `${V}/jobs/query/${id}`;
    expect((await served.send(path, { method: 'DELETE' })).status).toBe(400);
    expect((await served.json(path, { method: 'PATCH', body: '{"state":"Aborted"}' })).body).toMatchObject({
      state: 'Aborted',
    });
    expect((await served.send(path, { method: 'DELETE' })).status).toBe(204);
    expect((await served.send(path)).status).toBe(404);
  });

  it.each(OBJECT_NAMES)('and REST agree on every value of every %s, awkward ones too', async (object) => {
    const served = await org({}, { contacts: 1_200, contactCustomFields: 8 });
    const fields = served.world.tables[object].fields.filter(({ type }) => type !== 'address');
    const query = `SELECT ${fields.map(({ name }) => name).join(', ')} FROM ${object}`;
    const job = await complete(served, query, 'queryAll');
    const { rows } = await page(served, `${V}/jobs/query/${job.id}/results`);
    const records: Record<string, unknown>[] = [];
    for (let next: string | null = soql(query, 'queryAll'); next !== null;) {
      const reply: { records: Record<string, unknown>[]; nextRecordsUrl?: string } = (await served.json(next)).body;
      records.push(...reply.records);
      next = reply.nextRecordsUrl ?? null;
    }
    const asRow = (record: Record<string, unknown>) => fields.map(({ name, type }) => plain(record[name], type));
    const asCells = (row: readonly string[]) => row.map((cell, i) => plain(cell, fields[i]!.type));
    expect(rows.slice(1).map(asCells)).toEqual(records.map(asRow));
    const ids = records.map(({ Id }) => String(Id)).slice(0, 2_000);
    const retrieved = await served.json(`${V}/composite/sobjects/${object}`, { method: 'POST', body: JSON.stringify({ ids, fields: fields.map(({ name }) => name) }) }); // prettier-ignore
    const live = records.filter(({ IsDeleted }) => IsDeleted !== true).map(asRow);
    expect((retrieved.body as (Record<string, unknown> | null)[]).flatMap((record) => (record === null ? [] : [asRow(record)]))).toEqual(live.slice(0, 2_000)); // prettier-ignore
  });
});

/** One form for both: CSV has only text, and no null. */
function plain(value: unknown, type: string): unknown {
  if (value === null || value === '') return null;
  if (type === 'datetime') return new Date(value as string).toISOString();
  if (['int', 'double', 'currency', 'percent'].includes(type)) return Number(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
