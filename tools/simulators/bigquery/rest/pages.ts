/** Results in pages: a token says where the next one begins; no page is larger than the service's answers may be. */
import type { Field } from '../catalog/fields.ts';
import { fieldJson } from '../catalog/fields.ts';
import { isJson, shown, wholeOr, type Json } from '../json.ts';
import { invalid, notFound } from '../refused.ts';
import { encodeRow, type EncodedRow, type InstantFormat } from './encode.ts';
import type { Job, PageRows } from './jobs.ts';

const MAX_PAGE_ROWS = 100_000;
const ROWS_AT_ONCE = 5_000;
const MAX_PAGE_BYTES = 10 * 1024 * 1024;

export interface PageRequest {
  readonly maxResults: number;
  readonly offset: number;
  readonly instants: InstantFormat;
}

export function pageRequest(query: Json, formats: Json): PageRequest {
  const maxResults = wholeOr(query.maxResults, MAX_PAGE_ROWS);
  const token =
    query.pageToken === undefined || query.pageToken === ''
      ? '0'
      : Buffer.from(shown(query.pageToken), 'base64url').toString();
  const offset = wholeOr(query.startIndex, wholeOr(token, -1));
  if (offset < 0 || maxResults < 0) throw invalid('Invalid value for pageToken, startIndex or maxResults');
  return { maxResults: Math.min(maxResults, MAX_PAGE_ROWS), offset, instants: instantFormat(formats) };
}

/** `formatOptions` as an object of a request's body, or as `formatOptions.…` among the query's parameters. */
export function instantFormat(formats: Json): InstantFormat {
  const inner = isJson(formats.formatOptions)
    ? formats.formatOptions
    : {
        useInt64Timestamp: formats['formatOptions.useInt64Timestamp'],
        timestampOutputFormat: formats['formatOptions.timestampOutputFormat'],
      };
  if (inner.timestampOutputFormat === 'ISO8601_STRING') return 'iso';
  const asInteger = String(inner.useInt64Timestamp) === 'true' || inner.timestampOutputFormat === 'INT64';
  return asInteger ? 'int64' : 'float';
}

export interface Page {
  readonly rows: readonly EncodedRow[];
  readonly nextToken: string | null;
}

/** Reads until the page is full; `read` gives rows from an offset on. */
export async function pageOf(
  fields: readonly Field[],
  totalRows: number,
  request: PageRequest,
  read: (offset: number, limit: number) => Promise<PageRows>,
): Promise<Page> {
  const rows: EncodedRow[] = [];
  let bytes = 0;
  const end = Math.min(totalRows, request.offset + request.maxResults);
  let at = request.offset;
  while (at < end && bytes < MAX_PAGE_BYTES) {
    const read_ = await read(at, Math.min(ROWS_AT_ONCE, end - at));
    for (const row of read_) {
      const encoded = encodeRow(fields, row, request.instants);
      rows.push(encoded);
      bytes += sizeOf(encoded);
      at++;
      if (bytes >= MAX_PAGE_BYTES) break;
    }
    if (read_.length === 0) break;
  }
  return { rows, nextToken: at < totalRows ? Buffer.from(String(at)).toString('base64url') : null };
}

function sizeOf(row: EncodedRow): number {
  let bytes = 0;
  for (const { v } of row.f) bytes += typeof v === 'string' ? v.length + 8 : v === null ? 12 : JSON.stringify(v).length;
  return bytes;
}

/** What jobs.query and getQueryResults answer for a job, finished or not. */
export async function resultJson(kind: string, job: Job, request: PageRequest): Promise<Json> {
  const common = {
    kind,
    jobReference: { projectId: job.projectId, jobId: job.id, location: job.location },
    cacheHit: false,
    totalBytesProcessed: '0',
  };
  if (job.endedMs === null) return { ...common, jobComplete: false };
  if (job.failure !== null) throw job.failure;
  const affected = job.affectedRows === null ? {} : { numDmlAffectedRows: String(job.affectedRows) };
  const schema = job.fields.length === 0 ? {} : { schema: { fields: job.fields.map(fieldJson) } };
  const { result } = job;
  if (result === null) {
    if (job.isDryRun || job.statementType !== 'SELECT')
      return { ...common, ...schema, ...affected, jobComplete: true, totalRows: '0' };
    throw notFound(`Not found: the result of job ${job.id}`);
  }
  const { rows, nextToken } = await pageOf(result.fields, result.totalRows, request, (offset, limit) =>
    result.page(offset, limit),
  );
  return {
    ...common,
    ...schema,
    ...affected,
    jobComplete: true,
    totalRows: String(result.totalRows),
    ...(nextToken === null ? {} : { pageToken: nextToken }),
    ...(rows.length === 0 ? {} : { rows }),
  };
}
