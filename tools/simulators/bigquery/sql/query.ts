/**
 * A query of GoogleSQL as DuckDB's: clause by clause, each table's path replaced by what the catalog says it reads. A query
 * may use the names of the WITH clauses around it.
 */
import { invalidQuery, notSimulated } from '../refused.ts';
import { quoted } from '../store/duck-types.ts';
import { isQuery, translateExpression, type ExpressionContext } from './expression.ts';
import { isOperator, isParens, isWord, placeOf, split, type Node, type Token } from './lexer.ts';
import { RESERVED, pathAt } from './names.ts';

export interface QueryContext {
  readonly sql: string;
  readonly now: string;
  parameter(token: Token): string;
  /** What a path of names reads, as DuckDB's relation in brackets. Throws where there is no such table. */
  relation(parts: readonly string[]): string;
}

type Names = ReadonlySet<string>;

const CLAUSES = ['WHERE', 'GROUP', 'HAVING', 'QUALIFY', 'WINDOW', 'ORDER', 'LIMIT', 'UNION', 'INTERSECT', 'EXCEPT'];

export function translateQuery(nodes: readonly Node[], context: QueryContext, names: Names = new Set()): string {
  if (!isWord(nodes[0], 'WITH')) return translateSets(nodes, context, names);
  const isRecursive = isWord(nodes[1], 'RECURSIVE');
  const known = new Set(names);
  const parts: string[] = [];
  let at = isRecursive ? 2 : 1;
  for (;;) {
    const [name, as, body] = nodes.slice(at, at + 3);
    if (name === undefined || name.kind === 'group' || !isWord(as, 'AS') || !isParens(body))
      throw invalidQuery(`Syntax error: Unexpected WITH clause at ${placeOf(context.sql, nodes[at]?.at ?? 0)}`);
    if (isRecursive) known.add(name.text.toLowerCase());
    parts.push(`${quoted(name.text)} AS (${translateQuery(body.nodes, context, known)})`);
    known.add(name.text.toLowerCase());
    at += 3;
    if (!isOperator(nodes[at], ',')) break;
    at++;
  }
  return `WITH ${isRecursive ? 'RECURSIVE ' : ''}${parts.join(', ')} ${translateSets(nodes.slice(at), context, known)}`;
}

/** Selects with UNION and its kin between them; ORDER BY and LIMIT after the last belong to all. */
function translateSets(nodes: readonly Node[], context: QueryContext, names: Names): string {
  const out: string[] = [];
  let from = 0;
  for (let at = 0; at <= nodes.length; at++) {
    const node = nodes[at];
    const isSet = isWord(node, 'UNION', 'INTERSECT') || (isWord(node, 'EXCEPT') && isWord(nodes[at + 1], 'DISTINCT'));
    if (node !== undefined && !isSet) continue;
    out.push(translateSelect(nodes.slice(from, at), context, names));
    if (node === undefined) break;
    const isAll = isWord(nodes[at + 1], 'ALL');
    if (!isAll && !isWord(nodes[at + 1], 'DISTINCT'))
      throw invalidQuery(
        `Syntax error: Expected keyword ALL or keyword DISTINCT at ${placeOf(context.sql, nodes[at + 1]?.at ?? context.sql.length)}`,
      );
    out.push(`${(node as Token).text.toUpperCase()}${isAll ? ' ALL' : ''}`);
    from = at + 2;
    at++;
  }
  return out.join(' ');
}

function translateSelect(nodes: readonly Node[], context: QueryContext, names: Names): string {
  const expressions: ExpressionContext = { ...context, query: (inner) => translateQuery(inner, context, names) };
  if (isParens(nodes[0])) {
    const inner = `(${translateQuery(nodes[0].nodes, context, names)})`;
    return nodes.length === 1 ? inner : `${inner} ${translateTail(nodes.slice(1), expressions)}`;
  }
  if (!isWord(nodes[0], 'SELECT')) {
    const at = nodes[0]?.at;
    throw invalidQuery(
      `Syntax error: Unexpected ${at === undefined ? 'end of script' : 'input'} at ${placeOf(context.sql, at ?? context.sql.length)}`,
    );
  }
  const fromAt = nodes.findIndex((node, at) => isWord(node, 'FROM') && !isDistinctFrom(nodes, at));
  const tailFrom = fromAt < 0 ? 0 : fromAt;
  const tailAt = nodes.findIndex((node, at) => at > tailFrom && isWord(node, ...CLAUSES) && !isStarExcept(nodes, at));
  const listEnd = fromAt >= 0 ? fromAt : tailAt >= 0 ? tailAt : nodes.length;
  const list = translateList(nodes.slice(1, listEnd), expressions);
  const from =
    fromAt < 0
      ? ''
      : ` FROM ${translateFrom(nodes.slice(fromAt + 1, tailAt < 0 ? nodes.length : tailAt), context, names, expressions)}`;
  return `SELECT ${list}${from}${tailAt < 0 ? '' : ` ${translateTail(nodes.slice(tailAt), expressions)}`}`;
}

