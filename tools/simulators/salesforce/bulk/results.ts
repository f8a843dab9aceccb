/** A page of a job's rows as CSV, written as fast as it is taken: some hundred rows at a time, never the page as a whole. */
import type { Request, Response } from 'express';
import { once } from 'node:events';
import { createGzip, constants } from 'node:zlib';
import type { Writable } from 'node:stream';
import { csvRow } from '../render.ts';
import { DELIMITERS, type Job } from './jobs.ts';

/** Which rows of a job. */
export interface Page {
  readonly from: number;
  readonly to: number;
}

const ROWS_A_PIECE = 500;

/** Ends the reply, or stops quietly when the reader has gone. */
export async function sendPage(
  req: Request,
  res: Response,
  job: Job,
  rows: Uint32Array,
  page: Page,
  hasHeader: boolean,
) {
  res.type('text/csv');
  const isZipped = /\bgzip\b/i.test(req.get('Accept-Encoding') ?? '');
  if (!isZipped) return writeRows(res, job, rows, page, hasHeader);
  res.set('Content-Encoding', 'gzip');
  // Fast rather than small: the service's processors are not ours.
  const gzip = createGzip({ level: constants.Z_BEST_SPEED });
  gzip.pipe(res);
  res.once('close', () => gzip.destroy());
  await writeRows(gzip, job, rows, page, hasHeader);
}

async function writeRows(out: Writable, job: Job, rows: Uint32Array, { from, to }: Page, hasHeader: boolean) {
  const lineEnd = job.lineEnding === 'LF' ? '\n' : '\r\n';
  const delimiter = DELIMITERS[job.delimiter]!;
  const render = csvRow(job.table, job.fields, delimiter);
  const cursor = job.table.cursor();
  const header = job.fields.map(({ name }) => `"${name}"`).join(delimiter) + lineEnd;
  const gone = new AbortController();
  out.once('close', () => gone.abort());
  let piece = hasHeader ? header : '';
  for (let at = from; at < to && !gone.signal.aborted;) {
    for (const end = Math.min(to, at + ROWS_A_PIECE); at < end; at++)
      if (cursor.move(rows[at]!, job.commitNumber)) piece += render(cursor) + lineEnd;
    const isRoom = out.write(piece);
    piece = '';
    if (!isRoom) await once(out, 'drain', { signal: gone.signal }).catch(() => undefined);
    else await new Promise(setImmediate);
  }
  if (!gone.signal.aborted) out.end(piece);
}
