/** Expressions of GoogleSQL for DuckDB, node by node. Queries inside of them are translated by who asked. */
import { invalidQuery, notSimulated } from '../refused.ts';
import { quoted } from '../store/duck-types.ts';
import { DATE_PARTS, FUNCTIONS, isForeign, type FunctionContext } from './functions.ts';
import { isOperator, isParens, isWord, placeOf, split, type Group, type Node, type Token } from './lexer.ts';
import { RESERVED, literal, typeAt } from './names.ts';

export interface ExpressionContext extends FunctionContext {
  readonly sql: string;
  /** A value for a query parameter, as an expression of DuckDB. */
  parameter(token: Token): string;
  /** Is a query, or a list of them: translated with the names of the queries around it. */
  query(nodes: readonly Node[]): string;
}

const TYPED_LITERALS: Readonly<Record<string, string>> = {
  DATE: 'DATE',
  TIMESTAMP: 'TIMESTAMPTZ',
  DATETIME: 'TIMESTAMP',
  TIME: 'TIME',
  NUMERIC: 'DECIMAL(38,9)',
  DECIMAL: 'DECIMAL(38,9)',
  BIGNUMERIC: 'DECIMAL(38,18)',
  JSON: 'JSON',
};
const UNITS = /^(MICROSECOND|MILLISECOND|SECOND|MINUTE|HOUR|DAY|WEEK|MONTH|QUARTER|YEAR)$/i;
const NILADIC = ['CURRENT_DATE', 'CURRENT_TIMESTAMP', 'CURRENT_DATETIME', 'CURRENT_TIME'];

export function isQuery(nodes: readonly Node[]): boolean {
  const first = nodes[0];
  return (
    isWord(first, 'SELECT', 'WITH') ||
    (isParens(first) &&
      isQuery(first.nodes) &&
      (nodes.length === 1 || isWord(nodes[1], 'UNION', 'INTERSECT', 'EXCEPT')))
  );
}

export function translateExpression(nodes: readonly Node[], context: ExpressionContext): string {
  const out: string[] = [];
  let at = 0;
  while (at < nodes.length) {
    const [text, end] = translateAt(nodes, at, context);
    out.push(text);
    at = end;
  }
  return joined(out);
}

/** No space around dots, so that names and struct fields stay together. */
function joined(parts: readonly string[]): string {
  return parts.join(' ').replaceAll(' . ', '.');
}

function translateAt(nodes: readonly Node[], at: number, context: ExpressionContext): [string, number] {
  const node = nodes[at]!;
  if (node.kind === 'group') return [translateGroup(node, nodes[at - 1], context), at + 1];
  if (node.kind === 'word') return translateWord(node, nodes, at, context);
  if (node.kind === 'quoted') return [node.text.split('.').map(quoted).join('.'), at + 1];
  if (node.kind === 'string') return [literal(node.text), at + 1];
  if (node.kind === 'bytes') return [`CAST(${literal(node.text)} AS BLOB)`, at + 1];
  if (node.kind === 'number')
    return [
      /[.eE]/.test(node.text) && !/^0x/i.test(node.text)
        ? /[eE]/.test(node.text)
          ? node.text
          : `${node.text}e0`
        : node.text,
      at + 1,
    ];
  if (node.kind === 'parameter') return [context.parameter(node), at + 1];
  if (node.text === '|>') throw notSimulated('Pipe syntax');
  return [node.text, at + 1];
}

function translateGroup(group: Group, before: Node | undefined, context: ExpressionContext): string {
  if (group.open === '[') return translateIndex(group, before, context);
  return `(${isQuery(group.nodes) ? context.query(group.nodes) : translateExpression(group.nodes, context)})`;
}