const isStarExcept = (nodes: readonly Node[], at: number) =>
  isWord(nodes[at], 'EXCEPT') && isParens(nodes[at + 1]) && isOperator(nodes[at - 1], '*');
const isDistinctFrom = (nodes: readonly Node[], at: number) =>
  isWord(nodes[at - 1], 'DISTINCT') && (isWord(nodes[at - 2], 'IS') || isWord(nodes[at - 2], 'NOT'));

function translateTail(nodes: readonly Node[], context: ExpressionContext): string {
  const limitAt = nodes.findIndex((node) => isWord(node, 'LIMIT'));
  if (limitAt < 0) return translateExpression(nodes, context);
  const limit = nodes
    .slice(limitAt + 1)
    .map((node) => (isWord(node, 'OFFSET') ? 'OFFSET' : translateExpression([node], context)));
  return `${translateExpression(nodes.slice(0, limitAt), context)} LIMIT ${limit.join(' ')}`;
}

/** Columns without a name are `f0_`, `f1_`, … as in GoogleSQL's results. */
function translateList(nodes: readonly Node[], context: ExpressionContext): string {
  const isDistinct = isWord(nodes[0], 'DISTINCT');
  const items = isDistinct || isWord(nodes[0], 'ALL') ? nodes.slice(1) : nodes;
  if (isWord(items[0], 'AS')) throw notSimulated('SELECT AS STRUCT and SELECT AS VALUE');
  let unnamed = 0;
  const list = split(items)
    .filter((item) => item.length > 0)
    .map((item) => {
      const starAt = item.findIndex((node, at) => isOperator(node, '*') && (at === 0 || isOperator(item[at - 1], '.')));
      if (starAt >= 0) return translateStar(item, starAt, context);
      const named = nameOfItem(item);
      if (named !== null) return `${translateExpression(named.value, context)} AS ${quoted(named.name)}`;
      return `${translateExpression(item, context)} AS f${unnamed++}_`;
    });
  if (list.length === 0) throw invalidQuery('Syntax error: SELECT list must not be empty');
  return `${isDistinct ? 'DISTINCT ' : ''}${list.join(', ')}`;
}

function translateStar(item: readonly Node[], starAt: number, context: ExpressionContext): string {
  const prefix = translateExpression(item.slice(0, starAt + 1), context);
  let text = prefix.replace(/\s*\.\s*\*$/, '.*');
  for (let at = starAt + 1; at < item.length; at += 2) {
    const group = item[at + 1];
    if (!isParens(group)) break;
    if (isWord(item[at], 'EXCEPT')) text += ` EXCLUDE (${translateExpression(group.nodes, context)})`;
    if (isWord(item[at], 'REPLACE')) text += ` REPLACE (${translateExpression(group.nodes, context)})`;
  }
  return text;
}

function nameOfItem(item: readonly Node[]): { readonly name: string; readonly value: readonly Node[] } | null {
  const last = item.at(-1);
  if (last === undefined || (last.kind !== 'word' && last.kind !== 'quoted')) return null;
  if (isWord(item.at(-2), 'AS')) return { name: last.text, value: item.slice(0, -2) };
  const isPath = item.every((node, at) =>
    at % 2 === 0 ? node.kind === 'word' || node.kind === 'quoted' : isOperator(node, '.'),
  );
  if (last.kind === 'word' && RESERVED.has(last.text.toUpperCase())) return null;
  if (isPath) return { name: last.text.split('.').at(-1)!, value: item };
  const before = item.at(-2);
  const endsValue =
    before !== undefined &&
    before.kind !== 'operator' &&
    !(
      before.kind === 'word' &&
      RESERVED.has(before.text.toUpperCase()) &&
      !isWord(before, 'END', 'NULL', 'TRUE', 'FALSE')
    );
  return endsValue ? { name: last.text, value: item.slice(0, -1) } : null;
}

