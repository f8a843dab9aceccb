/** A SOQL statement as a tree: SELECT fields FROM one object, WHERE, ORDER BY, LIMIT. What Bulk refuses is parsed, to be refused. */
import { malformedQuery, type Refusal } from '../refusal.ts';
import { tokens, type Token } from './lexer.ts';

/** Datetimes are milliseconds, dates `YYYY-MM-DD`. */
export type Literal =
  | { readonly type: 'string' | 'date'; readonly value: string }
  | { readonly type: 'number' | 'datetime'; readonly value: number }
  | { readonly type: 'boolean'; readonly value: boolean }
  | { readonly type: 'null'; readonly value: null };

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'like';

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'compare'; readonly field: string; readonly operator: Operator; readonly literal: Literal }
  | { readonly kind: 'in'; readonly field: string; readonly literals: readonly Literal[]; readonly isNegated: boolean };

export interface Query {
  readonly fields: readonly string[];
  /** `SELECT COUNT()` */
  readonly isCount: boolean;
  readonly object: string;
  readonly where: Condition | null;
  readonly orderBy: readonly { readonly field: string; readonly isDescending: boolean }[];
  readonly limit: number | null;
  readonly offset: number | null;
  /** What Bulk refuses and REST takes. */
  readonly unsupported: string | null;
}

const OPERATORS: readonly string[] = ['=', '!=', '<>', '<', '<=', '>', '>='];

export function parseQuery(text: string): Query {
  return new Parser(tokens(text)).statement();
}

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(found: readonly Token[]) {
    this.#tokens = found;
  }

  statement(): Query {
    this.#expect('SELECT');
    const { fields, isCount, aggregate } = this.#selection();
    this.#expect('FROM');
    const object = this.#word('an object');
    const where = this.#accept('WHERE') ? this.#or() : null;
    const grouped = this.#accept('GROUP') ? 'GROUP BY' : null;
    if (grouped !== null) throw malformedQuery('GROUP BY is not simulated.');
    const orderBy = this.#accept('ORDER') ? this.#ordering() : [];
    const limit = this.#accept('LIMIT') ? Number(this.#take('number').text) : null;
    const offset = this.#accept('OFFSET') ? Number(this.#take('number').text) : null;
    if (this.#accept('FOR') && !['VIEW', 'REFERENCE', 'UPDATE'].some((word) => this.#accept(word)))
      throw this.#unexpected();
    if (this.#accept('ALL')) this.#expect('ROWS');
    if (this.#peek().kind !== 'end') throw this.#unexpected();
    return {
      fields,
      isCount,
      object,
      where,
      orderBy,
      limit,
      offset,
      unsupported: aggregate ?? (offset === null ? null : 'OFFSET'),
    };
  }

  #selection(): { fields: string[]; isCount: boolean; aggregate: string | null } {
    const fields: string[] = [];
    do {
      const name = this.#word('a field');
      if (this.#acceptSymbol('(')) {
        if (!/^count$/i.test(name) || fields.length > 0) throw malformedQuery(`unexpected token: '${name}('`);
        this.#expectSymbol(')');
        return { fields: [], isCount: true, aggregate: 'COUNT()' };
      }
      fields.push(name);
    } while (this.#acceptSymbol(','));
    return { fields, isCount: false, aggregate: null };
  }

  #or(): Condition {
    const parts = [this.#and()];
    while (this.#accept('OR')) parts.push(this.#and());
    return parts.length === 1 ? parts[0]! : { kind: 'or', parts };
  }

  #and(): Condition {
    const parts = [this.#not()];
    while (this.#accept('AND')) parts.push(this.#not());
    return parts.length === 1 ? parts[0]! : { kind: 'and', parts };
  }

  #not(): Condition {
    if (this.#accept('NOT')) return { kind: 'not', part: this.#not() };
    if (this.#acceptSymbol('(')) {
      const inner = this.#or();
      this.#expectSymbol(')');
      return inner;
    }
    return this.#comparison();
  }

  #comparison(): Condition {
    const field = this.#word('a field');
    if (this.#accept('NOT')) {
      this.#expect('IN');
      return { kind: 'in', field, literals: this.#list(), isNegated: true };
    }
    if (this.#accept('IN')) return { kind: 'in', field, literals: this.#list(), isNegated: false };
    if (this.#accept('LIKE')) return { kind: 'compare', field, operator: 'like', literal: this.#literal() };
    const symbol = this.#take('symbol').text;
    if (!OPERATORS.includes(symbol)) throw this.#unexpected();
    return {
      kind: 'compare',
      field,
      operator: (symbol === '<>' ? '!=' : symbol) as Operator,
      literal: this.#literal(),
    };
  }

  #list(): Literal[] {
    this.#expectSymbol('(');
    const values = [this.#literal()];
    while (this.#acceptSymbol(',')) values.push(this.#literal());
    this.#expectSymbol(')');
    return values;
  }

  #literal(): Literal {
    const token = this.#next();
    if (token.kind === 'word') {
      const word = token.text.toLowerCase();
      if (word === 'true' || word === 'false') return { type: 'boolean', value: word === 'true' };
      if (word === 'null') return { type: 'null', value: null };
      throw malformedQuery(`unexpected token: '${token.text}'`);
    }
    if (token.kind === 'symbol' || token.kind === 'end') throw this.#unexpected();
    return literalOf(token.kind, token.text);
  }

  #ordering(): { field: string; isDescending: boolean }[] {
    this.#expect('BY');
    const keys: { field: string; isDescending: boolean }[] = [];
    do {
      const field = this.#word('a field');
      const isDescending = this.#accept('DESC');
      if (!isDescending) this.#accept('ASC');
      if (this.#accept('NULLS')) this.#word('FIRST or LAST');
      keys.push({ field, isDescending });
    } while (this.#acceptSymbol(','));
    return keys;
  }

  #peek(): Token {
    return this.#tokens[this.#position]!;
  }

  #next(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#position += 1;
    return token;
  }

  #take(kind: Token['kind']): Token {
    if (this.#peek().kind !== kind) throw this.#unexpected();
    return this.#next();
  }

  #word(what: string): string {
    const token = this.#next();
    if (token.kind !== 'word') throw malformedQuery(`expecting ${what}, found '${token.text}'`);
    return token.text;
  }

  #accept(word: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'word' || token.text.toUpperCase() !== word) return false;
    this.#position += 1;
    return true;
  }

  #expect(word: string): void {
    if (!this.#accept(word)) throw this.#unexpected();
  }

  #acceptSymbol(symbol: string): boolean {
    const token = this.#peek();
    if (token.kind !== 'symbol' || token.text !== symbol) return false;
    this.#position += 1;
    return true;
  }

  #expectSymbol(symbol: string): void {
    if (!this.#acceptSymbol(symbol)) throw this.#unexpected();
  }

  #unexpected(): Refusal {
    return malformedQuery(`unexpected token: '${this.#peek().text || '<EOF>'}'`);
  }
}

function literalOf(kind: 'string' | 'number' | 'date' | 'datetime', text: string): Literal {
  if (kind === 'datetime') return { type: kind, value: Date.parse(text) };
  return kind === 'number' ? { type: kind, value: Number(text) } : { type: kind, value: text };
}
