/**
 * Full backfills: every record of an object by one bulk job, then what that listing says of records we hold and it lacks.
 * Journaled, so that a later life goes on where this one was killed. One at a time an object: who asks for a second joins,
 * and another process waits.
 */
import { codeOf, InvalidMessage } from '#core/errors.ts';
import type { Progress } from '#core/service.ts';
import { openCheckpoint, type Checkpoint } from '../checkpoint.ts';
import { fieldNames, type RecordPlan } from '../decode/plan.ts';
import type { ObjectName } from '../objects.ts';
import type { Org } from '../org/org.ts';
import { openRun, type Run } from '../run.ts';
import { select } from '../soql.ts';
import { settleAbsent } from './absent.ts';
import { readJob, type JobJournal } from './bulk-read.ts';
import { createJob } from './job.ts';
import { newJob, parseJournal, type JobState, type Journal } from './journal.ts';
import { dropListing, loadListing } from './listing.ts';

export interface Backfilled {
  readonly object: ObjectName;
  readonly runId: string;
  readonly records: number;
}

export interface Backfill {
  /** Reads all these objects, several at once; with `again` also those that are read already. */
  run(
    objects: readonly ObjectName[],
    reason: string,
    again: boolean,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<readonly Backfilled[]>;
  /** The objects that were never read whole in this epoch. */
  owed(): Promise<readonly ObjectName[]>;
}

export function backfill(org: Org): Backfill {
  const running = new Map<ObjectName, Promise<Backfilled>>();

  function join(object: ObjectName, work: () => Promise<Backfilled>): Promise<Backfilled> {
    let run = running.get(object);
    if (run === undefined) {
      run = work().finally(() => running.delete(object));
      running.set(object, run);
    }
    return run;
  }

  return {
    async run(objects, reason, again, progress, signal) {
      const results: Backfilled[] = [];
      const waiting = [...objects];
      const worker = async (): Promise<void> => {
        for (let object = waiting.shift(); object !== undefined; object = waiting.shift()) {
          const name = object;
          const result = await join(name, () =>
            org.context.exclusively(`backfill.${name}`, signal, (held) =>
              backfillObject(org, name, reason, again, held),
            ),
          );
          results.push(result);
          progress(results.length, objects.length, name);
        }
      };
      const workers = Math.min(org.context.config['salesforce.backfillObjects'], objects.length);
      await Promise.all(Array.from({ length: workers }, worker));
      return results;
    },
    async owed() {
      const instance = await org.client.orgId();
      const owed: ObjectName[] = [];
      for (const object of org.objects) {
        const stored = await org.context.ports.store.get(journalKey(instance, object));
        const journal = stored === undefined ? null : parseJournal(JSON.parse(stored.value));
        if (journal === null || journal.phase !== 'done' || journal.epoch < org.epoch) owed.push(object);
      }
      return owed;
    },
  };
}

function journalKey(instance: string, object: ObjectName): string {
  return `ingest-salesforce/${instance}/backfill/${object}`;
}

async function backfillObject(
  org: Org,
  object: ObjectName,
  reason: string,
  again: boolean,
  signal: AbortSignal,
): Promise<Backfilled> {
  const { ports, clock } = org.context;
  const instance = await org.client.orgId();
  const checkpoint = await openCheckpoint(ports.store, clock, journalKey(instance, object), parseJournal);
  const journal = await journalToFollow(org, checkpoint, reason, again);
  const { runId, startedMicros } = journal;
  const run = openRun(org.context, { kind: 'backfill', object, reason: journal.reason, runId, startedMicros });
  try {
    await run.during(() => follow(org, object, checkpoint, run, signal));
  } finally {
    // Nothing noted may be written later, over what the next try writes.
    await checkpoint.flush().catch(() => undefined);
  }
  return { object, runId, records: run.recordsRead };
}

/** The unfinished one of this epoch, or a new one. */
async function journalToFollow(
  org: Org,
  checkpoint: Checkpoint<Journal>,
  reason: string,
  again: boolean,
): Promise<Journal> {
  const { clock, random } = org.context;
  const kept = checkpoint.value;
  if (kept !== null && kept.epoch === org.epoch && (kept.phase !== 'done' || !again)) return kept;
  const journal: Journal = {
    epoch: org.epoch,
    runId: random.id(),
    reason,
    startedMicros: clock.nowMicros(),
    phase: 'reading',
    job: null,
  };
  await checkpoint.save(journal);
  return journal;
}

async function follow(
  org: Org,
  object: ObjectName,
  checkpoint: Checkpoint<Journal>,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  const { objects } = org.context.ports;
  const prefix = `ingest-salesforce/${await org.client.orgId()}/backfill/${object}/`;
  if (checkpoint.value?.phase === 'reading') await readAll(org, object, checkpoint, prefix, run, signal);
  const job = checkpoint.value?.job ?? null;
  if (checkpoint.value?.phase === 'checking' && job !== null) {
    const listing = await loadListing(objects, prefix);
    const startMicros = job.issuedMicros;
    await settleAbsent(org, object, { startMicros, has: (id) => listing.has(id) }, run, signal);
  }
  await checkpoint.save(changed(checkpoint, { phase: 'done', job: null }));
  await dropListing(objects, prefix);
}

async function readAll(
  org: Org,
  object: ObjectName,
  checkpoint: Checkpoint<Journal>,
  prefix: string,
  run: Run,
  signal: AbortSignal,
): Promise<void> {
  const plan = await org.catalogue.plan(object);
  const journal: JobJournal = {
    get job() {
      return checkpoint.value?.job ?? null;
    },
    // Noted, not awaited: a page finished within the last second may be read again after a kill, which does no harm.
    save: async (job) => checkpoint.note(changed(checkpoint, { job })),
    keepIds: (ids) => org.context.ports.objects.put(`${prefix}${org.context.random.id()}`, ids.bytes()),
  };
  const resumed = usable(journal.job, plan);
  const job = resumed ?? (await start(org, plan, checkpoint, prefix, signal));
  try {
    await readJob({ org, plan, run, path: 'backfill', journal }, job, signal);
  } catch (error) {
    // The job is gone, has failed, or does not add up: the next try makes a new one.
    if (error instanceof InvalidMessage || codeOf(error) === 'job_incomplete')
      await checkpoint.save(changed(checkpoint, { job: null }));
    throw error;
  }
  await checkpoint.save(changed(checkpoint, { phase: 'checking' }));
}

/** A job kept from an earlier life, if its columns are those we would ask for now. */
function usable(job: JobState | null, plan: RecordPlan): JobState | null {
  return job !== null && job.fields.join() === fieldNames(plan).join() ? job : null;
}

async function start(
  org: Org,
  plan: RecordPlan,
  checkpoint: Checkpoint<Journal>,
  prefix: string,
  signal: AbortSignal,
): Promise<JobState> {
  await dropListing(org.context.ports.objects, prefix);
  const job = newJob(await createJob(org, select(plan.object, fieldNames(plan)), signal), fieldNames(plan));
  await checkpoint.save(changed(checkpoint, { job }));
  return job;
}

function changed(checkpoint: Checkpoint<Journal>, part: Partial<Journal>): Journal {
  if (checkpoint.value === null) throw new TypeError('A backfill without a journal.');
  return { ...checkpoint.value, ...part };
}
