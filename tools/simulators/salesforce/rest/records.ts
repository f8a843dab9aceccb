/** Single records, and the retrieve of many by id that is a POST and still only reads. */
import type { Express, Request, Response } from 'express';
import { OBJECT_NAMES, parseId, type Table } from '../../world/index.ts';
import { jsonBody, sendJson, versionOf } from '../http.ts';
import type { Org } from '../org.ts';
import { notFound, Refusal } from '../refusal.ts';
import { jsonRecord } from '../render.ts';
import { fieldNamed } from '../soql/check.ts';

/** Of one retrieve. (REST API Guide, sObject Collections.) */
const MOST_IDS = 2_000;

export function mountRecords(app: Express, org: Org): void {
  app.post('/services/data/:version/composite/sobjects/:object', (req, res) => {
    const { ids, fields } = jsonBody(req);
    if (!isTexts(ids) || !isTexts(fields))
      throw new Refusal(400, 'JSON_PARSER_ERROR', 'The body must have the arrays ids and fields.');
    retrieve(org, req, res, ids, fields);
  });
  app.get('/services/data/:version/composite/sobjects/:object', (req, res) => {
    const list = (value: unknown): string[] => (typeof value === 'string' ? value.split(',') : []);
    retrieve(org, req, res, list(req.query.ids), list(req.query.fields));
  });
  app.get('/services/data/:version/sobjects/:object/:id', (req, res) => one(org, req, res));
}

export function tableNamed({ world }: Org, req: Request): Table {
  const object = OBJECT_NAMES.find((name) => name === req.params.object);
  if (object === undefined) throw notFound();
  return world.tables[object];
}

function retrieve(org: Org, req: Request, res: Response, ids: readonly string[], names: readonly string[]): void {
  const version = versionOf(req);
  const table = tableNamed(org, req);
  if (ids.length > MOST_IDS)
    throw new Refusal(400, 'EXCEEDED_ID_LIMIT', `record limit reached. cannot submit more than ${MOST_IDS} records in this call`); // prettier-ignore
  const fields = names.map((name) => fieldNamed(table, name));
  const render = jsonRecord(table, fields, version);
  const cursor = table.cursor();
  const number = org.world.readable();
  const texts = ids.map((id) => {
    const index = indexOf(table, id);
    return index !== undefined && cursor.move(index, number) && !cursor.isDeleted ? render(cursor) : 'null';
  });
  sendJson(res, `[${texts.join(',')}]`);
}

/** An id of another object finds nothing; what is no id at all is refused. */
function indexOf(table: Table, id: string): number | undefined {
  if (!/^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$/.test(id)) throw new Refusal(400, 'MALFORMED_ID', `malformed id ${id}`);
  const parsed = parseId(id);
  return parsed?.object === table.object ? parsed.index : undefined;
}

function one(org: Org, req: Request, res: Response): void {
  const version = versionOf(req);
  const table = tableNamed(org, req);
  const cursor = table.cursor();
  const index = indexOf(table, String(req.params.id));
  if (index === undefined || !cursor.move(index, org.world.readable())) throw notFound();
  if (cursor.isDeleted) throw new Refusal(404, 'ENTITY_IS_DELETED', 'entity is deleted');
  const { fields: wanted } = req.query;
  const names = typeof wanted === 'string' ? wanted.split(',') : table.fields.map(({ name }) => name);
  const fields = names.map((name) => fieldNamed(table, name));
  sendJson(res, jsonRecord(table, fields, version)(cursor));
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === 'string');
}
