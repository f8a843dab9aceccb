/** What a client could change through REST: single records work, as on the real service, and the traffic tells of all. */
import type { Express, Request } from 'express';
import type { Change, Commit, ObjectName, Patch } from '../../world/index.ts';
import { jsonBody, versionOf } from '../http.ts';
import type { Org } from '../org.ts';
import { notFound, Refusal } from '../refusal.ts';
import { tableNamed } from './records.ts';

const ORIGIN = 'com/salesforce/api/rest/62.0;client=unknown';
const RECORD = '/services/data/:version/sobjects/:object/:id';
const MANY = ['composite/sobjects', 'composite/tree/:object', 'jobs/ingest', 'jobs/ingest/:id'];

export function mountWrites(app: Express, org: Org): void {
  const update = (req: Request): void => {
    const values = jsonBody(req) as Patch;
    commit(org, { kind: 'update', object: objectOf(org, req), id: String(req.params.id), values });
  };
  app.post('/services/data/:version/sobjects/:object', (req, res) => {
    const made = commit(org, { kind: 'create', object: objectOf(org, req), values: jsonBody(req) as Patch });
    res.status(201).json({ id: made.changes[0]!.id, success: true, errors: [] });
  });
  app.patch(RECORD, (req, res) => {
    update(req);
    res.status(204).end();
  });
  // A POST that says it is a PATCH is one. (REST API Guide, overriding the HTTP method.)
  app.post(RECORD, (req, res) => {
    if (req.query._HttpMethod !== 'PATCH') throw new Refusal(405, 'METHOD_NOT_ALLOWED', "HTTP Method 'POST' not allowed. Allowed are HEAD,GET,PATCH,DELETE"); // prettier-ignore
    update(req);
    res.status(204).end();
  });
  app.delete(RECORD, (req, res) => {
    commit(org, { kind: 'delete', object: objectOf(org, req), id: String(req.params.id) });
    res.status(204).end();
  });
  for (const path of MANY)
    app.all(`/services/data/:version/${path}`, () => {
      throw new Refusal(403, 'INSUFFICIENT_ACCESS', 'The simulator notes this request and does not carry it out.');
    });
}

function objectOf(org: Org, req: Request): ObjectName {
  versionOf(req);
  return tableNamed(org, req).object;
}

function commit(org: Org, change: Change): Commit {
  if (change.kind !== 'create') {
    const cursor = org.world.find(change.id);
    if (cursor === null) throw notFound();
    if (cursor.isDeleted) throw new Refusal(404, 'ENTITY_IS_DELETED', 'entity is deleted');
  }
  try {
    return org.world.commit({ changes: [change], origin: ORIGIN });
  } catch (error) {
    throw new Refusal(400, 'INVALID_FIELD', error instanceof Error ? error.message : String(error));
  }
}