function translateFrom(
  nodes: readonly Node[],
  context: QueryContext,
  names: Names,
  expressions: ExpressionContext,
): string {
  const out: string[] = [];
  const aliases = new Set<string>();
  let at = 0;
  let isTable = true;
  let needsOn = false;
  while (at < nodes.length) {
    const node = nodes[at]!;
    if (isTable) {
      const source = translateSource(nodes, at, context, names, expressions, aliases);
      out.push(source.sql);
      at = source.end;
      isTable = false;
      if (needsOn && !isWord(nodes[at], 'ON', 'USING')) out.push('ON TRUE');
      needsOn = false;
    } else if (isOperator(node, ',') || isWord(node, 'JOIN')) {
      out.push(isWord(node, 'JOIN') ? 'JOIN' : ',');
      needsOn =
        isWord(node, 'JOIN') &&
        (isWord(nodes[at - 1], 'LEFT') || (isWord(nodes[at - 1], 'OUTER') && isWord(nodes[at - 2], 'LEFT')));
      isTable = true;
      at++;
    } else {
      const end = nodes.findIndex((later, index) => index > at && (isOperator(later, ',') || isWord(later, 'JOIN')));
      const stop = end < 0 ? nodes.length : end;
      out.push(translateExpression(nodes.slice(at, stop), expressions));
      at = stop;
    }
  }
  return out.join(' ').replaceAll(' ,', ',');
}

interface Source {
  readonly sql: string;
  readonly end: number;
}

function translateSource(
  nodes: readonly Node[],
  at: number,
  context: QueryContext,
  names: Names,
  expressions: ExpressionContext,
  aliases: Set<string>,
): Source {
  const node = nodes[at]!;
  if (isParens(node)) {
    const isInner = isQuery(node.nodes);
    const inner = isInner
      ? translateQuery(node.nodes, context, names)
      : translateFrom(node.nodes, context, names, expressions);
    const alias = aliasAt(nodes, at + 1);
    if (alias.name !== null) aliases.add(alias.name.toLowerCase());
    return { sql: `(${inner})${alias.name === null ? '' : ` AS ${quoted(alias.name)}`}`, end: alias.end };
  }
  if (isWord(node, 'UNNEST') && isParens(nodes[at + 1])) {
    const group = nodes[at + 1] as { nodes: readonly Node[] };
    return translateUnnest(translateExpression(group.nodes, expressions), nodes, at + 2);
  }
  const path = pathAt(nodes, at);
  if (path === null) throw invalidQuery(`Syntax error: Unexpected "${node.text}" at ${placeOf(context.sql, node.at)}`);
  const [first] = path.parts;
  if (path.parts.length > 1 && aliases.has(first!.toLowerCase()))
    return translateUnnest(path.parts.map(quoted).join('.'), nodes, path.end);
  if (isWord(nodes[path.end], 'FOR', 'TABLESAMPLE')) throw notSimulated('FOR SYSTEM_TIME AS OF and TABLESAMPLE');
  if (isParens(nodes[path.end]))
    throw invalidQuery(`Table-valued function not found: ${path.parts.join('.')} at ${placeOf(context.sql, node.at)}`);
  const alias = aliasAt(nodes, path.end);
  const name = alias.name ?? path.parts.at(-1)!;
  aliases.add(name.toLowerCase());
  const isNamed = path.parts.length === 1 && names.has(first!.toLowerCase());
  const relation = isNamed ? quoted(first!) : context.relation(path.parts);
  return { sql: `${relation} AS ${quoted(name)}`, end: alias.end };
}

/** In GoogleSQL the alias is the element itself, not a row of it. */
function translateUnnest(list: string, nodes: readonly Node[], at: number): Source {
  const alias = aliasAt(nodes, at);
  const element = alias.name ?? 'unnest';
  if (!isWord(nodes[alias.end], 'WITH'))
    return { sql: `UNNEST(${list}) AS ${quoted(`${element} of`)}(${quoted(element)})`, end: alias.end };
  const offset = aliasAt(nodes, alias.end + 2);
  const position = offset.name ?? 'offset';
  return {
    sql: `(SELECT UNNEST(${list}) AS ${quoted(element)}, generate_subscripts(${list}, 1) - 1 AS ${quoted(position)}) AS ${quoted(`${element} of`)}`,
    end: offset.end,
  };
}

function aliasAt(nodes: readonly Node[], at: number): { readonly name: string | null; readonly end: number } {
  const from = isWord(nodes[at], 'AS') ? at + 1 : at;
  const node = nodes[from];
  if (node?.kind === 'quoted' || (node?.kind === 'word' && !RESERVED.has(node.text.toUpperCase())))
    return { name: node.text, end: from + 1 };
  return { name: null, end: at };
}
