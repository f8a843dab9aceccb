/**
 * The fastest way in: data chunks written column by column and handed to an appender, which puts rows straight where they
 * stay. One chunk is used again and again, since a new one a slice would grow native memory until the next collection.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DuckDBDataChunk, type DuckDBAppender, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import { SLICE_ROWS } from '../rows.ts';

/** `columns[c][row]`; null stands for a column of nulls. */
export type ColumnValues = readonly (readonly DuckDBValue[] | null)[];

export class Appending {
  readonly #appender: DuckDBAppender;
  readonly #chunk: DuckDBDataChunk;

  private constructor(appender: DuckDBAppender) {
    this.#appender = appender;
    const types = Array.from({ length: appender.columnCount }, (_, c) => appender.columnType(c));
    this.#chunk = DuckDBDataChunk.create(types);
  }

  static async to(
    connection: DuckDBConnection,
    table: string,
    schema: string,
    catalog: string | null,
  ): Promise<Appending> {
    return new Appending(await connection.createAppender(table, schema, catalog));
  }

  /** Appends these rows within the connection's transaction, letting the event loop turn between slices. */
  async append(rows: readonly number[], columns: ColumnValues): Promise<void> {
    for (let from = 0; from < rows.length; from += SLICE_ROWS) {
      if (from > 0) await nextTurn();
      this.#fill(rows.slice(from, from + SLICE_ROWS), columns);
      this.#appender.appendDataChunk(this.#chunk);
    }
    this.#appender.flushSync();
  }

  #fill(rows: readonly number[], columns: ColumnValues): void {
    this.#chunk.reset();
    this.#chunk.rowCount = rows.length;
    columns.forEach((values, c) => {
      const vector = this.#chunk.getColumnVector(c);
      for (let at = 0; at < rows.length; at++) {
        vector.setItem(at, values === null ? null : (values[rows[at] as number] ?? null));
      }
      vector.flush();
    });
  }
}
