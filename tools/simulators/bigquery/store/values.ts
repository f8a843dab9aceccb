/** Values as they come in, text or numbers, as DuckDB keeps them. What BigQuery would not take throws `BadValue`. */
import {
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBTimeValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
} from '@duckdb/node-api';

/** The message says what is wrong with the value; who throws it further says where. */
export class BadValue extends Error {}

const MICROS_A_DAY = 86_400_000_000n;
const FIRST_DAY = -719_162;
const LAST_DAY = 2_932_896;
const FIRST_MICROS = BigInt(FIRST_DAY) * MICROS_A_DAY;
const LAST_MICROS = BigInt(LAST_DAY + 1) * MICROS_A_DAY - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

export function int64(value: bigint): bigint {
  if (value < MIN_INT64 || value > MAX_INT64) throw new BadValue(`Integer out of range: ${value}`);
  return value;
}

/** Days since 1970-01-01. */
export function dateOfDays(days: number): DuckDBDateValue {
  if (!(days >= FIRST_DAY && days <= LAST_DAY)) throw new BadValue(`Invalid date value: ${days} days since 1970-01-01`);
  return new DuckDBDateValue(days);
}

export function dateOfText(text: string): DuckDBDateValue {
  const match = /^(\d{4})-(\d{1,2})-(\d{1,2})$/.exec(text);
  const days = match === null ? null : daysOf(match[1]!, match[2]!, match[3]!);
  if (days === null) throw new BadValue(`Invalid date: '${text}'`);
  return dateOfDays(days);
}

function daysOf(year: string, month: string, day: string): number | null {
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day)
    ? date.getTime() / 86_400_000
    : null;
}

function microsOfTime(hours: string, minutes: string, seconds: string, fraction: string): bigint | null {
  const [h, m, s] = [Number(hours), Number(minutes), Number(seconds)];
  if (h > 23 || m > 59 || s > 59) return null;
  return BigInt(((h * 60 + m) * 60 + s) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0')));
}

export function timeOfText(text: string): DuckDBTimeValue {
  const match = /^(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\.(\d{1,6}))?$/.exec(text);
  const micros = match === null ? null : microsOfTime(match[1]!, match[2]!, match[3]!, match[4] ?? '');
  if (micros === null) throw new BadValue(`Invalid time: '${text}'`);
  return new DuckDBTimeValue(micros);
}

const DATETIME = /^(\d{4}-\d{1,2}-\d{1,2})(?:[ Tt](\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?/;

function microsOfDateTime(text: string): { readonly micros: bigint; readonly rest: string } | null {
  const match = DATETIME.exec(text);
  if (match === null) return null;
  const micros = microsOfTime(match[2] ?? '0', match[3] ?? '0', match[4] ?? '0', match[5] ?? '');
  if (micros === null) return null;
  return { micros: BigInt(dateOfText(match[1]!).days) * MICROS_A_DAY + micros, rest: text.slice(match[0].length) };
}

export function dateTimeOfText(text: string): DuckDBTimestampValue {
  const read = microsOfDateTime(text);
  if (read === null || read.rest !== '') throw new BadValue(`Invalid datetime string "${text}"`);
  return new DuckDBTimestampValue(read.micros);
}

/** The packed form of a DATETIME in an int64: year, month, day, hour, minute, second, microseconds, from the high bits down. */
export function dateTimeOfPacked(packed: bigint): DuckDBTimestampValue {
  const part = (shift: bigint, bits: bigint) => String((packed >> shift) & ((1n << bits) - 1n));
  const date = `${part(46n, 14n).padStart(4, '0')}-${part(42n, 4n)}-${part(37n, 5n)}`;
  return dateTimeOfText(`${date} ${part(32n, 5n)}:${part(26n, 6n)}:${part(20n, 6n)}.${part(0n, 20n).padStart(6, '0')}`);
}

export function timeOfPacked(packed: bigint): DuckDBTimeValue {
  const part = (shift: bigint, bits: bigint) => String((packed >> shift) & ((1n << bits) - 1n));
  return timeOfText(`${part(32n, 5n)}:${part(26n, 6n)}:${part(20n, 6n)}.${part(0n, 20n).padStart(6, '0')}`);
}

export function timestampOfMicros(micros: bigint): DuckDBTimestampTZValue {
  if (micros < FIRST_MICROS || micros > LAST_MICROS)
    throw new BadValue(`Timestamp out of range: ${micros} microseconds since 1970-01-01`);
  return new DuckDBTimestampTZValue(micros);
}

/** RFC 3339, the canonical form with a space and `UTC`, or seconds since 1970 as text. */
export function timestampOfText(text: string): DuckDBTimestampTZValue {
  if (/^-?\d+(\.\d+)?([eE][+]?\d+)?$/.test(text)) return timestampOfSeconds(Number(text));
  const read = microsOfDateTime(text.trim());
  const zone = read === null ? null : /^ ?(?:(Z|z|UTC)|([+-])(\d{1,2})(?::?(\d{2}))?)?$/.exec(read.rest);
  if (read === null || zone === null) throw new BadValue(`Invalid timestamp: '${text}'`);
  const offset = BigInt(Number(zone[3] ?? 0) * 60 + Number(zone[4] ?? 0)) * 60_000_000n;
  return timestampOfMicros(zone[2] === '-' ? read.micros + offset : read.micros - offset);
}

export function timestampOfSeconds(seconds: number): DuckDBTimestampTZValue {
  if (!Number.isFinite(seconds)) throw new BadValue(`Invalid timestamp: ${seconds}`);
  return timestampOfMicros(BigInt(Math.round(seconds * 1_000_000)));
}

/** NUMERIC: 29 digits before and 9 after the point; BIGNUMERIC is kept with 20 and 18, fewer than the service has. */
const NUMERIC = { scale: 9, whole: 29 };
const BIGNUMERIC = { scale: 18, whole: 20 };

export function decimalOfText(type: 'NUMERIC' | 'BIGNUMERIC', text: string): DuckDBDecimalValue {
  const match = /^\s*([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?\s*$/.exec(text);
  const digits = match === null ? '' : `${match[2]}${match[3] ?? ''}`;
  if (match === null || digits === '') throw new BadValue(`Invalid ${type} value: ${text}`);
  const { scale, whole } = type === 'NUMERIC' ? NUMERIC : BIGNUMERIC;
  const exponent = Number(match[4] ?? 0) - (match[3] ?? '').length + scale;
  const unsigned = exponent >= 0 ? BigInt(digits) * 10n ** BigInt(exponent) : halfUp(BigInt(digits), -exponent);
  if (unsigned >= 10n ** BigInt(whole + scale)) throw new BadValue(`Invalid ${type} value: ${text}`);
  return new DuckDBDecimalValue(match[1] === '-' ? -unsigned : unsigned, 38, scale);
}

function halfUp(digits: bigint, places: number): bigint {
  const unit = 10n ** BigInt(places);
  return (digits + unit / 2n) / unit;
}

/** The service keeps JSON parsed, so white space is gone when it is read; numbers beyond a double's keep their text. */
export function jsonOfText(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    return /\d{16}/.test(text) ? text.trim() : JSON.stringify(value);
  } catch {
    throw new BadValue('Invalid JSON: syntax error while parsing value');
  }
}
