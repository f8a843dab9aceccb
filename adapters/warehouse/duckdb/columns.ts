/**
 * What each column type accepts and how DuckDB stores it. A value of another kind is a fault of its row, never an
 * approximation: numbers are exact or refused, text is well-formed or refused.
 *
 * Timestamps are TIMESTAMP WITH TIME ZONE, which is an instant (as BigQuery's TIMESTAMP is) and compares rightly with
 * `now()` in any session; DuckDB keeps it as microseconds in UTC.
 */
import { DuckDBDateValue, DuckDBDecimalValue, DuckDBTimestampTZValue, type DuckDBValue } from '@duckdb/node-api';
import type { ColumnType } from '#core/ports/warehouse.ts';

/** Why a value was refused. `must` completes the sentence "Column x must be …"; it never quotes the value. */
export class Fault {
  readonly code: string;
  readonly must: string;

  constructor(code: string, must: string) {
    this.code = code;
    this.must = must;
  }
}

export interface ColumnKind {
  readonly sqlType: string;
  /** Takes a value that is neither null nor undefined. */
  readonly convert: (value: unknown) => DuckDBValue | Fault;
}

const NUMERIC_WIDTH = 38;
const NUMERIC_SCALE = 9;
const NUMERIC = /^(-?)(\d{1,29})(?:\.(\d{1,9}))?$/;
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const MS_PER_DAY = 86_400_000;

const NOT_TEXT = new Fault('wrong_type', 'text');
const MALFORMED = new Fault('malformed_text', 'well-formed text: it has an unpaired surrogate');
const NOT_BOOL = new Fault('wrong_type', 'true or false');
const NOT_INTEGER = new Fault('wrong_type', 'a whole number');
const UNSAFE = new Fault('unsafe_integer', 'a whole number of at most 53 bits');
const NOT_FINITE = new Fault('wrong_type', 'a finite number');
const NOT_NUMERIC = new Fault('invalid_numeric', 'decimal text of at most 29 digits before and 9 after the point');
const NOT_DATE = new Fault('invalid_date', 'a date that exists, as YYYY-MM-DD');
const NOT_JSON = new Fault('invalid_json', 'JSON text');

export const COLUMN_KINDS: Readonly<Record<ColumnType, ColumnKind>> = {
  string: { sqlType: 'VARCHAR', convert: text },
  int64: { sqlType: 'BIGINT', convert: int64 },
  float64: { sqlType: 'DOUBLE', convert: float64 },
  numeric: { sqlType: `DECIMAL(${NUMERIC_WIDTH},${NUMERIC_SCALE})`, convert: numeric },
  bool: { sqlType: 'BOOLEAN', convert: (value) => (typeof value === 'boolean' ? value : NOT_BOOL) },
  timestamp: { sqlType: 'TIMESTAMP WITH TIME ZONE', convert: timestamp },
  date: { sqlType: 'DATE', convert: date },
  json: { sqlType: 'JSON', convert: json },
};

function text(value: unknown): string | Fault {
  if (typeof value !== 'string') return NOT_TEXT;
  return value.isWellFormed() ? value : MALFORMED;
}

function int64(value: unknown): bigint | Fault {
  if (Number.isSafeInteger(value)) return BigInt(value as number);
  return Number.isInteger(value) ? UNSAFE : NOT_INTEGER;
}

function float64(value: unknown): number | Fault {
  return typeof value === 'number' && Number.isFinite(value) ? value : NOT_FINITE;
}

function timestamp(value: unknown): DuckDBTimestampTZValue | Fault {
  const micros = int64(value);
  return micros instanceof Fault ? micros : new DuckDBTimestampTZValue(micros);
}

function numeric(value: unknown): DuckDBDecimalValue | Fault {
  const parts = typeof value === 'string' ? NUMERIC.exec(value) : null;
  if (parts === null) return NOT_NUMERIC;
  const [, sign, whole, fraction = ''] = parts;
  const scaled = BigInt(`${sign}${whole}${fraction.padEnd(NUMERIC_SCALE, '0')}`);
  return new DuckDBDecimalValue(scaled, NUMERIC_WIDTH, NUMERIC_SCALE);
}

function date(value: unknown): DuckDBDateValue | Fault {
  const parts = typeof value === 'string' ? DATE.exec(value) : null;
  if (parts === null) return NOT_DATE;
  const ms = Date.parse(`${value as string}T00:00:00Z`);
  // Date.parse rolls the 30th of February over into March in some engines: only a round trip proves the day exists.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== value) return NOT_DATE;
  return new DuckDBDateValue(ms / MS_PER_DAY);
}

function json(value: unknown): string | Fault {
  const checked = text(value);
  if (checked instanceof Fault) return checked;
  try {
    JSON.parse(checked);
    return checked;
  } catch {
    return NOT_JSON;
  }
}
