/** Query jobs over HTTP: create, ask, fetch results by locator or by listed pages, abort, delete. */
import type { Express, Request, Response } from 'express';
import { jsonBody, versionOf } from '../http.ts';
import type { Org } from '../org.ts';
import { notFound, Refusal } from '../refusal.ts';
import { describeJob, type Job, type Jobs } from './jobs.ts';
import { sendPage, type Page } from './results.ts';

const JOBS = '/services/data/:version/jobs/query';
/** Pages listed in one reply. (Bulk API 2.0, get parallel results.) */
const PAGES_A_REPLY = 5;

export function mountBulk(app: Express, org: Org, jobs: Jobs): void {
  app.post(JOBS, (req, res) => void res.json(describeJob(jobs.create(jsonBody(req), versionOf(req)), false)));
  app.get(JOBS, (req, res) => {
    versionOf(req);
    res.json({ done: true, records: jobs.all.map((job) => describeJob(job, true)), nextRecordsUrl: null });
  });
  app.get(`${JOBS}/:id`, (req, res, next) => {
    versionOf(req);
    jobs.poll(String(req.params.id)).then((job) => res.json(describeJob(job, true)), next);
  });
  app.get(`${JOBS}/:id/results`, (req, res, next) => void results(org, jobs, req, res).catch(next));
  app.get(`${JOBS}/:id/resultPages`, (req, res, next) => void pages(org, jobs, req, res).catch(next));
  app.patch(`${JOBS}/:id`, (req, res) => {
    versionOf(req);
    if (jsonBody(req).state !== 'Aborted') throw new Refusal(400, 'INVALIDJOBSTATE', 'The only state a query job can be set to is Aborted'); // prettier-ignore
    res.json(describeJob(jobs.abort(String(req.params.id)), true));
  });
  app.delete(`${JOBS}/:id`, (req, res) => {
    versionOf(req);
    jobs.delete(String(req.params.id));
    res.status(204).end();
  });
}

function complete(jobs: Jobs, req: Request): Job {
  const version = versionOf(req);
  const job = jobs.get(String(req.params.id));
  if (job.version !== version)
    throw new Refusal(409, 'API_VERSION_MISMATCH', `The job was created with API version ${job.version.slice(1)}; ask for its results with the same.`); // prettier-ignore
  if (job.state !== 'JobComplete')
    throw new Refusal(400, 'INVALIDJOBSTATE', `Results are not available for a job in state ${job.state}`);
  return job;
}

async function results(org: Org, jobs: Jobs, req: Request, res: Response): Promise<void> {
  const job = complete(jobs, req);
  const rows = await job.rows;
  const page = pageOf(req, rows.length, org.options.resultRows);
  const next = page.to >= rows.length ? 'null' : locator(page.to);
  res.set('Sforce-Locator', next).set('Sforce-NumberOfRecords', String(page.to - page.from));
  await sendPage(req, res, job, rows, page, rows.length > 0 || org.options.emptyHasHeader);
}

/** A locator is where to go on, and for a listed page also where to end; clients need not know. */
function locator(from: number, to?: number): string {
  return Buffer.from(to === undefined ? `${from}` : `${from}-${to}`).toString('base64url');
}

function pageOf(req: Request, count: number, usualRows: number): Page {
  const { maxRecords, locator: text } = req.query;
  const most = maxRecords === undefined ? usualRows : Number(maxRecords);
  if (!Number.isInteger(most) || most < 1)
    throw new Refusal(400, 'INVALID_NUMBER', 'maxRecords must be a positive number');
  if (typeof text !== 'string') return { from: 0, to: Math.min(count, most) };
  const [, from = '', to] = /^(\d+)(?:-(\d+))?$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (from === '' || Number(from) >= count || Number(to ?? 0) > count)
    throw new Refusal(400, 'INVALID_LOCATOR', 'Invalid locator specified');
  return { from: Number(from), to: to === undefined ? Math.min(count, Number(from) + most) : Number(to) };
}

async function pages(org: Org, jobs: Jobs, req: Request, res: Response): Promise<void> {
  const { resultPages: shape, resultRows } = org.options;
  if (shape === 'none') throw notFound();
  const job = complete(jobs, req);
  const count = (await job.rows).length;
  const first = pageOf(req, Math.max(count, 1), resultRows).from;
  const from = Array.from({ length: PAGES_A_REPLY }, (_, i) => first + i * resultRows).filter((row) => row < count);
  const url = (row: number): string =>
    `/jobs/query/${job.id}/results?locator=${locator(row, Math.min(count, row + resultRows))}`;
  const base = `/services/data/${job.version}`;
  const after = first + PAGES_A_REPLY * resultRows;
  const nextRecordsUrl = after < count ? `${base}/jobs/query/${job.id}/resultPages?locator=${locator(after)}` : null;
  const done = nextRecordsUrl === null;
  if (shape === 'resultPages')
    res.json({ resultPages: from.map((row) => ({ resultUrl: base + url(row) })), nextRecordsUrl, done });
  else res.json({ resultChunks: from.map((row) => ({ resultLink: url(row) })), nextRecordsUrl, done });
}
