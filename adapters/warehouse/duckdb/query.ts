/**
 * Runs one statement that only reads, within limits. Three guards, each enough alone: only a statement that reads is
 * prepared; it runs in a read-only transaction; the instance reaches no file and no network.
 */
import { StatementType, type DuckDBConnection, type DuckDBPreparedStatement } from '@duckdb/node-api';
import type { Clock } from '#core/clock.ts';
import { InvalidMessage, Transient } from '#core/errors.ts';
import type { QueryLimits, QueryRow } from '#core/ports/warehouse.ts';
import { queryError } from './errors.ts';
import type { Reader } from './reader.ts';
import { quoted } from './sql.ts';
import { plain } from './values.ts';

/** DESCRIBE, SHOW, SUMMARIZE, VALUES and FROM-first are SELECT to DuckDB. */
const READS: readonly StatementType[] = [StatementType.SELECT, StatementType.EXPLAIN];

export async function* runQuery(
  reader: Reader,
  clock: Clock,
  sql: string,
  limits: QueryLimits,
  /** Where names without a schema are looked up. */
  viewSchema: string,
): AsyncGenerator<readonly QueryRow[]> {
  const cancel = clock.after(limits.timeoutMs, () => void reader.stop(tooLong(limits)));
  try {
    await reader.run((connection) => connection.run(`USE ${quoted(viewSchema)}`)).catch(noViewsYet);
    await reader.run((connection) => connection.run('BEGIN TRANSACTION READ ONLY'));
    const statement = await reader.run((connection) => prepareRead(connection, sql));
    const result = await reader.run(() => statement.stream());
    const names = result.deduplicatedColumnNames();
    let left = limits.rows;
    while (left > 0) {
      const chunk = await reader.run(() => result.fetchChunk());
      if (chunk === null || chunk.rowCount === 0) return;
      const rows = chunk.getRows().slice(0, left);
      left -= rows.length;
      yield rows.map((row) => Object.fromEntries(names.map((name, c) => [name, plain(row[c] ?? null)])));
    }
  } catch (error) {
    throw queryError(error);
  } finally {
    cancel();
  }
}

/** Before the first `apply` there is no such schema, and names must be written out. */
function noViewsYet(error: unknown): void {
  if (!/No catalog \+ schema named|does not exist/i.test(String(error))) throw error;
}

async function prepareRead(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw refused('Give exactly one statement');
  const statement = await statements.prepare(0);
  if (!READS.includes(statement.statementType)) {
    throw refused('Only SELECT, WITH, DESCRIBE, SHOW and EXPLAIN are allowed here');
  }
  if (statement.parameterCount > 0) {
    throw refused('Parameters cannot be given here: write the values into the statement');
  }
  return statement;
}

function refused(sentence: string): InvalidMessage {
  return new InvalidMessage('invalid_query', `${sentence}.`);
}

function tooLong(limits: QueryLimits): Transient {
  const message = `The query took longer than ${limits.timeoutMs} ms: narrow it, or allow more time.`;
  return new Transient('query_timeout', message);
}
