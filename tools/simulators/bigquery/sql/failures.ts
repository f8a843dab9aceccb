/** What DuckDB says about a translated query, as the service would say it. Positions are those of the text that came in. */
import { Refused, invalidQuery } from '../refused.ts';
import { placeOf } from './lexer.ts';

export function queryFailure(error: unknown, sql: string): Refused {
  if (error instanceof Refused) return error;
  const text = error instanceof Error ? error.message : String(error);
  const column =
    /(?:Referenced column|column) "([^"]+)" (?:not found|that was not found)/i.exec(text) ??
    /does not have a column named "([^"]+)"/.exec(text) ??
    // DuckDB takes the name for the alias it gave the column itself.
    /Column "([^"]+)" referenced that exists in the SELECT clause/.exec(text);
  if (column !== null) return invalidQuery(`Unrecognized name: ${column[1]}${at(sql, column[1]!)}`);
  const table = /Referenced table "([^"]+)" not found/.exec(text);
  if (table !== null) return invalidQuery(`Unrecognized name: ${table[1]}${at(sql, table[1]!)}`);
  const called = /Function with name "?([\w.]+)"? does not exist/i.exec(text);
  if (called !== null) return invalidQuery(`Function not found: ${called[1]}${at(sql, called[1]!)}`);
  if (/duplicate column name|already has a column named|Column with name (\S+) already exists/i.test(text)) {
    const name = /name "?(\w+)"?/i.exec(text)?.[1] ?? '';
    return invalidQuery(`Duplicate column names in the result are not supported. Found duplicate(s): ${name}`);
  }
  const first = (text.split('\n')[0] ?? '').replace(/^\w[\w ]*Error: /, '');
  if (text.startsWith('Parser Error')) return invalidQuery(`Syntax error: ${first}`);
  if (/INTERRUPT/i.test(text)) return new Refused(400, 'stopped', 'Job execution was cancelled');
  if (text.startsWith('Out of Memory'))
    return new Refused(400, 'resourcesExceeded', 'Resources exceeded during query execution');
  return invalidQuery(first);
}

/** Where the name stands as a word of its own; none where it does not. */
function at(sql: string, name: string): string {
  const escaped = name.replace(/[^\w]/g, '\\$&');
  const place = sql.search(new RegExp(`(?<!\\w)${escaped}(?!\\w)`, 'i'));
  return place < 0 ? '' : ` at ${placeOf(sql, place)}`;
}
