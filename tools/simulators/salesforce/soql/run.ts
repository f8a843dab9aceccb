/** Runs a checked query as of a commit: the indexes of the records that answer it, in their order. */
import { parseId, type Cursor, type Table, type Value } from '../../world/index.ts';
import { fieldNamed, type Checked } from './check.ts';
import { compile, type Matches } from './matches.ts';
import type { Condition, Query } from './parser.ts';

export interface RunOptions {
  readonly commitNumber: number;
  /** `queryAll`: with what lies in the recycle bin. */
  readonly includeDeleted: boolean;
}

/** Rows looked at before others get their turn. */
const SLICE = 20_000;

export async function run({ query, table }: Checked, options: RunOptions): Promise<Uint32Array> {
  const matches = query.where === null ? () => true : compile(table, query.where);
  const found = await scan(table, candidates(table, query.where), matches, options);
  if (query.orderBy.length > 0) sort(table, found, query.orderBy, options.commitNumber);
  const from = query.offset ?? 0;
  return Uint32Array.from(query.limit === null ? found.slice(from) : found.slice(from, from + query.limit));
}

async function scan(table: Table, from: Iterable<number>, matches: Matches, options: RunOptions): Promise<number[]> {
  const cursor = table.cursor();
  const found: number[] = [];
  let seen = 0;
  for (const index of from) {
    if (++seen % SLICE === 0) await new Promise(setImmediate);
    if (!cursor.move(index, options.commitNumber)) continue;
    if (!options.includeDeleted && cursor.isDeleted) continue;
    if (matches(cursor)) found.push(index);
  }
  return found;
}

/** Not every record must be looked at: ids name theirs, and only what was touched is as new as the company's life. */
function candidates(table: Table, where: Condition | null): Iterable<number> {
  const conjuncts = where === null ? [] : where.kind === 'and' ? where.parts : [where];
  for (const part of conjuncts) {
    const ids = idsOf(table, part);
    if (ids !== undefined) return ids;
  }
  const isRecent = table.waves.length === 0 && conjuncts.some((part) => newerThan(table, part) >= table.shape.epochMs);
  return isRecent ? table.touched() : every(table.size);
}

function* every(size: number): Iterable<number> {
  for (let index = 0; index < size; index++) yield index;
}

function idsOf(table: Table, part: Condition): number[] | undefined {
  const isIn = part.kind === 'in' && !part.isNegated;
  const isEqual = part.kind === 'compare' && part.operator === '=';
  if ((!isIn && !isEqual) || fieldNamed(table, part.field).type !== 'id') return undefined;
  const literals = part.kind === 'in' ? part.literals : [part.literal];
  const parsed = literals.map(({ value }) => parseId(String(value)));
  const indexes = parsed.flatMap((id) => (id?.object === table.object ? [id.index] : []));
  return [...new Set(indexes)].sort((a, b) => a - b);
}

const STAMPS = ['SystemModstamp', 'LastModifiedDate'];

function newerThan(table: Table, part: Condition): number {
  if (part.kind !== 'compare' || !['>', '>=', '='].includes(part.operator)) return -Infinity;
  const isStamp = STAMPS.includes(fieldNamed(table, part.field).name);
  return isStamp && part.literal.type === 'datetime' ? part.literal.value : -Infinity;
}

/** Nulls come first, as by default. */
function sort(table: Table, found: number[], orderBy: Query['orderBy'], commitNumber: number): void {
  const cursor = table.cursor();
  const orders = orderBy.map((order) => ({ ...order, name: fieldNamed(table, order.field).name }));
  const keysOf = (index: number): Value[] => orders.map(({ name }) => sortKey(cursor, index, name, commitNumber));
  const keys = new Map(found.map((index) => [index, keysOf(index)]));
  found.sort((a, b) => {
    const left = keys.get(a)!;
    const right = keys.get(b)!;
    for (const [i, { isDescending }] of orders.entries()) {
      const order = compare(left[i]!, right[i]!);
      if (order !== 0) return isDescending && left[i] !== null && right[i] !== null ? -order : order;
    }
    return a - b;
  });
}

function sortKey(cursor: Cursor, index: number, name: string, commitNumber: number): Value {
  cursor.move(index, commitNumber);
  return name === 'Id' ? index : cursor.get(name);
}

function compare(left: Value, right: Value): number {
  if (left === right) return 0;
  if (left === null) return -1;
  if (right === null) return 1;
  return left < right ? -1 : 1;
}
