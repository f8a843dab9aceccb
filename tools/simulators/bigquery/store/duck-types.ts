/** How a column's type is kept in DuckDB, and what type a column of a DuckDB result has for the service. */
import { DuckDBListType, DuckDBStructType, DuckDBTypeId, type DuckDBType } from '@duckdb/node-api';
import type { Field, FieldType } from '../catalog/fields.ts';

const KEPT: Readonly<Record<Exclude<FieldType, 'RECORD'>, string>> = {
  STRING: 'VARCHAR',
  BYTES: 'BLOB',
  INTEGER: 'BIGINT',
  FLOAT: 'DOUBLE',
  NUMERIC: 'DECIMAL(38,9)',
  BIGNUMERIC: 'DECIMAL(38,18)',
  BOOLEAN: 'BOOLEAN',
  TIMESTAMP: 'TIMESTAMPTZ',
  DATE: 'DATE',
  TIME: 'TIME',
  DATETIME: 'TIMESTAMP',
  GEOGRAPHY: 'VARCHAR',
  JSON: 'JSON',
};

/** A name as DuckDB reads it literally. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function duckTypeOf(field: Field): string {
  const one = scalarTypeOf(field);
  return field.mode === 'REPEATED' ? `${one}[]` : one;
}

function scalarTypeOf(field: Field): string {
  if (field.type !== 'RECORD') return KEPT[field.type];
  return `STRUCT(${field.fields.map((inner) => `${quoted(inner.name)} ${duckTypeOf(inner)}`).join(', ')})`;
}

export function plainDuckType(type: Exclude<FieldType, 'RECORD'>): string {
  return KEPT[type];
}

const SEEN: ReadonlyMap<DuckDBTypeId, FieldType> = new Map([
  [DuckDBTypeId.BOOLEAN, 'BOOLEAN'],
  [DuckDBTypeId.FLOAT, 'FLOAT'],
  [DuckDBTypeId.DOUBLE, 'FLOAT'],
  [DuckDBTypeId.DECIMAL, 'NUMERIC'],
  [DuckDBTypeId.BLOB, 'BYTES'],
  [DuckDBTypeId.DATE, 'DATE'],
  [DuckDBTypeId.TIME, 'TIME'],
  [DuckDBTypeId.TIMESTAMP, 'DATETIME'],
  [DuckDBTypeId.TIMESTAMP_S, 'DATETIME'],
  [DuckDBTypeId.TIMESTAMP_MS, 'DATETIME'],
  [DuckDBTypeId.TIMESTAMP_NS, 'DATETIME'],
  [DuckDBTypeId.TIMESTAMP_TZ, 'TIMESTAMP'],
  ...[
    DuckDBTypeId.TINYINT,
    DuckDBTypeId.SMALLINT,
    DuckDBTypeId.INTEGER,
    DuckDBTypeId.BIGINT,
    DuckDBTypeId.HUGEINT,
    DuckDBTypeId.UTINYINT,
    DuckDBTypeId.USMALLINT,
    DuckDBTypeId.UINTEGER,
    DuckDBTypeId.UBIGINT,
    DuckDBTypeId.UHUGEINT,
    DuckDBTypeId.SQLNULL,
  ].map((id) => [id, 'INTEGER'] as const),
]);

/** A column of a query's result as a field of the answer's schema. What DuckDB has and the service has not is text. */
export function resultFieldOf(name: string, type: DuckDBType): Field {
  if (type instanceof DuckDBListType) return { ...resultFieldOf(name, type.valueType), mode: 'REPEATED' };
  const plain = { name, mode: 'NULLABLE' as const, rest: {} };
  if (type instanceof DuckDBStructType)
    return {
      ...plain,
      type: 'RECORD',
      fields: type.entryNames.map((entry, at) => resultFieldOf(entry, type.entryTypes[at]!)),
    };
  if (type.alias === 'JSON') return { ...plain, type: 'JSON', fields: [] };
  if (type.typeId === DuckDBTypeId.DECIMAL && (type as { scale?: number }).scale === 18)
    return { ...plain, type: 'BIGNUMERIC', fields: [] };
  return { ...plain, type: SEEN.get(type.typeId) ?? 'STRING', fields: [] };
}