/** `a[OFFSET(0)]` and its kin; DuckDB counts from one. Without something before it, an array. */
function translateIndex(group: Group, before: Node | undefined, context: ExpressionContext): string {
  const [word, inner] = group.nodes;
  const follows =
    before?.kind === 'quoted' ||
    before?.kind === 'group' ||
    (before?.kind === 'word' && !RESERVED.has(before.text.toUpperCase()));
  if (follows && isParens(inner)) {
    const index = translateExpression(inner.nodes, context);
    if (isWord(word, 'OFFSET', 'SAFE_OFFSET')) return `[(${index}) + 1]`;
    if (isWord(word, 'ORDINAL', 'SAFE_ORDINAL')) return `[${index}]`;
  }
  const items = translateExpression(group.nodes, context);
  return follows && group.nodes[0]?.kind === 'number' ? `[(${items}) + 1]` : `[${items}]`;
}

function translateWord(word: Token, nodes: readonly Node[], at: number, context: ExpressionContext): [string, number] {
  const upper = word.text.toUpperCase();
  const next = nodes[at + 1];
  const isField = isOperator(nodes[at - 1], '.');
  if (isParens(next) && !isField) return translateCall(upper, word, nodes, at, next, context);
  if (isField) return [quoted(word.text), at + 1];
  if (upper === 'SAFE' && isOperator(next, '.') && isParens(nodes[at + 3]))
    return [`TRY(${translateAt(nodes, at + 2, context)[0]})`, at + 4];
  if (upper === 'INTERVAL') return translateInterval(nodes, at + 1, context);
  if (next?.kind === 'string' && TYPED_LITERALS[upper] !== undefined)
    return [`CAST(${literal(next.text)} AS ${TYPED_LITERALS[upper]})`, at + 2];
  if ((upper === 'ARRAY' || upper === 'STRUCT') && isOperator(next, '<')) return translateTyped(nodes, at, context);
  if (NILADIC.includes(upper)) return [FUNCTIONS[upper]!([], context), at + 1];
  if (RESERVED.has(upper)) return [upper, at + 1];
  const isSyntax =
    (isWord(nodes[at - 1], 'NULLS') && /^(FIRST|LAST)$/.test(upper)) ||
    (isWord(nodes[at - 1], 'CURRENT') && upper === 'ROW');
  return [isSyntax ? upper : quoted(word.text), at + 1];
}

function translateInterval(nodes: readonly Node[], from: number, context: ExpressionContext): [string, number] {
  const at = nodes.findIndex((node, index) => index > from && node.kind === 'word' && UNITS.test(node.text));
  const unit = nodes[at];
  if (unit?.kind !== 'word')
    throw invalidQuery(
      `Syntax error: Expected a date part after INTERVAL at ${placeOf(context.sql, nodes[from]?.at ?? 0)}`,
    );
  return [`(INTERVAL (${translateExpression(nodes.slice(from, at), context)}) ${unit.text.toUpperCase()})`, at + 1];
}

/** `ARRAY<T>[…]` and `STRUCT<…>(…)`. */
function translateTyped(nodes: readonly Node[], at: number, context: ExpressionContext): [string, number] {
  const type = typeAt(nodes, at);
  const value = nodes[type.end];
  if (value?.kind !== 'group') throw invalidQuery('Syntax error: Expected a value after the type');
  if (value.open === '[') return [`CAST([${translateExpression(value.nodes, context)}] AS ${type.sql})`, type.end + 1];
  return [`CAST(row(${translateExpression(value.nodes, context)}) AS ${type.sql})`, type.end + 1];
}

