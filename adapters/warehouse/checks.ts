/**
 * What each type of column accepts, the same for every warehouse. A value of another kind is a fault of its row, never an
 * approximation: numbers are exact or refused, text is well-formed or refused.
 */

/** Why a value was refused. `must` completes the sentence "Column x must be …"; it never quotes the value. */
export class Fault {
  readonly code: string;
  readonly must: string;

  constructor(code: string, must: string) {
    this.code = code;
    this.must = must;
  }
}

/** How one warehouse takes a type of column: a value that is neither null nor undefined, as it is written. */
export interface ColumnKind<V> {
  readonly sqlType: string;
  readonly convert: (value: unknown) => V | Fault;
}

/** Digits after the point that a decimal may have. */
export const NUMERIC_SCALE = 9;

const NUMERIC = /^(-?)(\d{1,29})(?:\.(\d{1,9}))?$/;
/** There is no year 0. */
const DATE = /^(?!0000)(\d{4})-(\d{2})-(\d{2})$/;
const MS_PER_DAY = 86_400_000;

const NOT_TEXT = new Fault('wrong_type', 'text');
const MALFORMED = new Fault('malformed_text', 'well-formed text: it has an unpaired surrogate');
const NOT_BOOL = new Fault('wrong_type', 'true or false');
const NOT_INTEGER = new Fault('wrong_type', 'a whole number');
const UNSAFE = new Fault('unsafe_integer', 'a whole number of at most 53 bits');
const TOO_LONG = new Fault('unsafe_integer', 'a whole number of at most 64 bits');
const NOT_FINITE = new Fault('wrong_type', 'a finite number');
const NOT_NUMERIC = new Fault('invalid_numeric', 'decimal text of at most 29 digits before and 9 after the point');
const NOT_DATE = new Fault('invalid_date', 'a date that exists, as YYYY-MM-DD');
const NOT_JSON = new Fault('invalid_json', 'JSON text');

export function text(value: unknown): string | Fault {
  if (typeof value !== 'string') return NOT_TEXT;
  return value.isWellFormed() ? value : MALFORMED;
}

export function bool(value: unknown): boolean | Fault {
  return typeof value === 'boolean' ? value : NOT_BOOL;
}

/** A whole number: of at most 53 bits, beyond which a `number` is no longer exact, or a `bigint` of 64. */
export function int64(value: unknown): number | bigint | Fault {
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : TOO_LONG;
  return safeInteger(value);
}

/** Microseconds since 1970. */
export function instant(value: unknown): number | Fault {
  return safeInteger(value);
}

function safeInteger(value: unknown): number | Fault {
  if (Number.isSafeInteger(value)) return value as number;
  return Number.isInteger(value) ? UNSAFE : NOT_INTEGER;
}

export function float64(value: unknown): number | Fault {
  return typeof value === 'number' && Number.isFinite(value) ? value : NOT_FINITE;
}

/** Decimal text, as parts. */
export function numeric(value: unknown): { readonly text: string; readonly scaled: bigint } | Fault {
  const parts = typeof value === 'string' ? NUMERIC.exec(value) : null;
  if (parts === null) return NOT_NUMERIC;
  const [matched, sign, whole, fraction = ''] = parts;
  return { text: matched, scaled: BigInt(`${sign}${whole}${fraction.padEnd(NUMERIC_SCALE, '0')}`) };
}

/** Days since 1970. */
export function date(value: unknown): number | Fault {
  const parts = typeof value === 'string' ? DATE.exec(value) : null;
  if (parts === null) return NOT_DATE;
  const ms = Date.parse(`${value as string}T00:00:00Z`);
  // Date.parse rolls the 30th of February over into March in some engines: only a round trip proves the day exists.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== value) return NOT_DATE;
  return ms / MS_PER_DAY;
}

export function json(value: unknown): string | Fault {
  const checked = text(value);
  if (checked instanceof Fault) return checked;
  try {
    JSON.parse(checked);
    return checked;
  } catch {
    return NOT_JSON;
  }
}
