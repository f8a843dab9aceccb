/** What a path in a query reads: a table's rows, a view's query in brackets, or a view of the catalog itself. */
import { nameOf, type Catalog, type Table, type TableRef } from '../catalog/catalog.ts';
import { Refused, invalidQuery, notFound } from '../refused.ts';
import type { Store } from '../store/store.ts';
import { informationSchema } from './information-schema.ts';
import { groupsOf, tokensOf, type Token } from './lexer.ts';
import { translateQuery } from './query.ts';

export interface Defaults {
  readonly projectId: string;
  readonly datasetId: string | null;
}

export interface Translated {
  readonly sql: string;
  /** Stored tables it reads, through views too: their changes must be applied first. */
  readonly tables: readonly Table[];
}

const MAX_VIEW_DEPTH = 16;

export function translated(
  sql: string,
  store: Store,
  defaults: Defaults,
  now: string,
  parameter: (token: Token) => string,
): Translated {
  const tables = new Set<Table>();
  const text = withViews(sql, store, defaults, now, parameter, tables, 0);
  return { sql: text, tables: [...tables] };
}

function withViews(
  sql: string,
  store: Store,
  defaults: Defaults,
  now: string,
  parameter: (token: Token) => string,
  tables: Set<Table>,
  depth: number,
): string {
  if (depth > MAX_VIEW_DEPTH) throw invalidQuery('Too many nested views, or a view that reads itself.');
  const nodes = groupsOf(
    sql,
    tokensOf(sql).filter(
      (token, at, all) => !(at === all.length - 1 && token.text === ';' && token.kind === 'operator'),
    ),
  );
  return translateQuery(nodes, { sql, now, parameter, relation });

  function relation(parts: readonly string[]): string {
    const at = parts.findIndex((part) => part.toUpperCase() === 'INFORMATION_SCHEMA');
    if (at >= 0) return informationSchema(store.catalog, parts, at, defaults);
    const table = found(store.catalog, tableRefOf(parts, defaults), depth);
    if (table.query === null) {
      tables.add(table);
      return store.rows(table).relation();
    }
    const inside = { projectId: table.ref.projectId, datasetId: null };
    return `(${withViews(table.query, store, inside, now, noParameters, tables, depth + 1)})`;
  }
}

function noParameters(): never {
  throw invalidQuery('Query parameters cannot be used in a view.');
}

export function tableRefOf(parts: readonly string[], defaults: Defaults): TableRef {
  const [a, b, c] = parts;
  if (parts.length === 3) return { projectId: a!, datasetId: b!, tableId: c! };
  if (parts.length === 2) return { projectId: defaults.projectId, datasetId: a!, tableId: b! };
  if (parts.length !== 1) throw invalidQuery(`Invalid table name: ${parts.join('.')}`);
  if (defaults.datasetId === null)
    throw new Refused(400, 'invalid', `Table "${a}" must be qualified with a dataset (e.g. dataset.table).`);
  return { projectId: defaults.projectId, datasetId: defaults.datasetId, tableId: a! };
}

function found(catalog: Catalog, ref: TableRef, depth: number): Table {
  const table = catalog.findTable(ref);
  if (table !== undefined) return table;
  const dataset = catalog.findDataset(ref);
  const where = depth === 0 ? '' : ' (read by a view)';
  if (dataset === undefined)
    throw notFound(`Not found: Dataset ${ref.projectId}:${ref.datasetId} was not found in location US${where}`);
  throw notFound(`Not found: Table ${nameOf(ref)} was not found in location ${dataset.location}${where}`);
}
