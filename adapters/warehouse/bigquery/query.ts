/**
 * Runs one statement that only reads: a dry run first says of what kind it is, and costs nothing. Pages of rows are
 * fetched as they are asked for; values come as the port says, whole numbers exact and instants in microseconds.
 */
import { InvalidMessage, Transient } from '#core/errors.ts';
import type { Clock } from '#core/clock.ts';
import type { QueryLimits, QueryRow } from '#core/ports/warehouse.ts';
import { queryError } from './errors.ts';
import type { Json, Rest } from './rest.ts';
import { rowReader } from './values.ts';

export interface QueryOptions {
  readonly rest: Rest;
  readonly clock: Clock;
  readonly projectId: string;
  readonly location: string;
  /** Where names without a dataset are looked up; undefined: nowhere. */
  readonly dataset: string | undefined;
}

export interface Parameter {
  readonly name: string;
  readonly type: 'STRING' | 'INT64';
  readonly value: string;
}

const PAGE_ROWS = 10_000;
/** How long one request waits for the query to be done. */
const WAIT_MS = 10_000;

export async function* runQuery(
  options: QueryOptions,
  sql: string,
  limits: QueryLimits,
): AsyncGenerator<readonly QueryRow[]> {
  await refuseUnlessRead(options, sql);
  yield* pagesOf(options, sql, [], limits);
}

/** Without the check: for the adapter's own statements. */
export async function* pagesOf(
  options: QueryOptions,
  sql: string,
  parameters: readonly Parameter[],
  limits: QueryLimits,
): AsyncGenerator<readonly QueryRow[]> {
  let left = limits.rows;
  if (left === 0) return;
  let page = await finished(options, await start(options, sql, parameters, limits), limits);
  const read = rowReader(page['schema']);
  for (;;) {
    const rows = read(page['rows']).slice(0, left);
    left -= rows.length;
    if (rows.length > 0) yield rows;
    const token = page['pageToken'];
    if (left === 0 || typeof token !== 'string') return;
    page = await results(options, jobOf(page), { pageToken: token, maxResults: Math.min(left, PAGE_ROWS) });
  }
}

async function refuseUnlessRead({ rest, location, projectId, dataset }: QueryOptions, sql: string): Promise<void> {
  const query = { query: sql, useLegacySql: false, ...defaults(projectId, dataset) };
  const body = { jobReference: { projectId, location }, configuration: { dryRun: true, query } };
  const job = await rest.request('POST', '/jobs', { body }).catch((error: unknown) => {
    throw queryError(error);
  });
  const statistics = (job['statistics'] ?? {}) as { readonly query?: { readonly statementType?: unknown } };
  const kind = statistics.query?.statementType;
  if (kind !== 'SELECT')
    throw new InvalidMessage(
      'invalid_query',
      `Only one SELECT statement is allowed here, and this is ${String(kind)}.`,
    );
}

async function start(
  { rest, location, projectId, dataset }: QueryOptions,
  sql: string,
  parameters: readonly Parameter[],
  limits: QueryLimits,
): Promise<Json> {
  const named = parameters.map(({ name, type, value }) => {
    return { name, parameterType: { type }, parameterValue: { value } };
  });
  const body = {
    query: sql,
    useLegacySql: false,
    location,
    ...defaults(projectId, dataset),
    maxResults: Math.min(limits.rows, PAGE_ROWS),
    timeoutMs: Math.min(limits.timeoutMs, WAIT_MS),
    jobTimeoutMs: String(limits.timeoutMs),
    formatOptions: { useInt64Timestamp: true },
    ...(named.length === 0 ? {} : { parameterMode: 'NAMED', queryParameters: named }),
  };
  return rest.request('POST', '/queries', { body }).catch((error: unknown) => {
    throw queryError(error);
  });
}

/** Asks again until the job is complete, and cancels it when it takes too long. */
async function finished(options: QueryOptions, answer: Json, limits: QueryLimits): Promise<Json> {
  const { clock, rest, location } = options;
  const endMs = clock.monotonicMs() + limits.timeoutMs;
  let page = answer;
  while (page['jobComplete'] !== true) {
    const job = jobOf(page);
    if (clock.monotonicMs() >= endMs) {
      await rest.request('POST', `/jobs/${job}/cancel`, { query: { location } }).catch(() => undefined);
      const message = `The query took longer than ${limits.timeoutMs} ms: narrow it, or allow more time.`;
      throw new Transient('query_timeout', message);
    }
    page = await results(options, job, { maxResults: Math.min(limits.rows, PAGE_ROWS) });
  }
  return page;
}

async function results(
  { rest, location }: QueryOptions,
  job: string,
  more: Readonly<Record<string, string | number>>,
): Promise<Json> {
  const query = {
    location,
    timeoutMs: String(WAIT_MS),
    'formatOptions.useInt64Timestamp': 'true',
    ...Object.fromEntries(Object.entries(more).map(([name, value]) => [name, String(value)])),
  };
  return rest.request('GET', `/queries/${job}`, { query }).catch((error: unknown) => {
    throw queryError(error);
  });
}

function jobOf(answer: Json): string {
  const { jobId } = (answer['jobReference'] ?? {}) as { readonly jobId?: unknown };
  return encodeURIComponent(String(jobId));
}

function defaults(projectId: string, dataset: string | undefined): Json {
  return dataset === undefined ? {} : { defaultDataset: { projectId, datasetId: dataset } };
}
