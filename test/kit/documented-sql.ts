/**
 * Every statement that a reader of the documents may type: blocks fenced as `sql` (both dialects), `sql bigquery` or
 * `sql duckdb`, and what stands in quotes after `tributary query`, there and where the command line itself suggests one.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Dialect = 'bigquery' | 'duckdb';

export interface DocumentedSql {
  /** File and line. */
  readonly at: string;
  readonly sql: string;
  readonly dialects: readonly Dialect[];
}

const ROOT = join(import.meta.dirname, '../..');
const FILES = ['README.md', 'docs/**/*.md', 'cli/**/*.ts', 'runtime/**/*.ts'];
const FENCED = /^```sql *(\w*)\n(.*?)^```$/gms;
const COMMAND = /tributary query "((?:SELECT|WITH|FROM|DESCRIBE|SHOW)\b[^"]*)"/g;
const MARKS: Readonly<Record<string, readonly Dialect[]>> = {
  '': ['bigquery', 'duckdb'],
  bigquery: ['bigquery'],
  duckdb: ['duckdb'],
};

export function documentedSql(dialect: Dialect): readonly DocumentedSql[] {
  const files = FILES.flatMap((pattern) => globSync(pattern, { cwd: ROOT })).sort();
  return files.flatMap((file) => inText(file, readFileSync(join(ROOT, file), 'utf8'))).filter(({ dialects }) => dialects.includes(dialect)); // prettier-ignore
}

function inText(file: string, text: string): DocumentedSql[] {
  const at = (index: number): string => `${file}:${text.slice(0, index).split('\n').length}`;
  const fenced = [...text.matchAll(FENCED)].map(({ index, 1: mark = '', 2: sql = '' }) => {
    const dialects = MARKS[mark];
    if (dialects === undefined)
      throw new Error(`${at(index)}: a block of sql is for bigquery, duckdb or, unmarked, both.`);
    return { at: at(index), sql: sql.trim(), dialects };
  });
  const commands = [...text.matchAll(COMMAND)].map(({ index, 1: sql = '' }) => ({ at: at(index), sql, dialects: MARKS[''] as readonly Dialect[] })); // prettier-ignore
  return [...fenced, ...commands];
}
