/** `query` and `queryAll`: replies of up to 2,000 records, the rest by a locator that stays good while the cursor lives. */
import type { Express, Request, Response } from 'express';
import type { Field, Table } from '../../world/index.ts';
import { sendJson, versionOf } from '../http.ts';
import type { Org } from '../org.ts';
import { malformedQuery, Refusal } from '../refusal.ts';
import { jsonRecord } from '../render.ts';
import { check } from '../soql/check.ts';
import { parseQuery } from '../soql/parser.ts';
import { run } from '../soql/run.ts';

/** A query that has been run: which records, as of when. */
interface OpenCursor {
  readonly id: string;
  readonly table: Table;
  readonly fields: readonly Field[];
  readonly found: Uint32Array;
  readonly commitNumber: number;
  readonly batchSize: number;
  readonly resource: string;
  readonly release: () => void;
}

const MOST_OPEN = 1_000;
const LARGEST_BATCH = 2_000;
const SMALLEST_BATCH = 200;

class Cursors {
  readonly #open = new Map<string, OpenCursor>();
  #made = 0;

  newId(): string {
    this.#made += 1;
    return `01gDn0000${String(this.#made).padStart(6, '0')}AAA`;
  }

  get(id: string): OpenCursor | undefined {
    return this.#open.get(id);
  }

  keep(cursor: OpenCursor): void {
    this.#open.set(cursor.id, cursor);
    if (this.#open.size <= MOST_OPEN) return;
    const oldest = this.#open.values().next().value!;
    oldest.release();
    this.#open.delete(oldest.id);
  }
}

export function mountQuery(app: Express, org: Org): void {
  const cursors = new Cursors();
  for (const resource of ['query', 'queryAll']) {
    const path = `/services/data/:version/${resource}`;
    app.get(path, (req, res, next) => void begin(org, cursors, resource, req, res).catch(next));
    app.get(`${path}/:locator`, (req, res) => more(cursors, req, res));
  }
}

async function begin(org: Org, cursors: Cursors, resource: string, req: Request, res: Response): Promise<void> {
  const version = versionOf(req);
  if (typeof req.query.q !== 'string' || req.query.q === '') throw malformedQuery('A query string has to be specified');
  const { query, table, fields } = check(org.world, parseQuery(req.query.q));
  const commitNumber = org.world.readable();
  const release = org.world.pin(commitNumber);
  const found = await run({ query, table, fields }, { commitNumber, includeDeleted: resource === 'queryAll' });
  const batchSize = wantedBatch(req, org.options.batchSize);
  const cursor = { id: cursors.newId(), table, fields, found, commitNumber, batchSize, resource, release };
  if (!query.isCount && found.length > batchSize) cursors.keep(cursor);
  else release();
  if (query.isCount) sendJson(res, JSON.stringify({ totalSize: found.length, done: true, records: [] }));
  else sendJson(res, page(cursor, 0, version));
}

function more(cursors: Cursors, req: Request, res: Response): void {
  const [, id = '', position = ''] = /^(\w{18})-(\d+)$/.exec(String(req.params.locator)) ?? [];
  const cursor = cursors.get(id);
  if (cursor === undefined || Number(position) >= cursor.found.length)
    throw new Refusal(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
  sendJson(res, page(cursor, Number(position), versionOf(req)));
}

function page(cursor: OpenCursor, from: number, version: string): string {
  const { table, fields, found, commitNumber, batchSize } = cursor;
  const render = jsonRecord(table, fields, version);
  const place = table.cursor();
  const to = Math.min(found.length, from + batchSize);
  const records: string[] = [];
  for (let i = from; i < to; i++) if (place.move(found[i]!, commitNumber)) records.push(render(place));
  const done = to >= found.length;
  const next = done ? '' : `,"nextRecordsUrl":"/services/data/${version}/${cursor.resource}/${cursor.id}-${to}"`;
  return `{"totalSize":${found.length},"done":${done}${next},"records":[${records.join(',')}]}`;
}

/** `Sforce-Query-Options: batchSize=N` is a wish; the service keeps it within 200 to 2,000. */
function wantedBatch(req: Request, usual: number): number {
  const wish = /batchSize=(\d+)/i.exec(req.get('Sforce-Query-Options') ?? '')?.[1];
  return wish === undefined ? usual : Math.min(LARGEST_BATCH, Math.max(SMALLEST_BATCH, Number(wish)));
}
