/** Jobs: every statement is one. Results are kept for the latest of them, and let go after. */
import type { DuckDBValue } from '@duckdb/node-api';
import type { Field } from '../catalog/fields.ts';
import { isJson, jsonOf, textOf, textOr, type Json } from '../json.ts';
import { Refused, duplicate, invalid, notFound, notSimulated } from '../refused.ts';
import type { Engine, QueryResult } from '../sql/engine.ts';
import { parametersOf } from '../sql/parameters.ts';
import { statementsOf, type Statement } from '../sql/statement.ts';
import type { Defaults } from '../sql/relations.ts';
import type { StatementRunner } from '../sql/run.ts';

const RESULTS_KEPT = 64;
const JOBS_KEPT = 1_000;

export interface Job {
  readonly projectId: string;
  readonly id: string;
  readonly location: string;
  readonly configuration: Json;
  readonly createdMs: number;
  readonly isDryRun: boolean;
  statementType: string;
  endedMs: number | null;
  failure: Refused | null;
  result: QueryResult | null;
  /** Of a dry run, which has columns and no rows. */
  fields: readonly Field[];
  affectedRows: number | null;
  /** Settles when the job is over, failed or not; never rejects. */
  done: Promise<void>;
  stop(): void;
}

export class Jobs {
  readonly #engine: Engine;
  readonly #runner: StatementRunner;
  readonly #nowMs: () => number;
  readonly #jobs = new Map<string, Job>();
  #number = 0;

  constructor(engine: Engine, runner: StatementRunner, nowMs: () => number) {
    this.#engine = engine;
    this.#runner = runner;
    this.#nowMs = nowMs;
  }

  /** Begins a query job. `query` is what JobConfigurationQuery and QueryRequest have in common. */
  start(projectId: string, query: Json, configuration: Json, reference: Json, isDryRun: boolean): Job {
    const id =
      typeof reference.jobId === 'string'
        ? reference.jobId
        : `job_simulated_${(++this.#number).toString().padStart(8, '0')}`;
    if (this.#jobs.has(`${projectId}:${id}`))
      throw duplicate(`Already Exists: Job ${projectId}:${textOr(reference.location, 'US')}.${id}`);
    const job: Job = {
      projectId,
      id,
      location: textOr(reference.location, 'US'),
      configuration,
      createdMs: this.#nowMs(),
      isDryRun,
      statementType: 'SELECT',
      endedMs: null,
      failure: null,
      result: null,
      fields: [],
      affectedRows: null,
      done: Promise.resolve(),
      stop: () => undefined,
    };
    job.done = this.#run(job, query)
      .catch((error: unknown) => {
        job.failure =
          error instanceof Refused
            ? error
            : new Refused(500, 'internalError', error instanceof Error ? error.message : String(error));
      })
      .finally(() => (job.endedMs = this.#nowMs()));
    if (!isDryRun) this.#keep(job);
    return job;
  }

  get(projectId: string, id: string): Job {
    const job = this.#jobs.get(`${projectId}:${id}`);
    if (job === undefined) throw notFound(`Not found: Job ${projectId}:${id}`);
    return job;
  }

  list(projectId: string): readonly Job[] {
    return [...this.#jobs.values()].filter((job) => job.projectId === projectId).reverse();
  }

  close(): void {
    for (const job of this.#jobs.values()) job.result?.close();
  }

  async #run(job: Job, query: Json): Promise<void> {
    const sql = textOf(query.query, 'query');
    if (query.useLegacySql !== false) throw notSimulated('Legacy SQL (useLegacySql is not false)');
    if (isJson(query.destinationTable)) throw notSimulated('A destination table of a query');
    const defaults = defaultsOf(job.projectId, query);
    const statements = statementsOf(sql);
    job.statementType = statements.length === 1 ? statements[0]!.type : 'SCRIPT';
    const parameter = parametersOf(query);
    for (const statement of statements) await this.#runOne(job, statement, defaults, parameter);
  }

  async #runOne(
    job: Job,
    statement: Statement,
    defaults: Defaults,
    parameter: ReturnType<typeof parametersOf>,
  ): Promise<void> {
    const request = { sql: statement.sql, defaults, parameter };
    if (statement.type === 'SELECT') {
      if (job.isDryRun) job.fields = await this.#engine.describe(request);
      else {
        job.result?.close();
        job.result = await this.#engine.query(request, (stop) => (job.stop = stop));
        job.fields = job.result.fields;
      }
    } else job.affectedRows = await this.#runner.run(statement, request, job.isDryRun);
  }

  #keep(job: Job): void {
    this.#jobs.set(`${job.projectId}:${job.id}`, job);
    const withResults = [...this.#jobs.values()].filter(({ result }) => result !== null);
    for (const old of withResults.slice(0, Math.max(0, withResults.length - RESULTS_KEPT))) {
      old.result?.close();
      old.result = null;
      old.failure = notFound(`Not found: the result of job ${old.id} has expired`);
    }
    for (const key of [...this.#jobs.keys()].slice(0, Math.max(0, this.#jobs.size - JOBS_KEPT))) this.#jobs.delete(key);
  }
}

function defaultsOf(projectId: string, query: Json): Defaults {
  if (!isJson(query.defaultDataset)) return { projectId, datasetId: null };
  const { projectId: own, datasetId } = query.defaultDataset;
  return { projectId: textOr(own, projectId), datasetId: textOf(datasetId, 'defaultDataset.datasetId') };
}

export function jobJson(job: Job): Json {
  const failure =
    job.failure === null
      ? null
      : {
          reason: job.failure.reason,
          message: job.failure.message,
          ...(job.failure.location === null ? {} : { location: job.failure.location }),
        };
  return {
    kind: 'bigquery#job',
    id: `${job.projectId}:${job.location}.${job.id}`,
    jobReference: { projectId: job.projectId, jobId: job.id, location: job.location },
    configuration: job.configuration,
    status: {
      state: job.endedMs === null ? 'RUNNING' : 'DONE',
      ...(failure === null ? {} : { errorResult: failure, errors: [failure] }),
    },
    statistics: {
      creationTime: String(job.createdMs),
      startTime: String(job.createdMs),
      ...(job.endedMs === null ? {} : { endTime: String(job.endedMs) }),
      totalBytesProcessed: '0',
      query: {
        statementType: job.statementType,
        totalBytesProcessed: '0',
        cacheHit: false,
        ...(job.isDryRun ? { schema: { fields: job.fields } } : {}),
        ...(job.affectedRows === null ? {} : { numDmlAffectedRows: String(job.affectedRows) }),
      },
    },
    user_email: 'simulator@example.com',
  };
}

export type PageRows = readonly (readonly DuckDBValue[])[];

/** `configuration.query` of jobs.insert. */
export function queryConfiguration(configuration: Json): Json {
  const other = ['load', 'copy', 'extract'].find((kind) => configuration[kind] !== undefined);
  if (other !== undefined) throw notSimulated(`A job of type ${other}`);
  if (configuration.query === undefined) throw invalid('Required parameter is missing: configuration.query');
  return jsonOf(configuration.query, 'configuration.query');
}
