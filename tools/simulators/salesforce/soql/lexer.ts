import { malformedQuery } from '../refusal.ts';

/** SOQL text to tokens. (SOQL reference: string escapes, datetime and date literals.) */
export type Token =
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'datetime'; readonly text: string }
  | { readonly kind: 'date'; readonly text: string }
  | { readonly kind: 'symbol'; readonly text: string }
  | { readonly kind: 'end'; readonly text: '' };

const PATTERNS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['datetime', /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:?\d\d)/y],
  ['date', /\d{4}-\d\d-\d\d(?![\dT])/y],
  ['number', /[+-]?\d+(?:\.\d+)?/y],
  ['string', /'(?:[^'\\]|\\.)*'/y],
  ['word', /[A-Za-z_][A-Za-z0-9_.]*/y],
  ['symbol', /<=|>=|!=|<>|[=<>(),]/y],
];
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  N: '\n',
  r: '\r',
  R: '\r',
  t: '\t',
  T: '\t',
  b: '\b',
  B: '\b',
  f: '\f',
  F: '\f',
};
const MOST_CHARACTERS = 100_000;

export function tokens(soql: string): Token[] {
  if (soql.length > MOST_CHARACTERS) throw malformedQuery('SOQL statements cannot be longer than 100000 characters.');
  const found: Token[] = [];
  let position = skip(soql, 0);
  while (position < soql.length) {
    const token = tokenAt(soql, position);
    if (token === undefined) throw malformedQuery(`unexpected token: '${soql.slice(position, position + 10)}'`);
    found.push(token.token);
    position = skip(soql, token.end);
  }
  return [...found, { kind: 'end', text: '' }];
}

function tokenAt(soql: string, position: number): { readonly token: Token; readonly end: number } | undefined {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = position;
    const text = pattern.exec(soql)?.[0];
    if (text === undefined) continue;
    return { token: { kind, text: kind === 'string' ? unescape(text) : text } as Token, end: position + text.length };
  }
  return undefined;
}

function unescape(quoted: string): string {
  const text = quoted.slice(1, -1).replaceAll(/\\(.)/gs, (_match, letter: string) => ESCAPES[letter] ?? letter);
  if (text.length > 4_000) throw malformedQuery('A string literal cannot be longer than 4000 characters.');
  return text;
}

function skip(soql: string, position: number): number {
  while (position < soql.length && /\s/.test(soql[position]!)) position += 1;
  return position;
}
