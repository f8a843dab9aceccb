/**
 * How far one object's backfill is, durable: the job, the pages whose rows are all published, and the phase. After a
 * kill -9 finished pages are not read again; a page under way is, and its rows, having the same versions, do no harm.
 *
 *     reading ── all pages ──▶ checking ── absent records settled ──▶ done
 */
import { isRecord } from '#core/vendor/json.ts';
import type { Job } from './job.ts';
import type { Locator } from './result-pages.ts';

export interface FinishedPage {
  readonly records: number;
  /** The next page's locator where pages are learnt one after another. */
  readonly next: Locator | null;
}

export interface JobState extends Job {
  readonly fields: readonly string[];
  /** Whether pages are known beforehand (`pages`) or learnt one after another (`chain`); null: not yet known. */
  readonly order: 'pages' | 'chain' | null;
  readonly finished: Readonly<Record<Locator, FinishedPage>>;
}

export interface Journal {
  readonly epoch: number;
  readonly runId: string;
  readonly reason: string;
  readonly startedMicros: number;
  readonly phase: 'reading' | 'checking' | 'done';
  readonly job: JobState | null;
}

export function parseJournal(value: unknown): Journal {
  if (!isRecord(value) || typeof value.runId !== 'string') throw new TypeError('A backfill journal is not one.');
  return value as unknown as Journal;
}

export function newJob(job: Job, fields: readonly string[]): JobState {
  return { ...job, fields, order: null, finished: {} };
}

export function withPage(job: JobState, locator: Locator, page: FinishedPage): JobState {
  return { ...job, finished: { ...job.finished, [locator]: page } };
}

export function recordsOf({ finished }: JobState): number {
  return Object.values(finished).reduce((sum, { records }) => sum + records, 0);
}
