/**
 * One decoding of one field's value into JSON text, whatever way it came (Bulk's CSV, REST's JSON): ids, text, decimals
 * and integers are strings, booleans are booleans, instants ISO with milliseconds and `Z`, days `YYYY-MM-DD`, empty is
 * null. Salesforce keeps no empty strings, and CSV cannot tell one from null.
 */
import { plainDecimal } from '#core/vendor/decimal.ts';

export type FieldKind = 'text' | 'number' | 'boolean' | 'instant';

/** By describe's `type`; the set is open, and what is not named is text. */
export function kindOf(type: string): FieldKind {
  switch (type) {
    case 'int':
    case 'long':
    case 'double':
    case 'currency':
    case 'percent':
      return 'number';
    case 'boolean':
      return 'boolean';
    case 'datetime':
      return 'instant';
    default:
      return 'text';
  }
}

// eslint-disable-next-line no-control-regex -- the characters that JSON must escape, and the carriage return among them
const SPECIAL = /["\\\u0000-\u001f\ud800-\udfff]/;

/** The JSON text of a value given as text; empty is null. */
export function valueJson(kind: FieldKind, text: string): string {
  if (text === '') return 'null';
  switch (kind) {
    case 'text':
      return SPECIAL.test(text) ? specialJson(text) : `"${text}"`;
    case 'number':
      return quoted(plainDecimal(text));
    case 'boolean':
      return text === 'true' || text === 'false' ? text : quoted(text);
    case 'instant':
      return quoted(isoInstant(text));
  }
}

function quoted(text: string): string {
  return SPECIAL.test(text) ? specialJson(text) : `"${text}"`;
}

/** Line breaks have one form (REST and Bulk give different ones), and half a surrogate pair is not a character. */
function specialJson(text: string): string {
  const lines = text.includes('\r') ? text.replaceAll(/\r\n?/g, '\n') : text;
  return JSON.stringify(lines.toWellFormed());
}

const CANONICAL_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** `2024-01-02T03:04:05.000+0000` and all its kin as `2024-01-02T03:04:05.000Z`; what is no instant stays as it is. */
export function isoInstant(text: string): string {
  if (CANONICAL_INSTANT.test(text)) return text;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : new Date(ms).toISOString();
}
