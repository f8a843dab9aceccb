/** The REST service, v2, on loopback over plain HTTP, with and without the prefix `/bigquery/v2`. */
import express, { type ErrorRequestHandler, type Express, type Request, type Response } from 'express';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Faults } from '../faults.ts';
import { isJson, jsonOf, wholeOr, type Json } from '../json.ts';
import { Refused, notFound } from '../refused.ts';
import { jobJson, queryConfiguration, type Job, type Jobs } from './jobs.ts';
import { pageRequest, resultJson } from './pages.ts';
import { mountDatasets, mountRows, mountTables, type Parts } from './tables.ts';
import type { Answer } from './answer.ts';

export interface RestServer {
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 10 * 1024 * 1024;
const USUAL_WAIT_MS = 10_000;
const LONGEST_WAIT_MS = 200_000;

export async function startRest(
  parts: Parts,
  jobs: Jobs,
  mountControl: (app: Express) => void,
  port: number,
): Promise<RestServer> {
  const app = express();
  app.disable('x-powered-by');
  app.use(express.json({ type: () => true, limit: MAX_BODY_BYTES }));
  mountControl(app);
  const answer = answerer(parts.faults);
  for (const base of ['/bigquery/v2', '']) {
    mountDatasets(app, base, parts, answer);
    mountTables(app, base, parts, answer);
    mountRows(app, base, parts, answer);
    mountJobs(app, base, jobs, answer);
  }
  app.use((request, _response, next) => next(notFound(`Not found: ${request.method} ${request.path}`)));
  app.use(refuse);
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function answerer(faults: Faults): Answer {
  return (act) => (request, response, next) => {
    handle(faults, act, request, response).catch(next);
  };
}

async function handle(
  faults: Faults,
  act: (request: Request, body: Json) => Promise<Json | null>,
  request: Request,
  response: Response,
): Promise<void> {
  const fault = faults.takeRest(request.path);
  if (fault !== null && !fault.isDone) throw new Refused(fault.status, fault.reason, fault.message);
  const body: unknown = request.body;
  const answer = await act(request, isJson(body) ? body : {});
  if (fault !== null) throw new Refused(fault.status, fault.reason, fault.message);
  if (faults.switches.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, faults.switches.latencyMs));
  if (answer === null) response.status(204).end();
  else response.json(answer);
}

function mountJobs(app: Express, base: string, jobs: Jobs, answer: Answer): void {
  const paramsOf = (request: Request) => request.params as Record<'project' | 'job', string>;
  app.post(
    `${base}/projects/:project/queries`,
    answer(async (request, body) => {
      const job = jobs.start(
        paramsOf(request).project,
        body,
        { jobType: 'QUERY', query: { query: body.query, useLegacySql: false } },
        body,
        body.dryRun === true,
      );
      await waited(job, wholeOr(body.timeoutMs, USUAL_WAIT_MS));
      return resultJson('bigquery#queryResponse', job, pageRequest(body, body));
    }),
  );
  app.get(
    `${base}/projects/:project/queries/:job`,
    answer(async (request) => {
      const job = jobs.get(paramsOf(request).project, paramsOf(request).job);
      await waited(job, wholeOr(request.query.timeoutMs, USUAL_WAIT_MS));
      return resultJson('bigquery#getQueryResultsResponse', job, pageRequest(request.query, request.query));
    }),
  );
  app.post(
    `${base}/projects/:project/jobs`,
    answer(async (request, body) => {
      const configuration = jsonOf(body.configuration, 'configuration');
      const isDryRun = configuration.dryRun === true;
      const job = jobs.start(
        paramsOf(request).project,
        queryConfiguration(configuration),
        { jobType: 'QUERY', ...configuration },
        isJson(body.jobReference) ? body.jobReference : {},
        isDryRun,
      );
      if (isDryRun) {
        await job.done;
        if (job.failure !== null) throw job.failure;
      }
      return jobJson(job);
    }),
  );
  app.get(
    `${base}/projects/:project/jobs`,
    answer(async (request) => ({
      kind: 'bigquery#jobList',
      jobs: jobs.list(paramsOf(request).project).map((job) => {
        const json = jobJson(job);
        return { ...json, state: (json.status as Json).state };
      }),
    })),
  );
  app.get(
    `${base}/projects/:project/jobs/:job`,
    answer(async (request) => jobJson(jobs.get(paramsOf(request).project, paramsOf(request).job))),
  );
  app.post(
    `${base}/projects/:project/jobs/:job/cancel`,
    answer(async (request) => {
      const job = jobs.get(paramsOf(request).project, paramsOf(request).job);
      job.stop();
      return { kind: 'bigquery#jobCancelResponse', job: jobJson(job) };
    }),
  );
}

/** A job is waited for as long as the request wants; what is not done by then is asked for again. */
async function waited(job: Job, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, Math.min(timeoutMs, LONGEST_WAIT_MS))));
  await Promise.race([job.done, late]);
  clearTimeout(timer);
}

/** Google's error body. */
const refuse: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  if (response.headersSent) return next(error);
  const refused = refusedOf(error);
  const item = {
    message: refused.message,
    domain: 'global',
    reason: refused.reason,
    ...(refused.location === null ? {} : { location: refused.location, locationType: 'parameter' }),
  };
  response.status(refused.status).json({ error: { code: refused.status, message: refused.message, errors: [item] } });
};

function refusedOf(error: unknown): Refused {
  if (error instanceof Refused) return error;
  const type = isJson(error) ? (error as { type?: unknown }).type : undefined;
  if (type === 'entity.too.large')
    return new Refused(413, 'requestTooLarge', `Request payload size exceeds the limit: ${MAX_BODY_BYTES} bytes.`);
  if (type === 'entity.parse.failed') return new Refused(400, 'parseError', 'Parse Error');
  return new Refused(500, 'internalError', error instanceof Error ? error.message : String(error));
}
