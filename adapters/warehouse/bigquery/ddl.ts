/**
 * The statements that make and change what is stored. Pure text, so that Google's own analyzer can judge all of it.
 * Clustering follows the key from its coarsest part; partitions are by a day that never changes, since an upsert finds
 * its row only by the key and a row that moved would stay in both.
 */
import type { Column, Table, View } from '#core/ports/warehouse.ts';
import { COLUMN_KINDS, columnsOf, isRequired } from './columns.ts';
import { appendTable, quotedName, storeDataset, type BigqueryOptions } from './options.ts';

export type DdlOptions = Pick<BigqueryOptions, 'projectId' | 'location' | 'dataset' | 'writes' | 'maxStalenessSeconds'>;

const KEY = ['source', 'instance', 'object', 'id'] as const;
const CLUSTERING = ['source', 'object', 'id'] as const;
const VERSION = ['epoch', 'source_sequence', 'issued_micros', 'generation'] as const;

/** Everything, in the order in which an empty project takes it. */
export function ddlOf(tables: readonly Table[], views: readonly View[], options: DdlOptions): readonly string[] {
  return [
    makeDataset(options, storeDataset(options), 'Rows of every canonical entity, with versions and tombstones.'),
    makeDataset(options, options.dataset, 'Sales activity: the views that people query.'),
    ...tables.flatMap((table) => makeTable(table, options)),
    ...views.map((view) => makeView(view, options)),
  ];
}

export function makeDataset({ projectId, location }: DdlOptions, name: string, description: string): string {
  return `CREATE SCHEMA IF NOT EXISTS \`${projectId}\`.\`${name}\`\nOPTIONS (location = ${literal(location)}, description = ${literal(description)})`;
}

/** One statement, or with insert-all two: the table that takes every version, and the view of the newest over it. */
export function makeTable(table: Table, options: DdlOptions): readonly string[] {
  if (options.writes === 'storage-write') return [tableSql(table, table.name, true, options)];
  return [tableSql(table, appendTable(table.name), false, options), newestView(table, options)];
}

function tableSql(table: Table, name: string, isKeyed: boolean, options: DdlOptions): string {
  const columns = columnsOf(table).map((column) => `  ${declared(column)}`);
  const key = isKeyed ? [`  PRIMARY KEY (${KEY.join(', ')}) NOT ENFORCED`] : [];
  const partition = table.partitionBy === null ? [] : [`PARTITION BY ${partitionOf(table, table.partitionBy)}`];
  return [
    `CREATE TABLE IF NOT EXISTS ${quotedName(options.projectId, storeDataset(options), name)} (`,
    [...columns, ...key].join(',\n'),
    ')',
    ...partition,
    `CLUSTER BY ${CLUSTERING.join(', ')}`,
    `OPTIONS (${tableOptions(table.description, isKeyed ? options.maxStalenessSeconds : 0)})`,
  ].join('\n');
}

/** For a table without a key: the greatest version of each is what the keyed table would hold. */
export function newestView(table: Table, options: DdlOptions): string {
  const name = quotedName(options.projectId, storeDataset(options), table.name);
  return `CREATE OR REPLACE VIEW ${name}\nOPTIONS (description = ${literal(table.description)})\nAS ${newestSql(table, options)}`;
}

export function newestSql(table: Table, options: DdlOptions): string {
  const from = quotedName(options.projectId, storeDataset(options), appendTable(table.name));
  const newest = VERSION.map((part) => `${part} DESC`).join(', ');
  return `SELECT * FROM ${from}\nWHERE TRUE\nQUALIFY ROW_NUMBER() OVER (PARTITION BY ${KEY.join(', ')} ORDER BY ${newest}) = 1`;
}

export function makeView(view: View, options: DdlOptions): string {
  const name = quotedName(options.projectId, options.dataset, view.name);
  return `CREATE OR REPLACE VIEW ${name}\nOPTIONS (description = ${literal(view.description)})\nAS ${viewSql(view, options)}`;
}

export function viewSql(view: View, options: Pick<DdlOptions, 'projectId' | 'dataset'>): string {
  return view.sql.replaceAll('{store}', `\`${options.projectId}\`.\`${storeDataset(options)}\``);
}

/** What `apply` does to a table that is there: nothing of it loses a value. */
export const ALTER = {
  addColumn: (table: string, column: Column): string =>
    `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${column.name} ${COLUMN_KINDS[column.type].sqlType} OPTIONS (description = ${literal(column.description)})`,
  widen: (table: string, column: Column): string =>
    `ALTER TABLE ${table} ALTER COLUMN ${column.name} SET DATA TYPE ${COLUMN_KINDS[column.type].sqlType}`,
  allowNull: (table: string, column: Column): string =>
    `ALTER TABLE ${table} ALTER COLUMN ${column.name} DROP NOT NULL`,
  describe: (table: string, column: Column): string =>
    `ALTER TABLE ${table} ALTER COLUMN ${column.name} SET OPTIONS (description = ${literal(column.description)})`,
  setOptions: (table: string, description: string, maxStalenessSeconds: number): string =>
    `ALTER TABLE ${table} SET OPTIONS (${tableOptions(description, maxStalenessSeconds)})`,
} as const;

function declared(column: Column): string {
  const { name, type, description } = column;
  const required = isRequired(column) ? ' NOT NULL' : '';
  return `${name} ${COLUMN_KINDS[type].sqlType}${required} OPTIONS (description = ${literal(description)})`;
}

function partitionOf(table: Table, name: string): string {
  const column = table.columns.find((each) => each.name === name);
  return column?.type === 'date' ? name : `TIMESTAMP_TRUNC(${name}, DAY)`;
}

function tableOptions(description: string, maxStalenessSeconds: number): string {
  const staleness = maxStalenessSeconds === 0 ? '' : `, max_staleness = INTERVAL ${maxStalenessSeconds} SECOND`;
  return `description = ${literal(description)}${staleness}`;
}

/** A GoogleSQL string literal. */
function literal(text: string): string {
  return JSON.stringify(text);
}
