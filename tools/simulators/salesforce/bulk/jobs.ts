/**
 * Query jobs of Bulk API 2.0. What a job answers is settled when it is created: the rows as of that moment, whatever
 * changes while they are fetched.
 *
 *     UploadComplete ─▶ InProgress ─▶ JobComplete          (each asking for the job takes it one step further)
 *            └──────────────┴────────▶ Aborted · Failed
 */
import { recordId, type Field, type Table } from '../../world/index.ts';
import { restInstant } from '../instants.ts';
import type { Org } from '../org.ts';
import { Refusal } from '../refusal.ts';
import { check, type Checked } from '../soql/check.ts';
import { parseQuery } from '../soql/parser.ts';
import { run } from '../soql/run.ts';

export const DELIMITERS: Readonly<Record<string, string>> = {
  BACKQUOTE: '`',
  CARET: '^',
  COMMA: ',',
  PIPE: '|',
  SEMICOLON: ';',
  TAB: '\t',
};

export type JobState = 'UploadComplete' | 'InProgress' | 'JobComplete' | 'Aborted' | 'Failed';

export interface Job {
  readonly id: string;
  readonly operation: 'query' | 'queryAll';
  readonly table: Table;
  readonly fields: readonly Field[];
  readonly delimiter: keyof typeof DELIMITERS;
  readonly lineEnding: 'LF' | 'CRLF';
  readonly version: string;
  readonly createdMs: number;
  readonly commitNumber: number;
  readonly release: () => void;
  /** Resolves when the rows are known; rejects never. */
  readonly rows: Promise<Uint32Array>;
  state: JobState;
  count: number;
  polls: number;
}

export class Jobs {
  readonly #org: Org;
  readonly #jobs = new Map<string, Job>();
  #made = 0;
  /** The next jobs end as Failed, without saying why. */
  failNext = 0;

  constructor(org: Org) {
    this.#org = org;
  }

  get all(): readonly Job[] {
    return [...this.#jobs.values()];
  }

  create(body: Readonly<Record<string, unknown>>, version: string): Job {
    const { world, usage } = this.#org;
    const { operation, delimiter, lineEnding, query } = settings(body);
    const checked = check(world, parseQuery(query));
    refuseUnsupported(checked);
    const commitNumber = world.readable();
    this.#made += 1;
    usage.bulkJobs += 1;
    const { table, fields } = checked;
    const job: Job = {
      id: `750Dn0000${String(this.#made).padStart(6, '0')}IAA`,
      operation,
      table,
      fields,
      delimiter,
      lineEnding,
      version,
      createdMs: world.now(),
      commitNumber,
      release: world.pin(commitNumber),
      rows: run(checked, { commitNumber, includeDeleted: operation === 'queryAll' }),
      state: 'UploadComplete',
      count: 0,
      polls: 0,
    };
    this.#jobs.set(job.id, job);
    return job;
  }

  /** Ids of 15 characters name the same job. */
  get(id: string): Job {
    const job = this.#jobs.get(id) ?? this.all.find((known) => known.id.slice(0, 15) === id);
    if (job === undefined) throw new Refusal(404, 'NOT_FOUND', 'The requested resource does not exist');
    return job;
  }

  /** The job when somebody asks for it: time has passed. */
  async poll(id: string): Promise<Job> {
    const job = this.get(id);
    job.polls += 1;
    if (job.state === 'UploadComplete' && job.polls > 1) job.state = 'InProgress';
    if ((job.state === 'UploadComplete' || job.state === 'InProgress') && job.polls >= this.#org.options.jobPolls) {
      job.count = (await job.rows).length;
      job.state = this.failNext > 0 ? 'Failed' : 'JobComplete';
      this.failNext = Math.max(0, this.failNext - 1);
    }
    return job;
  }

  abort(id: string): Job {
    const job = this.get(id);
    if (job.state !== 'UploadComplete' && job.state !== 'InProgress')
      throw new Refusal(400, 'INVALIDJOBSTATE', `Aborting already ${job.state} Job not allowed`);
    job.state = 'Aborted';
    return job;
  }

  delete(id: string): void {
    const job = this.get(id);
    if (job.state === 'UploadComplete' || job.state === 'InProgress')
      throw new Refusal(400, 'INVALIDJOBSTATE', 'Deleting not allowed for a job that is not closed, aborted or failed');
    job.release();
    this.#jobs.delete(job.id);
  }
}

const invalid = (message: string): Refusal => new Refusal(400, 'INVALIDJOB', message);

function settings({
  operation,
  query,
  contentType = 'CSV',
  columnDelimiter = 'COMMA',
  lineEnding = 'LF',
}: Readonly<Record<string, unknown>>) {
  if (operation !== 'query' && operation !== 'queryAll')
    throw invalid(`InvalidJob : Unsupported operation: ${String(operation)}`);
  if (typeof query !== 'string') throw invalid('InvalidJob : query is required');
  if (contentType !== 'CSV') throw invalid(`InvalidJob : Unsupported contentType: ${String(contentType)}`);
  const delimiter = String(columnDelimiter);
  if (!Object.hasOwn(DELIMITERS, delimiter)) throw invalid(`InvalidJob : Unsupported columnDelimiter: ${delimiter}`);
  if (lineEnding !== 'LF' && lineEnding !== 'CRLF')
    throw invalid(`InvalidJob : Unsupported lineEnding: ${String(lineEnding)}`);
  return { operation, query, delimiter, lineEnding } as const;
}

/** (Bulk API 2.0 Developer Guide, query jobs: what SOQL cannot hold.) */
function refuseUnsupported({ query, fields }: Checked): void {
  const feature = (text: string): Refusal =>
    new Refusal(400, 'FEATURENOTENABLED', `${text} is not supported in Bulk API 2.0 query jobs`);
  if (query.unsupported !== null) throw feature(query.unsupported);
  const compound = fields.find(({ type }) => type === 'address');
  if (compound !== undefined) throw feature(`Selecting the compound field ${compound.name}`);
}

/** The job as the API describes it; `isWhole`, when it is asked for rather than created. */
export function describeJob(job: Job, isWhole: boolean): Readonly<Record<string, unknown>> {
  return {
    id: job.id,
    operation: job.operation,
    object: job.table.object,
    createdById: recordId('User', 0),
    createdDate: restInstant(job.createdMs),
    systemModstamp: restInstant(job.createdMs),
    state: job.state,
    concurrencyMode: 'Parallel',
    contentType: 'CSV',
    apiVersion: Number(job.version.slice(1)),
    lineEnding: job.lineEnding,
    columnDelimiter: job.delimiter,
    ...(isWhole
      ? {
          jobType: 'V2Query',
          numberRecordsProcessed: job.count,
          retries: 0,
          totalProcessingTime: job.polls * 100,
          isPkChunkingSupported: true,
        }
      : {}),
  };
}
