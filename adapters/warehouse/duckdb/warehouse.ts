/**
 * The warehouse port on one DuckDB file. Writes take turns on one connection; queries run beside them on their own.
 * When DuckDB has given up on its instance (a full disk in the middle of a commit), the file is opened again at the next
 * call: what had been committed is there.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '#core/clock.ts';
import { DependencyDown } from '#core/errors.ts';
import type { RecordKey } from '#core/key.ts';
import type { QueryLimits, QueryRow, RefusedRow, Row, Table, View, WarehousePort } from '#core/ports/warehouse.ts';
import { Checkpoints } from './checkpoints.ts';
import { applyError, breaksInstance, kindOf, writeError } from './errors.ts';
import { Exclusive } from './exclusive.ts';
import type { KeyFilter } from './key-filter.ts';
import { liveIdPages } from './live-ids.ts';
import { runQuery } from './query.ts';
import { planSteps, type Schemas, type Step } from './schema.ts';
import { openSession, type Session, type SessionOptions } from './session.ts';
import { TableWriter } from './table-writer.ts';

export interface WarehouseOptions extends SessionOptions {
  readonly clock: Clock;
  readonly schemas: Schemas;
}

export class DuckdbWarehouse implements WarehousePort {
  readonly #options: WarehouseOptions;
  readonly #turns = new Exclusive();
  readonly #checkpoints: Checkpoints;
  readonly #writers = new Map<string, TableWriter>();
  /** Outlive a reopening: a filter may know too many keys, never too few. */
  readonly #filters = new Map<string, KeyFilter>();
  readonly #readers = new Set<DuckDBConnection>();
  #session: Session | undefined;
  #closed = false;

  constructor(options: WarehouseOptions, session: Session) {
    this.#options = options;
    this.#session = session;
    this.#checkpoints = new Checkpoints({
      clock: options.clock,
      walBytes: async () => this.#session?.walBytes() ?? 0,
      checkpoint: () => this.#write(async ({ writer }) => void (await writer.run('CHECKPOINT'))),
    });
  }

  async upsert(table: Table, rows: readonly Row[]): Promise<readonly RefusedRow[]> {
    if (rows.length === 0) return [];
    const refused = await this.#write((session) => this.#upsertOnce(session, table, rows));
    await this.#checkpoints.committed();
    return refused;
  }

  async plan(tables: readonly Table[], views: readonly View[]): Promise<readonly string[]> {
    const steps = await this.#write(({ writer }) => this.#steps(writer, tables, views));
    return steps.map((step) => step.line);
  }

  async apply(tables: readonly Table[], views: readonly View[]): Promise<void> {
    await this.#write(async (session) => {
      const steps = await this.#steps(session.writer, tables, views);
      this.#forgetWriters();
      await inTransaction(
        session.writer,
        steps.flatMap((step) => step.sql),
      );
    });
  }

  async *query(sql: string, limits: QueryLimits): AsyncGenerator<readonly QueryRow[]> {
    yield* this.#reading((connection) => runQuery(connection, this.#options.clock, sql, limits));
  }

  async *liveIds(
    table: Table,
    object: Omit<RecordKey, 'id'>,
    beforeSequence: number,
  ): AsyncGenerator<readonly string[]> {
    const { store } = this.#options.schemas;
    yield* this.#reading((connection) => liveIdPages(connection, store, table, object, beforeSequence));
  }

  /** Waits for the writes under way, ends the queries, and leaves one file without a log. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#checkpoints.stop();
    await this.#turns.run(async () => {
      for (const reader of this.#readers) this.#closeReader(reader);
      this.#forgetWriters();
      await this.#session?.writer.run('CHECKPOINT').catch(() => undefined);
      this.#dropSession();
    });
  }

  #steps(writer: DuckDBConnection, tables: readonly Table[], views: readonly View[]): Promise<readonly Step[]> {
    return planSteps(writer, this.#options.schemas, tables, views).catch((error: unknown) => {
      throw applyError(error);
    });
  }

  async #upsertOnce(session: Session, table: Table, rows: readonly Row[]): Promise<readonly RefusedRow[]> {
    try {
      return await (await this.#writerOf(session, table)).upsert(rows);
    } catch (error) {
      this.#forgetWriters();
      if (kindOf(error) !== 'Out of Memory' || this.#readers.size === 0) throw error;
      // Queries share DuckDB's memory with the writer, which has the right of way.
      for (const reader of this.#readers) reader.interrupt();
      return (await this.#writerOf(session, table)).upsert(rows);
    }
  }

  async #writerOf(session: Session, table: Table): Promise<TableWriter> {
    const known = this.#writers.get(table.name);
    if (known?.table === table) return known;
    const writer = await TableWriter.open({
      connection: session.writer,
      schema: this.#options.schemas.store,
      table,
      filter: this.#filters.get(table.name),
    });
    this.#filters.set(table.name, writer.filter);
    this.#writers.set(table.name, writer);
    return writer;
  }

  #write<T>(work: (session: Session) => Promise<T>): Promise<T> {
    this.#refuseIfClosed();
    return this.#turns.run(async () => {
      try {
        return await work(await this.#opened());
      } catch (error) {
        if (breaksInstance(error)) this.#dropSession();
        throw writeError(error);
      }
    });
  }

  async *#reading<T>(read: (connection: DuckDBConnection) => AsyncGenerator<T>): AsyncGenerator<T> {
    this.#refuseIfClosed();
    const connection = await (await this.#turnFreeSession()).connect();
    this.#readers.add(connection);
    try {
      yield* read(connection);
    } finally {
      this.#closeReader(connection);
    }
  }

  /** A query does not wait behind writes, except to open the file again. */
  async #turnFreeSession(): Promise<Session> {
    return this.#session ?? (await this.#write((session) => Promise.resolve(session)));
  }

  async #opened(): Promise<Session> {
    this.#session ??= await openSession(this.#options);
    return this.#session;
  }

  #closeReader(connection: DuckDBConnection): void {
    if (!this.#readers.delete(connection)) return;
    connection.interrupt();
    connection.closeSync();
  }

  #forgetWriters(): void {
    this.#writers.clear();
  }

  #dropSession(): void {
    this.#forgetWriters();
    for (const reader of this.#readers) this.#closeReader(reader);
    this.#session?.close();
    this.#session = undefined;
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new DependencyDown('warehouse', 'The warehouse was closed: the program is stopping.');
  }
}

async function inTransaction(connection: DuckDBConnection, statements: readonly string[]): Promise<void> {
  await connection.run('BEGIN');
  try {
    for (const statement of statements) await connection.run(statement);
    await connection.run('COMMIT');
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw applyError(error);
  }
}
