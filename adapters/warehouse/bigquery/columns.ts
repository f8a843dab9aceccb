/**
 * How BigQuery stores each type of column, and how the Storage Write API takes it in a protobuf row:
 * https://cloud.google.com/bigquery/docs/supported-data-types. Encoded here and not by Google's JSON writer, which turns
 * a date given as text into 1970-01-01 and a bigint into 0 without a word.
 */
import { SYSTEM_COLUMNS, type Column, type ColumnType, type Table } from '#core/ports/warehouse.ts';
import { bool, date, Fault, float64, instant, int64, json, numeric, text, type ColumnKind } from '../checks.ts';

export type WireValue = string | number | bigint | boolean;

/** FieldDescriptorProto.Type */
export const WIRE_TYPES = { double: 1, int64: 3, int32: 5, bool: 8, string: 9 } as const;
export type WireType = keyof typeof WIRE_TYPES;

export interface BigqueryKind extends ColumnKind<WireValue> {
  /** As REST resources name the type. */
  readonly restType: string;
  readonly wire: WireType;
}

export const COLUMN_KINDS: Readonly<Record<ColumnType, BigqueryKind>> = {
  string: { sqlType: 'STRING', restType: 'STRING', wire: 'string', convert: text },
  int64: { sqlType: 'INT64', restType: 'INTEGER', wire: 'int64', convert: int64 },
  float64: { sqlType: 'FLOAT64', restType: 'FLOAT', wire: 'double', convert: float64 },
  numeric: { sqlType: 'NUMERIC', restType: 'NUMERIC', wire: 'string', convert: decimalText },
  bool: { sqlType: 'BOOL', restType: 'BOOLEAN', wire: 'bool', convert: bool },
  timestamp: { sqlType: 'TIMESTAMP', restType: 'TIMESTAMP', wire: 'int64', convert: instant },
  date: { sqlType: 'DATE', restType: 'DATE', wire: 'int32', convert: date },
  json: { sqlType: 'JSON', restType: 'JSON', wire: 'string', convert: json },
};

/** In the order of the stored table when it is made. */
export function columnsOf(table: Table): readonly Column[] {
  return [...SYSTEM_COLUMNS, ...table.columns];
}

/** Entity columns are nullable whatever the schema says, because a tombstone without an image has none of them. */
export function isRequired(column: Column): boolean {
  return !column.nullable && SYSTEM_COLUMNS.includes(column);
}

function decimalText(value: unknown): string | Fault {
  const parsed = numeric(value);
  return parsed instanceof Fault ? parsed : parsed.text;
}
