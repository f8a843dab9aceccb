/**
 * The DuckDB that holds the rows: one instance with a bound on memory, one connection that writes, others for queries. No
 * statement can reach files or the network. `transaction` runs one writer at a time.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { Dataset, Shelf, Table } from '../catalog/catalog.ts';

export interface DatabaseOptions {
  /** A DuckDB file; null: in memory, gone at the end. */
  readonly file: string | null;
  /** DuckDB's notation, e.g. `512MB`; what does not fit spills to a folder of its own. */
  readonly memoryLimit: string;
  readonly threads: number;
}

export class Database implements Shelf {
  readonly writer: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #spill: string;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection, spill: string) {
    this.#instance = instance;
    this.writer = writer;
    this.#spill = spill;
  }

  static async open(options: DatabaseOptions): Promise<Database> {
    const spill = await mkdtemp(join(tmpdir(), 'bigquery-simulator-'));
    const instance = await DuckDBInstance.create(options.file ?? ':memory:', {
      memory_limit: options.memoryLimit,
      threads: String(options.threads),
      temp_directory: spill,
      // As in GoogleSQL: NULLs first when ascending, last when descending.
      default_null_order: 'nulls_first_on_asc_last_on_desc',
      enable_external_access: 'false',
    });
    const writer = await instance.connect();
    await writer.run("SET GLOBAL TimeZone = 'UTC'");
    await writer.run('SET GLOBAL lock_configuration = true');
    await writer.run(
      'CREATE TABLE IF NOT EXISTS catalog (kind VARCHAR, key VARCHAR, value VARCHAR, PRIMARY KEY (kind, key))',
    );
    return new Database(instance, writer, spill);
  }

  connect(): Promise<DuckDBConnection> {
    return this.#instance.connect();
  }

  /** Runs `act` alone on the writing connection. What it throws is thrown here and leaves the next one untouched. */
  exclusive<T>(act: (writer: DuckDBConnection) => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => act(this.writer));
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  transaction(statements: readonly string[]): Promise<void> {
    return this.exclusive(async (writer) => {
      await writer.run('BEGIN');
      try {
        for (const statement of statements) await writer.run(statement);
        await writer.run('COMMIT');
      } catch (error) {
        await writer.run('ROLLBACK');
        throw error;
      }
    });
  }

  put(kind: 'dataset' | 'table', key: string, value: Dataset | Table): Promise<void> {
    return this.exclusive(async (writer) => {
      await writer.run('INSERT OR REPLACE INTO catalog VALUES ($1, $2, $3)', [kind, key, JSON.stringify(value)]);
    });
  }

  remove(kind: 'dataset' | 'table', key: string): Promise<void> {
    return this.exclusive(async (writer) => {
      await writer.run('DELETE FROM catalog WHERE kind = $1 AND key = $2', [kind, key]);
    });
  }

  /** What `put` kept, from an earlier life on the same file. */
  async kept<T extends Dataset | Table>(kind: 'dataset' | 'table'): Promise<readonly T[]> {
    const reader = await this.writer.runAndReadAll('SELECT value FROM catalog WHERE kind = $1 ORDER BY key', [kind]);
    return reader.getRows().map(([value]) => JSON.parse(String(value)) as T);
  }

  async close(): Promise<void> {
    await this.#last;
    this.writer.closeSync();
    this.#instance.closeSync();
    await rm(this.#spill, { recursive: true, force: true });
  }
}
