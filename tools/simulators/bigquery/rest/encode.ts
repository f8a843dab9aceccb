/** Values of a result as REST shows them: everything is text, in rows of `f` and `v`. */
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBStructValue,
  DuckDBTimeValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { Field } from '../catalog/fields.ts';

/** How an instant is shown: seconds since 1970 as a float (the default), microseconds, or ISO 8601. */
export type InstantFormat = 'float' | 'int64' | 'iso';

export interface Cell {
  readonly v: unknown;
}

export interface EncodedRow {
  readonly f: readonly Cell[];
}

export function encodeRow(fields: readonly Field[], row: readonly DuckDBValue[], instants: InstantFormat): EncodedRow {
  return { f: row.map((value, at) => ({ v: encodeField(fields[at]!, value, instants) })) };
}

function encodeField(field: Field, value: DuckDBValue, instants: InstantFormat): unknown {
  if (field.mode !== 'REPEATED') return encode(field, value, instants);
  const items = value instanceof DuckDBListValue ? value.items : [];
  return items.map((item) => ({ v: encode(field, item, instants) }));
}

function encode(field: Field, value: DuckDBValue, instants: InstantFormat): unknown {
  if (value === null) return null;
  if (value instanceof DuckDBStructValue)
    return { f: field.fields.map((inner) => ({ v: encodeField(inner, value.entries[inner.name] ?? null, instants) })) };
  if (value instanceof DuckDBTimestampTZValue) return instant(value.micros, instants);
  if (value instanceof DuckDBTimestampValue) return isoOf(value.micros);
  if (value instanceof DuckDBDateValue) return isoOf(BigInt(value.days) * 86_400_000_000n).slice(0, 10);
  if (value instanceof DuckDBTimeValue) return isoOf(value.micros).slice(11);
  if (value instanceof DuckDBDecimalValue) return shortest(value.toString());
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  if (typeof value === 'number') return numberText(value);
  return typeof value === 'string' ? value : value.toString();
}

function numberText(value: number): string {
  if (Number.isFinite(value))
    return Number.isInteger(value) && Math.abs(value) < 1e15 ? value.toFixed(1).replace(/\.0$/, '.0') : String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}

/** `12.500000000` as `12.5`. */
function shortest(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}

function instant(micros: bigint, format: InstantFormat): string {
  if (format === 'int64') return micros.toString();
  if (format === 'iso') return `${isoOf(micros)}Z`;
  // Digits are kept exactly, as the service does: a double cannot hold all microseconds of far-off times.
  const negative = micros < 0n;
  const digits = (negative ? -micros : micros).toString().padStart(7, '0');
  const seconds = `${digits.slice(0, -6)}.${digits.slice(-6).replace(/0+$/, '') || '0'}`;
  return `${negative ? '-' : ''}${seconds}`;
}

/** `2026-01-05T09:00:00.000001`, the fraction only where there is one. */
function isoOf(micros: bigint): string {
  const part = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const whole = new Date(Number((micros - part) / 1_000n)).toISOString().slice(0, 19);
  return part === 0n ? whole : `${whole}.${part.toString().padStart(6, '0')}`;
}
