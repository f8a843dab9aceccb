/** GoogleSQL text as tokens, and tokens as groups by their brackets: names, literals, operators, each with its place. */
import { invalidQuery } from '../refused.ts';

export interface Token {
  readonly kind: 'word' | 'quoted' | 'string' | 'bytes' | 'number' | 'parameter' | 'operator';
  /** As written; for strings and quoted names what they mean. */
  readonly text: string;
  readonly at: number;
}

export interface Group {
  readonly kind: 'group';
  readonly open: '(' | '[';
  readonly nodes: readonly Node[];
  readonly at: number;
}

export type Node = Token | Group;

const SPACE = /(?:\s+|--[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\/)+/y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const STRING = /([rRbB]{0,2})('''|"""|'|")/y;
const PARAMETER = /@@?[A-Za-z_][A-Za-z0-9_.]*|\?/y;
const OPERATOR = /<<|>>|<=|>=|<>|!=|\|\||\|>|=>|->|[-+*/%=<>()[\],.;:&|^~!{}]/y;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
};

/** `[line:column]` of a place, as the service ends its messages. */
export function placeOf(sql: string, at: number): string {
  const before = sql.slice(0, at).split('\n');
  return `[${before.length}:${(before.at(-1) ?? '').length + 1}]`;
}

export function tokensOf(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp) => {
    pattern.lastIndex = at;
    return pattern.exec(sql);
  };
  while (at < sql.length) {
    const space = match(SPACE);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const [token, end] = tokenAt(sql, at, match);
    tokens.push(token);
    at = end;
  }
  return tokens;
}

function tokenAt(sql: string, at: number, match: (pattern: RegExp) => RegExpExecArray | null): [Token, number] {
  const quote = match(STRING);
  if (quote !== null) return stringAt(sql, at, quote[1]!.toLowerCase(), quote[2]!);
  if (sql[at] === '`') {
    const end = sql.indexOf('`', at + 1);
    if (end < 0) throw invalidQuery(`Syntax error: Unclosed identifier literal at ${placeOf(sql, at)}`);
    return [{ kind: 'quoted', text: sql.slice(at + 1, end), at }, end + 1];
  }
  for (const [kind, pattern] of [
    ['word', WORD],
    ['number', NUMBER],
    ['parameter', PARAMETER],
    ['operator', OPERATOR],
  ] as const) {
    const found = match(pattern);
    if (found !== null) return [{ kind, text: found[0], at }, at + found[0].length];
  }
  throw invalidQuery(`Syntax error: Illegal input character "${sql[at]}" at ${placeOf(sql, at)}`);
}

function stringAt(sql: string, at: number, prefix: string, quote: string): [Token, number] {
  let text = '';
  let next = at + prefix.length + quote.length;
  for (;;) {
    if (next >= sql.length || (quote.length === 1 && sql[next] === '\n'))
      throw invalidQuery(`Syntax error: Unclosed string literal at ${placeOf(sql, at)}`);
    if (sql.startsWith(quote, next)) break;
    if (sql[next] !== '\\') text += sql[next++];
    else if (prefix.includes('r')) {
      text += sql.slice(next, next + 2);
      next += 2;
    } else {
      const [character, length] = escapeAt(sql, next);
      text += character;
      next += length;
    }
  }
  return [{ kind: prefix.includes('b') ? 'bytes' : 'string', text, at }, next + quote.length];
}

function escapeAt(sql: string, at: number): [string, number] {
  const letter = sql[at + 1] ?? '';
  if (ESCAPES[letter] !== undefined) return [ESCAPES[letter], 2];
  const coded = /^\\(?:[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/.exec(
    sql.slice(at, at + 10),
  );
  if (coded === null) throw invalidQuery(`Syntax error: Illegal escape sequence: \\${letter} at ${placeOf(sql, at)}`);
  const hex = coded[1] ?? coded[2] ?? coded[3];
  return [String.fromCodePoint(hex === undefined ? parseInt(coded[4]!, 8) : parseInt(hex, 16)), coded[0].length];
}

export function groupsOf(sql: string, tokens: readonly Token[]): readonly Node[] {
  let at = 0;
  const read = (closing: string | null): readonly Node[] => {
    const nodes: Node[] = [];
    for (;;) {
      const token = tokens[at];
      if (token === undefined) {
        if (closing === null) return nodes;
        throw invalidQuery(`Syntax error: Expected "${closing}" but got end of script at ${placeOf(sql, sql.length)}`);
      }
      at++;
      const isOperator = token.kind === 'operator';
      if (isOperator && token.text === closing) return nodes;
      if (isOperator && (token.text === ')' || token.text === ']'))
        throw invalidQuery(`Syntax error: Unexpected "${token.text}" at ${placeOf(sql, token.at)}`);
      if (isOperator && (token.text === '(' || token.text === '[')) {
        const { text: open } = token as { text: '(' | '[' };
        nodes.push({ kind: 'group', open, nodes: read(open === '(' ? ')' : ']'), at: token.at });
      } else nodes.push(token);
    }
  };
  return read(null);
}

export function isWord(node: Node | undefined, ...texts: readonly string[]): boolean {
  return node?.kind === 'word' && texts.includes(node.text.toUpperCase());
}

export function isOperator(node: Node | undefined, text: string): boolean {
  return node?.kind === 'operator' && node.text === text;
}

export function isParens(node: Node | undefined): node is Group {
  return node?.kind === 'group' && node.open === '(';
}

/** The parts between separators of this level. */
export function split(nodes: readonly Node[], separator = ','): readonly (readonly Node[])[] {
  const parts: Node[][] = [[]];
  for (const node of nodes) {
    if (isOperator(node, separator)) parts.push([]);
    else parts.at(-1)!.push(node);
  }
  return parts.length === 1 && parts[0]!.length === 0 ? [] : parts;
}
