/** Tables and views as BigQuery's REST resource describes them. */
import { SYSTEM_COLUMNS, type Column, type ColumnType, type Table, type View } from '#core/ports/warehouse.ts';

const TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'STRING',
  int64: 'INT64',
  float64: 'FLOAT64',
  numeric: 'NUMERIC',
  bool: 'BOOL',
  timestamp: 'TIMESTAMP',
  date: 'DATE',
  json: 'JSON',
};

/** What a table's REST resource says, where DDL has the shorter name: with the other, every plan would show a difference. */
const REST_NAMES: Readonly<Record<string, string>> = { INT64: 'INTEGER', FLOAT64: 'FLOAT', BOOL: 'BOOLEAN' };

export const PRIMARY_KEY = ['source', 'instance', 'object', 'id'] as const;
/** By what queries select first; the instance is the same in nearly all rows of an object. */
export const CLUSTERING = ['source', 'object', 'id'] as const;

export function tableOf(table: Table) {
  return {
    description: table.description,
    primaryKey: PRIMARY_KEY,
    clustering: CLUSTERING,
    partitionBy: table.partitionBy,
    columns: [
      ...SYSTEM_COLUMNS.map((column) => columnOf(column, column.nullable ? 'NULLABLE' : 'REQUIRED')),
      // A tombstone may come without an image: then none of the entity's columns has a value.
      ...table.columns.map((column) => columnOf(column, 'NULLABLE')),
    ],
  };
}

function columnOf({ name, type, description, pii }: Column, mode: 'NULLABLE' | 'REQUIRED') {
  return { name, type: REST_NAMES[TYPES[type]] ?? TYPES[type], mode, description, pii };
}

/** `{store}` is left for Terraform, which knows project and dataset. */
export function viewOf({ description, sql }: View) {
  return { description, query: sql };
}
