/**
 * Writes one table, which holds one row per key without an index: DuckDB's primary key takes random updates at 1,300
 * rows a second. A batch is one transaction:
 *
 *     keys the filter has never seen ────────────────────────────────┐
 *     keys it may hold ─▶ candidates ─▶ delete older rows ─▶ newer ──┴▶ append ─▶ commit
 *                                            └─ stored is as new or newer ─▶ dropped
 *
 * So it commits whole or not at all, and a row is applied only if its version is greater than the stored one.
 */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { Misconfigured } from '#core/errors.ts';
import { keyText } from '#core/key.ts';
import { SYSTEM_COLUMNS, type RefusedRow, type Row, type Table } from '#core/ports/warehouse.ts';
import { Appending } from './appending.ts';
import { COLUMN_KINDS } from './columns.ts';
import { KeyFilter } from './key-filter.ts';
import { prepareRows, type PreparedRows } from '../rows.ts';
import { physicalColumns } from './schema.ts';
import { quoted } from './sql.ts';

/** The key and the version are the first columns of every table. */
const KEY = ['source', 'instance', 'object', 'id'];
const VERSION = ['epoch', 'source_sequence', 'issued_micros', 'generation'];
const SAME_KEY = KEY.map((name) => `candidate.${name} = stored.${name}`).join(' AND ');
const NEWER = `(${of('candidate', VERSION)}) > (${of('stored', VERSION)})`;

export interface TableWriterOptions {
  readonly connection: DuckDBConnection;
  readonly schema: string;
  readonly table: Table;
  /** What an earlier writer of this table knew; without it the table's keys are read, once. */
  readonly filter: KeyFilter | undefined;
}

interface Parts extends TableWriterOptions {
  readonly filter: KeyFilter;
  readonly rows: Appending;
  readonly candidates: Appending;
  /** For each stored column, which prepared column goes there; -1 for one that the schema no longer has. */
  readonly sources: readonly number[];
}

export class TableWriter {
  readonly table: Table;
  readonly filter: KeyFilter;
  readonly #parts: Parts;
  readonly #supersede: string;
  readonly #notSuperseded: string;

  private constructor(parts: Parts) {
    this.table = parts.table;
    this.filter = parts.filter;
    this.#parts = parts;
    const stored = `${quoted(parts.schema)}.${quoted(parts.table.name)} AS stored`;
    this.#supersede = `DELETE FROM ${stored} USING temp.candidate AS candidate WHERE ${SAME_KEY} AND ${NEWER}`;
    this.#notSuperseded = `SELECT candidate.position FROM temp.candidate AS candidate JOIN ${stored} ON ${SAME_KEY}`;
  }

  /** Throws `Misconfigured` if the stored table is not as the schema says. */
  static async open(options: TableWriterOptions): Promise<TableWriter> {
    const { connection, schema, table } = options;
    const sources = await sourcesOf(connection, schema, table);
    const filter = options.filter ?? (await loadFilter(connection, schema, table));
    await connection.run(
      `CREATE TEMP TABLE IF NOT EXISTS candidate (position INTEGER, ${declare(KEY, 'VARCHAR')}, ${declare(VERSION, 'BIGINT')})`,
    );
    const rows = await Appending.to(connection, table.name, schema, null);
    const candidates = await Appending.to(connection, 'candidate', 'main', 'temp');
    return new TableWriter({ connection, schema, table, filter, rows, candidates, sources });
  }

  /** After an error nothing was written, and this writer must not be used again. */
  async upsert(batch: readonly Row[]): Promise<readonly RefusedRow[]> {
    const prepared = await prepareRows(COLUMN_KINDS, this.table, batch);
    if (prepared.accepted.length === 0) return prepared.refused;
    const { connection, filter } = this.#parts;
    await connection.run('BEGIN');
    try {
      const outdated = await this.#supersedeStored(prepared);
      // Before the commit: should it fail after all was kept, the filter must know the keys.
      for (const index of prepared.accepted) filter.add(prepared.keyTexts[index] as string);
      await this.#append(prepared, outdated);
      await connection.run('COMMIT');
    } catch (error) {
      await connection.run('ROLLBACK').catch(() => undefined);
      throw error;
    }
    return prepared.refused;
  }

  /** Deletes the stored rows that the batch supersedes; answers the batch's rows that are not newer than what is stored. */
  async #supersedeStored(prepared: PreparedRows<DuckDBValue>): Promise<ReadonlySet<number>> {
    const { connection, filter, candidates } = this.#parts;
    const known = prepared.accepted.filter((index) => filter.mayHold(prepared.keyTexts[index] as string));
    if (known.length === 0) return new Set();
    await connection.run('TRUNCATE temp.candidate');
    const positions = prepared.keyTexts.map((_, index) => index);
    await candidates.append(known, [positions, ...prepared.columns.slice(0, KEY.length + VERSION.length)]);
    const { rowsChanged } = await connection.run(this.#supersede);
    if (rowsChanged === known.length) return new Set();
    const left = await connection.runAndReadAll(this.#notSuperseded);
    return new Set((left.getColumns()[0] ?? []).map(Number));
  }

  async #append(prepared: PreparedRows<DuckDBValue>, outdated: ReadonlySet<number>): Promise<void> {
    const applied = prepared.accepted.filter((index) => !outdated.has(index));
    const columns = this.#parts.sources.map((source) => prepared.columns[source] ?? null);
    await this.#parts.rows.append(applied, columns);
  }
}

/** Where each stored column's values come from: a column added later stands last in the table, not where the schema has it. */
async function sourcesOf(connection: DuckDBConnection, schema: string, table: Table): Promise<number[]> {
  const prepared = [...SYSTEM_COLUMNS, ...table.columns];
  const stored = await physicalColumns(connection, schema, table.name);
  const asDeclared = prepared.every((column) => stored.get(column.name) === COLUMN_KINDS[column.type].sqlType);
  if (!asDeclared) {
    throw new Misconfigured(
      'table_not_applied',
      `Table ${table.name} is missing or not as the schemas say: apply the schemas before writing.`,
    );
  }
  return [...stored.keys()].map((name) => prepared.findIndex((column) => column.name === name));
}

async function loadFilter(connection: DuckDBConnection, schema: string, table: Table): Promise<KeyFilter> {
  const filter = new KeyFilter();
  const held = await connection.stream(`SELECT ${KEY.join(', ')} FROM ${quoted(schema)}.${quoted(table.name)}`);
  for await (const chunk of held) {
    const [sources = [], instances = [], objects = [], ids = []] = chunk.getColumns() as string[][];
    ids.forEach((id, row) => {
      filter.add(
        keyText({ source: sources[row] ?? '', instance: instances[row] ?? '', object: objects[row] ?? '', id }),
      );
    });
  }
  return filter;
}

function of(alias: string, names: readonly string[]): string {
  return names.map((name) => `${alias}.${name}`).join(', ');
}

function declare(names: readonly string[], type: string): string {
  return names.map((name) => `${name} ${type}`).join(', ');
}
