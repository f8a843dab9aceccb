/**
 * Runs statements. A query's result is kept as a table of its own until it is let go, as the service keeps its results, so
 * that pages of it cost no memory here; what a query reads of tables with changes is settled first.
 */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { Table } from '../catalog/catalog.ts';
import type { Field } from '../catalog/fields.ts';
import { resultFieldOf } from '../store/duck-types.ts';
import type { Store } from '../store/store.ts';
import { queryFailure } from './failures.ts';
import type { Token } from './lexer.ts';
import { translated, type Defaults } from './relations.ts';

export interface QueryRequest {
  readonly sql: string;
  readonly defaults: Defaults;
  readonly parameter: (token: Token) => string;
}

export interface QueryResult {
  readonly fields: readonly Field[];
  readonly totalRows: number;
  page(offset: number, limit: number): Promise<readonly (readonly DuckDBValue[])[]>;
  close(): void;
}

export class Engine {
  readonly store: Store;
  readonly #nowMs: () => number;

  constructor(store: Store, nowMs: () => number) {
    this.store = store;
    this.#nowMs = nowMs;
  }

  /** The columns a query would give; throws what is wrong with it. Nothing is run. */
  async describe(request: QueryRequest): Promise<readonly Field[]> {
    const { sql, connection } = await this.#begin(request);
    try {
      const prepared = await connection.prepare(`SELECT * FROM (${sql})`);
      return Array.from({ length: prepared.columnCount }, (_, at) =>
        resultFieldOf(prepared.columnName(at), prepared.columnType(at)),
      );
    } catch (error) {
      throw queryFailure(error, request.sql);
    } finally {
      connection.closeSync();
    }
  }

  /** `onStart` is given what stops the query. */
  async query(request: QueryRequest, onStart: (stop: () => void) => void): Promise<QueryResult> {
    const { sql, tables, connection } = await this.#begin(request);
    try {
      onStart(() => connection.interrupt());
      for (const table of tables) await this.store.settle(table);
      await connection.run(`CREATE TEMP TABLE results AS ${sql}`);
      const counted = await connection.runAndReadAll('SELECT count(*) FROM results');
      const shape = await connection.run('SELECT * FROM results LIMIT 0');
      const fields = shape.columnNames().map((name, at) => resultFieldOf(name, shape.columnType(at)));
      const totalRows = Number(counted.getRows()[0]?.[0] ?? 0);
      return {
        fields,
        totalRows,
        page: (offset, limit) => page(connection, offset, limit),
        close: () => connection.closeSync(),
      };
    } catch (error) {
      connection.closeSync();
      throw queryFailure(error, request.sql);
    }
  }

  /** The instant a query begins, as a literal of DuckDB. */
  now(): string {
    return `make_timestamptz(${Math.round(this.#nowMs() * 1_000)})`;
  }

  async #begin(
    request: QueryRequest,
  ): Promise<{ sql: string; tables: readonly Table[]; connection: DuckDBConnection }> {
    const { sql, tables } = translated(request.sql, this.store, request.defaults, this.now(), request.parameter);
    return { sql, tables, connection: await this.store.database.connect() };
  }
}

async function page(
  connection: DuckDBConnection,
  offset: number,
  limit: number,
): Promise<readonly (readonly DuckDBValue[])[]> {
  const read = await connection.runAndReadAll(
    `SELECT * FROM results WHERE rowid >= ${offset} AND rowid < ${offset + limit}`,
  );
  return read.getRows();
}
