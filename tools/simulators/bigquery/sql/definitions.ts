/** Statements that define or change datasets, tables and views, read into what is to be done, in the terms of REST resources. */
import { fieldTypeOf, type FieldType } from '../catalog/fields.ts';
import type { Json } from '../json.ts';
import { invalidQuery, notSimulated } from '../refused.ts';
import { isOperator, isParens, isWord, placeOf, split, type Group, type Node } from './lexer.ts';
import { pathAt } from './names.ts';
import { optionsOf } from './options.ts';

export type Definition =
  | {
      readonly kind: 'create dataset';
      readonly path: readonly string[];
      readonly ifAbsent: boolean;
      readonly resource: Json;
    }
  | {
      readonly kind: 'create table' | 'create view';
      readonly path: readonly string[];
      readonly ifAbsent: boolean;
      readonly orReplace: boolean;
      readonly resource: Json;
    }
  | { readonly kind: 'alter table'; readonly path: readonly string[]; readonly changes: readonly Change[] }
  | {
      readonly kind: 'drop';
      readonly what: 'SCHEMA' | 'TABLE' | 'VIEW';
      readonly path: readonly string[];
      readonly ifPresent: boolean;
      readonly cascade: boolean;
    };

export type Change =
  | { readonly kind: 'add column'; readonly field: Json; readonly ifAbsent: boolean }
  | { readonly kind: 'set type'; readonly column: string; readonly type: FieldType }
  | { readonly kind: 'drop not null'; readonly column: string }
  | { readonly kind: 'set column options'; readonly column: string; readonly options: Json }
  | { readonly kind: 'set options'; readonly options: Json };

/** Throws the service's syntax error where the statement is none of those it knows. */
export function definitionOf(sql: string, nodes: readonly Node[]): Definition {
  return new Reader(sql, nodes).definition();
}

class Reader {
  readonly #sql: string;
  readonly #nodes: readonly Node[];
  #at = 0;

  constructor(sql: string, nodes: readonly Node[]) {
    this.#sql = sql;
    this.#nodes = nodes;
  }