function translateCall(
  name: string,
  word: Token,
  nodes: readonly Node[],
  at: number,
  group: Group,
  context: ExpressionContext,
): [string, number] {
  const end = at + 2;
  if (name === 'CAST' || name === 'SAFE_CAST') return [translateCast(name, group.nodes, context), end];
  if (name === 'UNNEST') {
    const list = translateExpression(group.nodes, context);
    return [isWord(nodes[at - 1], 'IN') ? `(SELECT UNNEST(${list}))` : `UNNEST(${list})`, end];
  }
  if (name === 'EXTRACT') return [translateExtract(group.nodes, context), end];
  if (name === 'STRUCT') return [translateStruct(group.nodes, context), end];
  if (name === 'ARRAY_AGG') return [translateArrayAgg(group.nodes, context), end];
  if (RESERVED.has(name) && FUNCTIONS[name] === undefined) {
    if (isQuery(group.nodes)) return [`${name} (${context.query(group.nodes)})`, end];
    return [`${name} (${translateExpression(group.nodes, context)})`, end];
  }
  if (isForeign(name)) throw invalidQuery(`Function not found: ${name} at ${placeOf(context.sql, word.at)}`);
  const translator = FUNCTIONS[name];
  const parts = split(group.nodes);
  const partAt = DATE_PARTS[name];
  const args = parts.map((part, index) => (index === partAt ? rawPart(part) : argument(part, context)));
  return [translator === undefined ? `${word.text}(${args.join(', ')})` : translator(args, context), end];
}

function argument(nodes: readonly Node[], context: ExpressionContext): string {
  return isQuery(nodes) ? `(${context.query(nodes)})` : translateExpression(nodes, context);
}

function rawPart(nodes: readonly Node[]): string {
  return nodes.map((node) => (node.kind === 'group' ? `(${rawPart(node.nodes)})` : node.text)).join('');
}

function translateCast(name: string, nodes: readonly Node[], context: ExpressionContext): string {
  const at = nodes.findLastIndex((node) => isWord(node, 'AS'));
  if (at < 0) throw invalidQuery('Syntax error: Expected keyword AS in CAST');
  const value = translateExpression(nodes.slice(0, at), context);
  return `${name === 'CAST' ? 'CAST' : 'TRY_CAST'}(${value} AS ${typeAt(nodes, at + 1).sql})`;
}

function translateExtract(nodes: readonly Node[], context: ExpressionContext): string {
  const at = nodes.findIndex((node) => isWord(node, 'FROM'));
  const value = translateExpression(nodes.slice(at + 1), context);
  const part = rawPart(nodes.slice(0, at)).toUpperCase();
  if (part === 'DATE' || part === 'TIME') return `CAST(${value} AS ${part})`;
  // GoogleSQL counts days of the week from Sunday, 1.
  if (part === 'DAYOFWEEK') return `(extract('dow' FROM ${value}) + 1)`;
  return `extract('${part.replace('DAYOFYEAR', 'DOY').toLowerCase()}' FROM ${value})`;
}

function translateStruct(nodes: readonly Node[], context: ExpressionContext): string {
  const entries = split(nodes).map((part, index) => {
    const named = isWord(part.at(-2), 'AS');
    const last = part.at(-1);
    const name =
      last !== undefined && last.kind !== 'group' && (named || last.kind === 'word' || last.kind === 'quoted')
        ? last.text
        : `_field_${index + 1}`;
    return `${quoted(name)} := ${translateExpression(named ? part.slice(0, -2) : part, context)}`;
  });
  return `struct_pack(${entries.join(', ')})`;
}

/** DuckDB has neither IGNORE NULLS nor LIMIT inside of an aggregate. */
function translateArrayAgg(nodes: readonly Node[], context: ExpressionContext): string {
  const limitAt = nodes.findIndex((node) => isWord(node, 'LIMIT'));
  const limit = limitAt < 0 ? null : translateExpression(nodes.slice(limitAt + 1), context);
  const rest = limitAt < 0 ? nodes : nodes.slice(0, limitAt);
  const ignoreAt = rest.findIndex((node) => isWord(node, 'IGNORE'));
  const kept = ignoreAt < 0 ? rest : [...rest.slice(0, ignoreAt), ...rest.slice(ignoreAt + 2)];
  const value = translateExpression(
    kept.slice(0, ignoreAt < 0 ? 1 : ignoreAt).filter((node) => !isWord(node, 'DISTINCT')),
    context,
  );
  const list = `array_agg(${translateExpression(kept, context)})${ignoreAt < 0 ? '' : ` FILTER (WHERE ${value} IS NOT NULL)`}`;
  return limit === null ? list : `list_slice(${list}, 1, ${limit})`;
}
