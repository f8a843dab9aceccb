/**
 * How DuckDB stores each type of column.
 *
 * Timestamps are TIMESTAMP WITH TIME ZONE, which is an instant (as BigQuery's TIMESTAMP is) and compares rightly with
 * `now()` in any session; DuckDB keeps it as microseconds in UTC.
 */
import { DuckDBDateValue, DuckDBDecimalValue, DuckDBTimestampTZValue, type DuckDBValue } from '@duckdb/node-api';
import type { ColumnType } from '#core/ports/warehouse.ts';
import {
  bool,
  date,
  Fault,
  float64,
  instant,
  int64,
  json,
  numeric,
  NUMERIC_SCALE,
  text,
  type ColumnKind,
} from '../checks.ts';

const NUMERIC_WIDTH = 38;

export const COLUMN_KINDS: Readonly<Record<ColumnType, ColumnKind<DuckDBValue>>> = {
  string: { sqlType: 'VARCHAR', convert: text },
  int64: { sqlType: 'BIGINT', convert: (value) => checked(int64(value), BigInt) },
  float64: { sqlType: 'DOUBLE', convert: float64 },
  numeric: {
    sqlType: `DECIMAL(${NUMERIC_WIDTH},${NUMERIC_SCALE})`,
    convert: (value) =>
      checked(numeric(value), ({ scaled }) => new DuckDBDecimalValue(scaled, NUMERIC_WIDTH, NUMERIC_SCALE)),
  },
  bool: { sqlType: 'BOOLEAN', convert: bool },
  timestamp: {
    sqlType: 'TIMESTAMP WITH TIME ZONE',
    convert: (value) => checked(instant(value), (micros) => new DuckDBTimestampTZValue(BigInt(micros))),
  },
  date: { sqlType: 'DATE', convert: (value) => checked(date(value), (days) => new DuckDBDateValue(days)) },
  json: { sqlType: 'JSON', convert: json },
};

function checked<T, V>(value: T | Fault, stored: (value: T) => V): V | Fault {
  return value instanceof Fault ? value : stored(value);
}