  definition(): Definition {
    if (this.#took('CREATE')) return this.#create();
    if (this.#took('ALTER')) return this.#alter();
    this.#expect('DROP');
    const what = this.#took('SCHEMA') ? 'SCHEMA' : this.#took('VIEW') ? 'VIEW' : 'TABLE';
    if (what === 'TABLE') this.#expect('TABLE');
    const ifPresent = this.#tookAll('IF', 'EXISTS');
    const path = this.#path();
    const cascade = this.#took('CASCADE');
    this.#end();
    return { kind: 'drop', what, path, ifPresent, cascade };
  }

  #create(): Definition {
    const orReplace = this.#tookAll('OR', 'REPLACE');
    if (this.#took('SCHEMA')) {
      const ifAbsent = this.#tookAll('IF', 'NOT', 'EXISTS');
      const path = this.#path();
      const resource = this.#options();
      this.#end();
      return { kind: 'create dataset', path, ifAbsent, resource };
    }
    if (this.#took('VIEW')) return this.#createView(orReplace);
    this.#expect('TABLE');
    const ifAbsent = this.#tookAll('IF', 'NOT', 'EXISTS');
    const path = this.#path();
    const columns = this.#group();
    const resource = {
      ...columnsOf(this.#sql, columns),
      ...this.#partitioning(),
      ...this.#clustering(),
      ...this.#options(),
    };
    this.#end();
    return { kind: 'create table', path, ifAbsent, orReplace, resource };
  }

  /** The query is kept as it is written after AS. */
  #createView(orReplace: boolean): Definition {
    const ifAbsent = this.#tookAll('IF', 'NOT', 'EXISTS');
    const path = this.#path();
    const options = this.#options();
    const as = this.#nodes[this.#at];
    this.#expect('AS');
    const query = this.#sql.slice((as?.at ?? 0) + 'AS'.length).trim();
    return {
      kind: 'create view',
      path,
      ifAbsent,
      orReplace,
      resource: { ...options, view: { query, useLegacySql: false } },
    };
  }

  #alter(): Definition {
    this.#expect('TABLE');
    const path = this.#path();
    const changes = split(this.#nodes.slice(this.#at)).map((nodes) => new Reader(this.#sql, nodes).#change());
    return { kind: 'alter table', path, changes };
  }

  #change(): Change {
    const change = this.#tookAll('ADD', 'COLUMN') ? this.#addColumn() : this.#otherChange();
    this.#end();
    return change;
  }

  #addColumn(): Change {
    const ifAbsent = this.#tookAll('IF', 'NOT', 'EXISTS');
    const nodes = this.#nodes.slice(this.#at);
    this.#at = this.#nodes.length;
    return { kind: 'add column', ifAbsent, field: new Reader(this.#sql, nodes).column() };
  }

  #otherChange(): Change {
    if (this.#took('SET')) return { kind: 'set options', options: this.#options() };
    this.#expect('ALTER');
    this.#expect('COLUMN');
    const column = this.#name();
    if (this.#tookAll('DROP', 'NOT', 'NULL')) return { kind: 'drop not null', column };
    this.#expect('SET');
    if (this.#tookAll('DATA', 'TYPE')) return { kind: 'set type', column, type: this.#type() };
    return { kind: 'set column options', column, options: this.#options() };
  }

  /** `name TYPE [NOT NULL] [OPTIONS (…)]` as a TableFieldSchema. */
  column(): Json {
    const name = this.#name();
    const type = this.#type();
    const mode = this.#tookAll('NOT', 'NULL') ? 'REQUIRED' : 'NULLABLE';
    const options = this.#options();
    this.#end();
    return { name, type, mode, ...options };
  }

  #type(): FieldType {
    const name = this.#name();
    if (isOperator(this.#nodes[this.#at], '<')) throw notSimulated(`A column of type ${name}<…> by DDL`);
    if (isParens(this.#nodes[this.#at])) this.#at++;
    return fieldTypeOf(name);
  }

  #partitioning(): Json {
    if (!this.#tookAll('PARTITION', 'BY')) return {};
    const field = this.#name();
    const call = this.#nodes[this.#at];
    if (!isParens(call)) return { timePartitioning: { type: 'DAY', field } };
    this.#at++;
    const [column, unit] = split(call.nodes).map((part) => part[0]);
    const isTruncated = /^(TIMESTAMP|DATETIME|DATE)_TRUNC$/i.test(field);
    if (!/^DATE$/i.test(field) && !isTruncated) throw notSimulated(`PARTITION BY ${field}(…)`);
    return { timePartitioning: { type: isTruncated ? wordOf(unit).toUpperCase() : 'DAY', field: wordOf(column) } };
  }

  #clustering(): Json {
    if (!this.#tookAll('CLUSTER', 'BY')) return {};
    const fields = [this.#name()];
    while (isOperator(this.#nodes[this.#at], ',')) {
      this.#at++;
      fields.push(this.#name());
    }
    return { clustering: { fields } };
  }

  #options(): Json {
    return this.#took('OPTIONS') ? optionsOf(this.#sql, this.#group()) : {};
  }

  #group(): Group {
    const node = this.#nodes[this.#at];
    if (!isParens(node)) throw this.#unexpected('Expected "("');
    this.#at++;
    return node;
  }

  #path(): readonly string[] {
    const path = pathAt(this.#nodes, this.#at);
    if (path === null) throw this.#unexpected('Expected a name');
    this.#at = path.end;
    return path.parts;
  }

  #name(): string {
    const name = wordOf(this.#nodes[this.#at]);
    if (name === '') throw this.#unexpected('Expected a name');
    this.#at++;
    return name;
  }

  #took(word: string): boolean {
    if (!isWord(this.#nodes[this.#at], word)) return false;
    this.#at++;
    return true;
  }

  #tookAll(...words: readonly string[]): boolean {
    if (!words.every((word, index) => isWord(this.#nodes[this.#at + index], word))) return false;
    this.#at += words.length;
    return true;
  }

  #expect(word: string): void {
    if (!this.#took(word)) throw this.#unexpected(`Expected keyword ${word}`);
  }

  #end(): void {
    if (this.#at < this.#nodes.length) throw this.#unexpected('Expected end of input');
  }

  #unexpected(expected: string): Error {
    const node = this.#nodes[this.#at];
    const found = node === undefined ? 'end of statement' : 'text' in node ? `"${node.text}"` : `"${node.open}"`;
    return invalidQuery(
      `Syntax error: ${expected} but got ${found} at ${placeOf(this.#sql, node?.at ?? this.#sql.length)}`,
    );
  }
}

function columnsOf(sql: string, { nodes }: Group): Json {
  const fields: Json[] = [];
  let key: Json = {};
  for (const part of split(nodes)) {
    if (part.length === 0) continue;
    if (isWord(part[0], 'PRIMARY') && isWord(part[1], 'KEY') && isParens(part[2])) {
      if (!isWord(part[3], 'NOT') || !isWord(part[4], 'ENFORCED'))
        throw invalidQuery('Enforced primary key constraints are not supported: write NOT ENFORCED');
      key = { tableConstraints: { primaryKey: { columns: split(part[2].nodes).map(([name]) => wordOf(name)) } } };
    } else fields.push(new Reader(sql, part).column());
  }
  return { schema: { fields }, ...key };
}

function wordOf(node: Node | undefined): string {
  return node?.kind === 'word' || node?.kind === 'quoted' ? node.text : '';
}
