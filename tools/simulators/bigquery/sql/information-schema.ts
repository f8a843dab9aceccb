/** INFORMATION_SCHEMA of a dataset, as far as clients ask: TABLES, COLUMNS, VIEWS, KEY_COLUMN_USAGE and SCHEMATA. */
import type { Catalog, Table } from '../catalog/catalog.ts';
import type { Field } from '../catalog/fields.ts';
import { notFound, notSimulated } from '../refused.ts';
import { quoted } from '../store/duck-types.ts';
import { literal } from './names.ts';

type Value = string | number | null;
interface Shape {
  readonly columns: readonly string[];
  rows(table: Table): readonly (readonly Value[])[];
}

const STANDARD: Readonly<Record<string, string>> = { INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL' };

const SHAPES: Readonly<Record<string, Shape>> = {
  TABLES: {
    columns: ['table_catalog', 'table_schema', 'table_name', 'table_type', 'is_insertable_into'],
    rows: (table) => [
      [...named(table), table.kind === 'VIEW' ? 'VIEW' : 'BASE TABLE', table.kind === 'VIEW' ? 'NO' : 'YES'],
    ],
  },
  COLUMNS: {
    columns: [
      'table_catalog',
      'table_schema',
      'table_name',
      'column_name',
      'ordinal_position',
      'is_nullable',
      'data_type',
      'is_partitioning_column',
      'clustering_ordinal_position',
    ],
    rows: (table) =>
      table.fields.map((field, at) => [
        ...named(table),
        field.name,
        at + 1,
        field.mode === 'REQUIRED' ? 'NO' : 'YES',
        typeText(field),
        isPartitioning(table, field) ? 'YES' : 'NO',
        clusteringPlace(table, field),
      ]),
  },
  VIEWS: {
    columns: ['table_catalog', 'table_schema', 'table_name', 'view_definition', 'use_standard_sql'],
    rows: (table) => (table.query === null ? [] : [[...named(table), table.query, 'YES']]),
  },
  KEY_COLUMN_USAGE: {
    columns: ['table_catalog', 'table_schema', 'table_name', 'constraint_name', 'column_name', 'ordinal_position'],
    rows: (table) => table.primaryKey.map((name, at) => [...named(table), `${table.ref.tableId}.pk$`, name, at + 1]),
  },
};

function named({ ref }: Table): readonly string[] {
  return [ref.projectId, ref.datasetId, ref.tableId];
}

/** A column's type as GoogleSQL writes it. */
export function typeText(field: Field): string {
  const inner =
    field.type === 'RECORD'
      ? `STRUCT<${field.fields.map((nested) => `${nested.name} ${typeText(nested)}`).join(', ')}>`
      : (STANDARD[field.type] ?? field.type);
  return field.mode === 'REPEATED' ? `ARRAY<${inner}>` : inner;
}

function isPartitioning({ settings }: Table, field: Field): boolean {
  return (settings.timePartitioning as { field?: string } | undefined)?.field === field.name;
}

function clusteringPlace({ settings }: Table, field: Field): number | null {
  const at = (settings.clustering as { fields?: readonly string[] } | undefined)?.fields?.indexOf(field.name) ?? -1;
  return at < 0 ? null : at + 1;
}

/** `[project.]dataset.INFORMATION_SCHEMA.NAME`; `at` is where INFORMATION_SCHEMA stands. */
export function informationSchema(
  catalog: Catalog,
  parts: readonly string[],
  at: number,
  defaults: { readonly projectId: string; readonly datasetId: string | null },
): string {
  const name = (parts[at + 1] ?? '').toUpperCase();
  const datasetId = parts[at - 1] ?? defaults.datasetId;
  const projectId = at >= 2 ? parts[at - 2]! : defaults.projectId;
  if (name === 'SCHEMATA') {
    const rows = catalog.datasets(projectId).map(({ ref, location }) => [ref.projectId, ref.datasetId, location]);
    return relation(['catalog_name', 'schema_name', 'location'], rows);
  }
  const shape = SHAPES[name];
  if (shape === undefined) throw notSimulated(`INFORMATION_SCHEMA.${name}`);
  if (datasetId === null) throw notFound(`Not found: INFORMATION_SCHEMA.${name} needs a dataset`);
  catalog.dataset({ projectId, datasetId });
  return relation(
    shape.columns,
    catalog.tables({ projectId, datasetId }).flatMap((table) => [...shape.rows(table)]),
  );
}

function relation(columns: readonly string[], rows: readonly (readonly Value[])[]): string {
  const list = columns.map(quoted).join(', ');
  const value = (one: Value) => (one === null ? 'NULL' : typeof one === 'number' ? String(one) : literal(one));
  if (rows.length === 0)
    return `(SELECT ${columns.map((column) => `NULL AS ${quoted(column)}`).join(', ')} WHERE false)`;
  const values = rows.map((row) => `(${row.map(value).join(', ')})`).join(', ');
  return `(SELECT * FROM (VALUES ${values}) AS listed(${list}))`;
}
