/**
 * The warehouse of the cloud: rows by the Storage Write API, everything else by REST.
 *
 *     upsert ─▶ checked ─▶ protobuf ─▶ default stream ─▶ BigQuery keeps the greatest version of each key
 *
 * Two figures of freshness: a row is *appended* when `upsert` resolves, durable and never lost; it is *visible* to a query
 * at once with a staleness of 0, which each query pays for by merging, or after at most the configured staleness.
 */
import type { RecordKey } from '#core/key.ts';
import type { QueryLimits, RefusedRow, Row, Table, View, WarehousePort } from '#core/ports/warehouse.ts';
import { restError } from './errors.ts';
import { liveIdPages } from './live-ids.ts';
import { storeDataset, type BigqueryOptions } from './options.ts';
import { planSteps, type Step } from './plan.ts';
import { pagesOf, runQuery, type QueryOptions } from './query.ts';
import type { Json, Rest } from './rest.ts';
import { storedTable } from './stored.ts';
import type { Writers } from './writers.ts';

/** A change of a large table's columns may wait for its place among the table's other changes. */
const DDL_LIMITS = { rows: 1, timeoutMs: 300_000 };

export class BigqueryWarehouse implements WarehousePort {
  readonly #options: BigqueryOptions;
  readonly #rest: Rest;
  readonly #writers: Writers;

  constructor(options: BigqueryOptions, rest: Rest, writers: Writers) {
    this.#options = options;
    this.#rest = rest;
    this.#writers = writers;
  }

  async upsert(table: Table, rows: readonly Row[]): Promise<readonly RefusedRow[]> {
    if (rows.length === 0) return [];
    return this.#writers.of(table).upsert(rows);
  }

  async plan(tables: readonly Table[], views: readonly View[]): Promise<readonly string[]> {
    return (await this.#steps(tables, views)).map(({ line }) => line);
  }

  async apply(tables: readonly Table[], views: readonly View[], made?: (line: string) => void): Promise<void> {
    const steps = await this.#steps(tables, views);
    if (steps.length === 0) return;
    await this.#writers.renew();
    for (const step of steps) {
      await this.#make(step);
      made?.(step.line);
    }
  }

  query(sql: string, limits: QueryLimits): AsyncIterable<readonly Readonly<Record<string, unknown>>[]> {
    return runQuery(this.#reading(), sql, limits);
  }

  liveIds(table: Table, object: Omit<RecordKey, 'id'>, beforeSequence: number): AsyncIterable<readonly string[]> {
    return liveIdPages(this.#reading(), table, object, beforeSequence);
  }

  /** Ends the connections after what is under way; within seconds, even where the service hangs. */
  close(): Promise<void> {
    return this.#writers.close();
  }

  #steps(tables: readonly Table[], views: readonly View[]): Promise<readonly Step[]> {
    return planSteps({ ...this.#options, rest: this.#rest }, tables, views);
  }

  async #make({ line, sql, tags }: Step): Promise<void> {
    // Names in our statements are whole: a default dataset that is still to be made would be refused.
    const options = { ...this.#reading(), dataset: undefined };
    try {
      for (const statement of sql) for await (const _page of pagesOf(options, statement, [], DDL_LIMITS)) break;
      if (tags !== undefined) await this.#tag(tags.table, new Set(tags.columns));
    } catch (error) {
      throw restError(error instanceof Error && error.cause !== undefined ? error.cause : error, `to ${line}`);
    }
  }

  /** SQL has no word for policy tags: the whole schema goes back with them. */
  async #tag(name: string, columns: ReadonlySet<string>): Promise<void> {
    const { policyTag } = this.#options;
    const dataset = storeDataset(this.#options);
    const stored = await storedTable(this.#rest, dataset, name);
    if (policyTag === null || stored === undefined) return;
    const fields = ((stored.schema['fields'] ?? []) as readonly Json[]).map((field) =>
      columns.has(String(field['name'])) ? { ...field, policyTags: { names: [policyTag] } } : field,
    );
    await this.#rest.request('PATCH', `/datasets/${dataset}/tables/${name}`, { body: { schema: { fields } } });
  }

  #reading(): QueryOptions & { readonly dataset: string } {
    const { clock, projectId, location, dataset } = this.#options;
    return { rest: this.#rest, clock, projectId, location, dataset };
  }
}
