/** GoogleSQL's reserved words, and how names and types are written for DuckDB. */
import { fieldTypeOf } from '../catalog/fields.ts';
import { invalidQuery } from '../refused.ts';
import { plainDuckType, quoted } from '../store/duck-types.ts';
import { isOperator, isWord, type Node } from './lexer.ts';

export const RESERVED: ReadonlySet<string> = new Set(
  (
    'ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE CURRENT DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE ' +
    'EXISTS EXTRACT FALSE FETCH FOLLOWING FOR FROM FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL LEFT LIKE LIMIT LOOKUP MERGE ' +
    'NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO ' +
    'TREAT TRUE UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN'
  ).split(' '),
);

/** A type as DuckDB names it, from `nodes[from]` on; says where it ends. */
export function typeAt(nodes: readonly Node[], from: number): { readonly sql: string; readonly end: number } {
  const node = nodes[from];
  if (node?.kind !== 'word') throw invalidQuery('Syntax error: Expected a type');
  const name = node.text.toUpperCase();
  if (name === 'ARRAY' && isOperator(nodes[from + 1], '<')) {
    const inner = typeAt(nodes, from + 2);
    return { sql: `${inner.sql}[]`, end: closed(nodes, inner.end) };
  }
  if (name === 'STRUCT' && isOperator(nodes[from + 1], '<')) return structAt(nodes, from + 2);
  const type = fieldTypeOf(
    name === 'INT' || name === 'BIGINT' || name === 'SMALLINT' || name === 'TINYINT' || name === 'BYTEINT'
      ? 'INT64'
      : name,
  );
  if (type === 'RECORD') throw invalidQuery(`Syntax error: Expected "<" after ${name}`);
  const hasSize = nodes[from + 1]?.kind === 'group';
  return { sql: plainDuckType(type), end: from + (hasSize ? 2 : 1) };
}

function structAt(nodes: readonly Node[], from: number): { readonly sql: string; readonly end: number } {
  const entries: string[] = [];
  let at = from;
  for (;;) {
    const name = nodes[at];
    if (name?.kind !== 'word' && name?.kind !== 'quoted')
      throw invalidQuery('Syntax error: Expected a field name in STRUCT<…>');
    const inner = typeAt(nodes, at + 1);
    entries.push(`${quoted(name.text)} ${inner.sql}`);
    at = inner.end;
    if (!isOperator(nodes[at], ',')) return { sql: `STRUCT(${entries.join(', ')})`, end: closed(nodes, at) };
    at++;
  }
}

/** `>>` closes two. */
function closed(nodes: readonly Node[], at: number): number {
  if (isOperator(nodes[at], '>') || isOperator(nodes[at], '>>')) return at + 1;
  if (isOperator(nodes[at - 1], '>>')) return at;
  throw invalidQuery('Syntax error: Expected ">"');
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export interface Path {
  readonly parts: readonly string[];
  readonly end: number;
}

/** A path of names at a table's place: `p.d.t`, backticks around all or parts, and a project with dashes without any. */
export function pathAt(nodes: readonly Node[], from: number): Path | null {
  const parts: string[] = [];
  let at = from;
  for (;;) {
    const node = nodes[at];
    if (node?.kind !== 'word' && node?.kind !== 'quoted') return null;
    if (node.kind === 'word' && parts.length === 0 && RESERVED.has(node.text.toUpperCase())) return null;
    let part = node.text;
    at++;
    while (node.kind === 'word' && parts.length === 0 && isOperator(nodes[at], '-') && touches(nodes, at)) {
      const next = nodes[at + 1] as { text: string };
      part += `-${next.text}`;
      at += 2;
    }
    parts.push(...(node.kind === 'quoted' ? part.split('.') : [part]));
    if (!isOperator(nodes[at], '.')) return { parts, end: at };
    at++;
  }
}

function touches(nodes: readonly Node[], dash: number): boolean {
  const next = nodes[dash + 1];
  return (
    (next?.kind === 'word' || next?.kind === 'number') &&
    next.at === (nodes[dash]?.at ?? 0) + 1 &&
    !isWord(next, 'SELECT')
  );
}
