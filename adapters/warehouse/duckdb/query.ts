/**
 * Runs one statement that only reads, on a connection of its own, within limits. Three guards, each enough alone: only a
 * statement that reads is prepared; it runs in a read-only transaction; the instance reaches no file and no network.
 */
import { StatementType, type DuckDBConnection, type DuckDBPreparedStatement } from '@duckdb/node-api';
import type { Clock } from '#core/clock.ts';
import { InvalidMessage, Transient } from '#core/errors.ts';
import type { QueryLimits, QueryRow } from '#core/ports/warehouse.ts';
import { kindOf, queryError } from './errors.ts';
import { plain } from './values.ts';

/** DESCRIBE, SHOW, SUMMARIZE, VALUES and FROM-first are SELECT to DuckDB. */
const READS: readonly StatementType[] = [StatementType.SELECT, StatementType.EXPLAIN];

export async function* runQuery(
  connection: DuckDBConnection,
  clock: Clock,
  sql: string,
  limits: QueryLimits,
): AsyncGenerator<readonly QueryRow[]> {
  let expired = false;
  const cancel = clock.after(limits.timeoutMs, () => {
    expired = true;
    connection.interrupt();
  });
  try {
    await connection.run('BEGIN TRANSACTION READ ONLY');
    const statement = await prepareRead(connection, sql);
    let left = limits.rows;
    const result = await statement.stream();
    const names = result.deduplicatedColumnNames();
    while (left > 0) {
      if (expired) throw tooLong(limits, undefined);
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      const rows = chunk.getRows().slice(0, left);
      left -= rows.length;
      yield rows.map((row) => Object.fromEntries(names.map((name, c) => [name, plain(row[c] ?? null)])));
    }
  } catch (error) {
    throw expired && kindOf(error) === 'INTERRUPT' ? tooLong(limits, error) : queryError(error);
  } finally {
    cancel();
  }
}

async function prepareRead(connection: DuckDBConnection, sql: string): Promise<DuckDBPreparedStatement> {
  const statements = await connection.extractStatements(sql);
  if (statements.count !== 1) throw refused('Give exactly one statement');
  const statement = await statements.prepare(0);
  if (!READS.includes(statement.statementType)) {
    throw refused('Only SELECT, WITH, DESCRIBE, SHOW and EXPLAIN are allowed here');
  }
  if (statement.parameterCount > 0)
    throw refused('Parameters cannot be given here: write the values into the statement');
  return statement;
}

function refused(sentence: string): InvalidMessage {
  return new InvalidMessage('invalid_query', `${sentence}.`);
}

function tooLong(limits: QueryLimits, cause: unknown): Transient {
  const message = `The query took longer than ${limits.timeoutMs} ms: narrow it, or allow more time.`;
  return new Transient('query_timeout', message, { cause });
}
