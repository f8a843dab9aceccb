/**
 * Values of a query as plain JSON values: whole numbers as numbers where they are exact and as decimal text where not,
 * decimals as text, instants as ISO 8601 in UTC with microseconds, and whatever else DuckDB has as its text.
 */
import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBStructValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';

export type PlainValue =
  string | number | boolean | null | readonly PlainValue[] | { readonly [name: string]: PlainValue };

export function plain(value: DuckDBValue): PlainValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) return instant(value.micros);
  if (value instanceof DuckDBListValue) return value.items.map(plain);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, entry]) => [name, plain(entry)]));
  }
  if (value instanceof DuckDBDateValue || value instanceof DuckDBDecimalValue) return value.toString();
  return value.toString();
}

/** `2026-01-05T09:00:00.000001Z`. */
function instant(micros: bigint): string {
  const ms = micros >= 0n ? micros / 1_000n : (micros - 999n) / 1_000n;
  const date = new Date(Number(ms));
  if (Number.isNaN(date.getTime())) return `${micros} microseconds since 1970`;
  const rest = (micros - ms * 1_000n).toString().padStart(3, '0');
  return date.toISOString().replace('Z', `${rest}Z`);
}
