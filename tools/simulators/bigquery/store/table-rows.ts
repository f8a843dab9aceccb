/**
 * The rows of one table. Plain rows go to the base; changes by key wait in a second table, as BigQuery keeps them apart,
 * and are applied to the base when a query needs them: the newest change of each key wins, by sequence, then by arrival.
 *
 *   append ──▶ changes ──apply──▶ base ──▶ queries
 *   append (no change type) ─────▶ base
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Field } from '../catalog/fields.ts';
import { Appending, HIDDEN, type Row } from './appending.ts';
import type { Database } from './database.ts';
import { duckTypeOf, quoted } from './duck-types.ts';

/** The service forgets a delete after two days: an older change that arrives later makes the row anew. */
export const DELETES_KEPT_MS = 2 * 24 * 3_600_000;
/** Unread changes of a table that many queries may see are applied in between, to bound them. */
const APPLY_AT = 200_000;

export interface Shape {
  readonly storeId: number;
  readonly fields: readonly Field[];
  readonly primaryKey: readonly string[];
}

export class TableRows {
  readonly #database: Database;
  readonly #base: string;
  readonly #changes: string;
  #shape: Shape;
  #open: Promise<{ base: Appending; changes: Appending; connection: DuckDBConnection }> | null = null;
  #exclusive: Promise<unknown> = Promise.resolve();
  #reshaping: Promise<unknown> | null = null;
  #arrivals = 0;
  /** Changes that may wait: all, until the file was looked at. */
  #waiting = Number.POSITIVE_INFINITY;
  #hasTombstones = true;

  constructor(database: Database, shape: Shape) {
    this.#database = database;
    this.#shape = shape;
    this.#base = `t${shape.storeId}`;
    this.#changes = `t${shape.storeId}_changes`;
  }

  get hasChanges(): boolean {
    return this.#waiting > 0;
  }

