/**
 * The warehouse port on one DuckDB file. Writes take turns on one connection; queries run beside them on their own.
 * When DuckDB has given up on its instance (a full disk in the middle of a commit), the file is opened again at the next
 * call: what had been committed is there.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Clock } from '#core/clock.ts';
import { DependencyDown, Transient } from '#core/errors.ts';
import type { RecordKey } from '#core/key.ts';
import type { QueryLimits, QueryRow, RefusedRow, Row, Table, View, WarehousePort } from '#core/ports/warehouse.ts';
import { Checkpoints } from './checkpoints.ts';
import { applyError, breaksInstance, kindOf, writeError } from './errors.ts';
import { Exclusive } from './exclusive.ts';
import type { KeyFilter } from './key-filter.ts';
import { liveIdPages } from './live-ids.ts';
import { runQuery } from './query.ts';
import { Reader } from './reader.ts';
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
  readonly #readers = new Set<Reader>();
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

  async apply(tables: readonly Table[], views: readonly View[], made?: (line: string) => void): Promise<void> {
    await this.#write(async (session) => {
      const steps = await this.#steps(session.writer, tables, views);
      this.#forgetWriters();
      await inTransaction(
        session.writer,
        steps.flatMap((step) => step.sql),
      );
      // All or nothing: before the commit none of it is done.
      for (const { line } of steps) made?.(line);
    });
  }

  async *query(sql: string, limits: QueryLimits): AsyncGenerator<readonly QueryRow[]> {
    yield* this.#reading((reader) => runQuery(reader, this.#options.clock, sql, limits, this.#options.schemas.views));
  }

  async *liveIds(
    table: Table,
    object: Omit<RecordKey, 'id'>,
    beforeSequence: number,
  ): AsyncGenerator<readonly string[]> {
    const { store } = this.#options.schemas;
    yield* this.#reading((reader) => liveIdPages(reader, store, table, object, beforeSequence));
  }

  /** Waits for the writes under way, ends the queries, and leaves one file without a log. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#checkpoints.stop();
    await this.#turns.run(async () => {
      await this.#stopReaders(stopping());
      await this.#session?.writer.run('CHECKPOINT').catch(() => undefined);
      await this.#dropSession();
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
      await this.#stopReaders(makingRoom());
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
        if (breaksInstance(error)) await this.#dropSession();
        throw writeError(error);
      }
    });
  }

  async *#reading<T>(read: (reader: Reader) => AsyncGenerator<T>): AsyncGenerator<T> {
    this.#refuseIfClosed();
    const session = await this.#turnFreeSession();
    const reader = new Reader(await session.connect(), this.#options.clock);
    this.#readers.add(reader);
    try {
      if (session !== this.#session) throw stopping();
      yield* read(reader);
    } finally {
      this.#readers.delete(reader);
      await reader.stop(stopping());
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

  #forgetWriters(): void {
    this.#writers.clear();
  }

  async #stopReaders(reason: Error): Promise<void> {
    await Promise.all([...this.#readers].map((reader) => reader.stop(reason)));
  }

  /** Every connection must be gone before the file is opened again. */
  async #dropSession(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#forgetWriters();
    await this.#stopReaders(stopping());
    session?.close();
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw stopping();
  }
}

function stopping(): DependencyDown {
  return new DependencyDown('warehouse', 'The warehouse was closed.');
}

function makingRoom(): Transient {
  const message = 'The query was stopped to make room in memory for writing: try it again, or ask for less at once.';
  return new Transient('query_memory', message);
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
