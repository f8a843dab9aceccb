/**
 * Reads the rows of one bulk job: its pages, several at a time, each published before it counts as finished. Where a
 * journal is kept, a later life goes on with the pages that are not.
 */
import { Transient } from '#core/errors.ts';
import type { CapturePath } from '#core/telemetry.ts';
import { fieldNames, type RecordPlan } from '../decode/plan.ts';
import type { Org } from '../org/org.ts';
import type { Run } from '../run.ts';
import { select } from '../soql.ts';
import { createJob, waitForJob } from './job.ts';
import { newJob, recordsOf, withPage, type JobState } from './journal.ts';
import type { PageIds } from './listing.ts';
import { readPage, type PageTask } from './page.ts';
import { listPages, type Locator } from './result-pages.ts';

export interface JobJournal {
  readonly job: JobState | null;
  /** Resolves when durable. */
  save(job: JobState): Promise<void>;
  /** Makes the ids of a page durable, before the page counts as finished. */
  keepIds(ids: PageIds): Promise<void>;
}

export interface JobRead {
  readonly org: Org;
  readonly plan: RecordPlan;
  readonly run: Run;
  readonly path: CapturePath;
  readonly journal: JobJournal;
}

/** More rows than this are read by a job: ten calls of 2,000 rows cost about what a job does. */
export const BULK_ABOVE_ROWS = 20_000;

/** A job without a journal: what is cut short is read again as a whole. */
export async function bulkRead(
  org: Org,
  plan: RecordPlan,
  where: readonly string[],
  run: Run,
  path: CapturePath,
  signal: AbortSignal,
): Promise<void> {
  const nothing = async (): Promise<void> => undefined;
  const job = newJob(await createJob(org, select(plan.object, fieldNames(plan), where), signal), fieldNames(plan));
  await readJob({ org, plan, run, path, journal: { job, save: nothing, keepIds: nothing } }, job, signal);
}

/** Reads all pages of a job that are not finished, and checks the count of all. */
export async function readJob(read: JobRead, given: JobState, signal: AbortSignal): Promise<void> {
  const { org, run } = read;
  const total = await waitForJob(org, given, signal);
  run.expect(total);
  let job = given;
  const locators = job.order === 'chain' ? null : await listPages(org, job.id, signal);
  job = { ...job, order: locators === null ? 'chain' : 'pages' };
  await read.journal.save(job);
  run.read(recordsOf(job) - run.recordsRead);
  const finished = await readPages(read, job, locators, signal);
  const records = recordsOf(finished);
  if (records !== total)
    throw new Transient(
      'job_incomplete',
      `A bulk job gave ${records} records where it said ${total}; it is read again.`,
    );
}

/**
 * Workers take pages from a queue. Known beforehand, all are queued at once; learnt one after another, each page queues
 * the next when its headers are there, so that downloads overlap all the same.
 */
async function readPages(
  read: JobRead,
  given: JobState,
  locators: readonly Locator[] | null,
  signal: AbortSignal,
): Promise<JobState> {
  const { org, plan, run, path } = read;
  const { config } = org.context;
  const instance = await org.client.orgId();
  const origin = { instance, object: plan.object, lane: 'bulk', runId: run.runId } as const;
  const maxRecords = locators === null ? config['salesforce.pageRecords'] : null;
  const queue = (locators ?? chainStart(given)).filter((locator) => given.finished[locator] === undefined);
  let job = given;
  const seen = new Set(queue);
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);

  async function readOne(locator: Locator): Promise<void> {
    const onNext = (next: Locator | null): void => {
      if (locators !== null || next === null || seen.has(next)) return;
      seen.add(next);
      queue.push(next);
      start();
    };
    const task: PageTask = { org, plan, job, origin, path, run, locator, maxRecords, onNext };
    const { records, next, ids } = await readPage(task, stop);
    await read.journal.keepIds(ids);
    job = withPage(job, locator, { records, next });
    await read.journal.save(job);
  }

  const workers = new Set<Promise<void>>();
  function start(): void {
    while (workers.size < config['salesforce.backfillPages'] && queue.length > 0) {
      const locator = queue.shift() as Locator;
      const worker: Promise<void> = readOne(locator)
        .catch((error: unknown) => failure.abort(error))
        .finally(() => {
          workers.delete(worker);
          if (!stop.aborted) start();
        });
      workers.add(worker);
    }
  }
  start();
  while (workers.size > 0) await Promise.race(workers);
  stop.throwIfAborted();
  return job;
}

/** Where a chain of pages goes on: after the last finished one. */
function chainStart({ finished }: JobState): readonly Locator[] {
  let at: Locator = '';
  for (let page = finished[at]; page !== undefined; page = finished[at]) {
    if (page.next === null) return [];
    at = page.next;
  }
  return [at];
}