  async create(): Promise<void> {
    const columns = [
      ...HIDDEN,
      ...this.#shape.fields.map((field) => `${quoted(field.name)} ${duckTypeOf(field)}`),
    ].join(', ');
    await this.#database.transaction([
      `CREATE TABLE ${this.#base} (${columns})`,
      `CREATE TABLE ${this.#changes} (${columns})`,
    ]);
    this.#waiting = 0;
    this.#hasTombstones = false;
  }

  async drop(): Promise<void> {
    await this.#reshape([`DROP TABLE ${this.#base}`, `DROP TABLE ${this.#changes}`]);
  }

  /** Rows in the order of their arrival. Visible to the next query; all of them or, if this throws, none. */
  async append(rows: readonly Row[], nowMs: number): Promise<void> {
    while (this.#reshaping !== null) await this.#reshaping;
    const { base, changes } = await (this.#open ??= this.#opened());
    for (const row of rows) {
      this.#arrivals++;
      if (row.change === null) base.add(row, this.#arrivals, nowMs);
      else {
        changes.add(row, this.#arrivals, nowMs);
        this.#waiting++;
        this.#hasTombstones ||= row.change.kind === 'DELETE';
      }
    }
  }

  /** Applies the changes that arrived up to a time; `nowMs` says which tombstones are forgotten. */
  apply(upToMs: number, nowMs: number): Promise<void> {
    const turn = this.#exclusive.then(() => this.#apply(upToMs, nowMs));
    this.#exclusive = turn.catch(() => undefined);
    return turn;
  }

  needsRoom(): boolean {
    return Number.isFinite(this.#waiting) && this.#waiting >= APPLY_AT;
  }

  async flush(): Promise<void> {
    if (this.#open === null) return;
    const { base, changes } = await this.#open;
    base.flush();
    changes.flush();
  }

  /** Brings the stored columns to the new shape; `statements` are DuckDB's, `{}` stands for each of the two tables. */
  async reshape(shape: Shape, statements: readonly string[]): Promise<void> {
    const both = statements.flatMap((sql) => [sql.replace('{}', this.#base), sql.replace('{}', this.#changes)]);
    await this.#reshape(both);
    this.#shape = shape;
  }

  /** What a query reads: the user's columns of the rows that are not tombstones. */
  relation(): string {
    const columns = this.#shape.fields.map((field) => quoted(field.name)).join(', ');
    return `(SELECT ${columns} FROM ${this.#base} WHERE NOT __ROOT__d)`;
  }

  /** For statements that change rows; only where no change by key was ever taken. */
  get stored(): string {
    return this.#base;
  }

  async #reshape(statements: readonly string[]): Promise<void> {
    while (this.#reshaping !== null) await this.#reshaping;
    const turn = this.#exclusive.then(async () => {
      await this.#close();
      await this.#database.transaction(statements);
    });
    this.#exclusive = turn.catch(() => undefined);
    this.#reshaping = this.#exclusive;
    await turn.finally(() => (this.#reshaping = null));
  }

  async #opened() {
    const connection = await this.#database.connect();
    const { fields } = this.#shape;
    const base = new Appending(await connection.createAppender(this.#base), fields);
    const changes = new Appending(await connection.createAppender(this.#changes), fields);
    if (this.#arrivals === 0) await this.#lookAtFile(connection);
    return { base, changes, connection };
  }

  async #lookAtFile(connection: DuckDBConnection): Promise<void> {
    const found = await connection.runAndReadAll(
      `SELECT greatest((SELECT max(__ROOT__n) FROM ${this.#base}), (SELECT max(__ROOT__n) FROM ${this.#changes})), (SELECT count(*) FROM ${this.#changes})`,
    );
    const [latest, waiting] = found.getRows()[0] ?? [];
    this.#arrivals = Number(latest ?? 0);
    this.#waiting = Number(waiting ?? 0);
  }

  async #close(): Promise<void> {
    const open = this.#open;
    if (open === null) return;
    this.#open = null;
    const { base, changes, connection } = await open;
    base.close();
    changes.close();
    connection.closeSync();
  }

  async close(): Promise<void> {
    await this.#exclusive;
    await this.#close();
  }

  async #apply(upToMs: number, nowMs: number): Promise<void> {
    await this.flush();
    if (this.#waiting === 0) return;
    const arrived = `__ROOT__t <= ${upToMs} AND __ROOT__n <= ${this.#arrivals || Number.MAX_SAFE_INTEGER}`;
    const keys = this.#shape.primaryKey.map(quoted);
    const sameKey = keys.map((key) => `b.${key} IS NOT DISTINCT FROM w.${key}`).join(' AND ') || 'false';
    const forget = this.#hasTombstones
      ? [`DELETE FROM ${this.#base} WHERE __ROOT__d AND __ROOT__t < ${nowMs - DELETES_KEPT_MS}`]
      : [];
    const listed = keys.length === 0 ? '' : `, ${keys.join(', ')}`;
    await this.#database.transaction([
      ...forget,
      `CREATE OR REPLACE TEMP TABLE winners AS SELECT __ROOT__n, __ROOT__s${listed} FROM ${this.#changes} WHERE ${arrived}
         QUALIFY row_number() OVER (PARTITION BY ${keys.join(', ') || '__ROOT__n'} ORDER BY __ROOT__s DESC, __ROOT__n DESC) = 1`,
      `DELETE FROM winners AS w USING ${this.#base} AS b WHERE ${sameKey} AND b.__ROOT__s IS NOT NULL
         AND (b.__ROOT__s > w.__ROOT__s OR (b.__ROOT__s = w.__ROOT__s AND b.__ROOT__n > w.__ROOT__n))`,
      `DELETE FROM ${this.#base} AS b USING winners AS w WHERE ${sameKey} AND (b.__ROOT__s IS NOT NULL OR b.__ROOT__n < w.__ROOT__n)`,
      `INSERT INTO ${this.#base} SELECT c.* FROM ${this.#changes} AS c SEMI JOIN winners AS w ON c.__ROOT__n = w.__ROOT__n`,
      `DELETE FROM ${this.#changes} WHERE ${arrived}`,
    ]);
    this.#waiting = Math.max(0, await this.#count());
  }

  async #count(): Promise<number> {
    await this.flush();
    const found = await this.#database.exclusive((writer) =>
      writer.runAndReadAll(`SELECT count(*) FROM ${this.#changes}`),
    );
    return Number(found.getRows()[0]?.[0] ?? 0);
  }
}
