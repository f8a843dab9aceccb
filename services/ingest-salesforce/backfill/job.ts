/** Bulk API 2.0 query jobs: made, waited for, never left to guess (Bulk API 2.0 Guide, "Query Jobs"). */
import { InvalidMessage, Transient } from '#core/errors.ts';
import { isRecord } from '#core/vendor/json.ts';
import type { Org } from '../org/org.ts';

export interface Job {
  readonly id: string;
  /** Just before it was created, by our clock: its rows show at least what was committed before. */
  readonly issuedMicros: number;
}

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
const WAIT_FACTOR = 1.5;

/** Deleted rows too (`queryAll`): a row marked deleted is the source's word. */
export async function createJob(org: Org, soql: string, signal: AbortSignal): Promise<Job> {
  const { value, issuedMicros } = await org.client.json(
    {
      method: 'POST',
      path: org.client.data('jobs/query'),
      body: { operation: 'queryAll', query: soql, contentType: 'CSV', columnDelimiter: 'COMMA', lineEnding: 'LF' },
      purpose: 'backfill',
      signal,
    },
    (answer) => {
      if (isRecord(answer) && typeof answer.id === 'string') return answer.id;
      throw new Transient('job_unclear', 'A bulk job was asked for and no id came back; asked for again.');
    },
  );
  return { id: value, issuedMicros };
}

/** Answers the number of records once the job is complete. Throws `InvalidMessage` when it failed or was aborted. */
export async function waitForJob(org: Org, job: Job, signal: AbortSignal): Promise<number> {
  const path = org.client.data(`jobs/query/${job.id}`);
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * WAIT_FACTOR, LONGEST_WAIT_MS)) {
    const { value: status } = await org.client.json({ path, purpose: 'backfill', signal }, statusOf);
    if (status.state === 'JobComplete') return status.records;
    if (status.state === 'Failed' || status.state === 'Aborted')
      throw new InvalidMessage(
        'bulk_job_failed',
        `A bulk job ended as ${status.state}: look at Setup, Bulk Data Load Jobs, for the reason, then run the backfill again.`,
      );
    await org.context.clock.sleep(waitMs, signal);
  }
}

function statusOf(value: unknown): { readonly state: string; readonly records: number } {
  if (!isRecord(value) || typeof value.state !== 'string')
    throw new Transient('job_unclear', 'The state of a bulk job is unclear; asked for again.');
  const records = Number(value.numberRecordsProcessed ?? 0);
  if (value.state === 'JobComplete' && !Number.isSafeInteger(records))
    throw new Transient('job_unclear', 'A bulk job does not say how many records it has; asked for again.');
  return { state: value.state, records };
}
