/** tabledata.insertAll: rows as JSON. One bad row stops the request's others unless it says otherwise. */
import { DuckDBBlobValue, DuckDBListValue, DuckDBStructValue, type DuckDBValue } from '@duckdb/node-api';
import { fieldNamed, type Field } from '../catalog/fields.ts';
import type { Table } from '../catalog/catalog.ts';
import { isJson, listOf, type Json } from '../json.ts';
import { invalid } from '../refused.ts';
import type { Row } from '../store/appending.ts';
import {
  BadValue,
  dateOfText,
  dateTimeOfText,
  decimalOfText,
  int64,
  jsonOfText,
  timeOfText,
  timestampOfSeconds,
  timestampOfText,
} from '../store/values.ts';

export const MAX_ROWS = 50_000;
export const MAX_ROW_BYTES = 10 * 1024 * 1024;
/** The service forgets insert ids after about a minute. */
const INSERT_IDS_KEPT_MS = 60_000;

interface InsertError {
  readonly reason: string;
  readonly location: string;
  readonly message: string;
  readonly debugInfo: string;
}

interface Outcome {
  readonly rows: readonly Row[];
  readonly insertErrors: readonly { readonly index: number; readonly errors: readonly InsertError[] }[];
}

class BadField extends BadValue {
  readonly location: string;

  constructor(location: string, message: string) {
    super(message);
    this.location = location;
  }
}

/** Rows seen lately by their insert ids, a table at a time. */
export class InsertIds {
  readonly #seen = new Map<string, number>();

  /** Those of `rows` not seen within the window, nor earlier among themselves, by the insert ids at the same places. */
  unseen(table: Table, rows: readonly Row[], insertIds: readonly unknown[], nowMs: number): readonly Row[] {
    const own = new Set<string>();
    return rows.filter((_, at) => {
      const key = keyOf(table, insertIds[at]);
      if (key === null) return true;
      const isSeen = own.has(key) || nowMs - (this.#seen.get(key) ?? -Infinity) < INSERT_IDS_KEPT_MS;
      own.add(key);
      return !isSeen;
    });
  }

  /** To be called once the rows are kept: an id remembered before would swallow the repetition of what failed. */
  remember(table: Table, insertIds: readonly unknown[], nowMs: number): void {
    for (const insertId of insertIds) {
      const key = keyOf(table, insertId);
      if (key === null || nowMs - (this.#seen.get(key) ?? -Infinity) < INSERT_IDS_KEPT_MS) continue;
      this.#seen.delete(key);
      this.#seen.set(key, nowMs);
    }
    for (const [old, ms] of this.#seen) {
      if (nowMs - ms < INSERT_IDS_KEPT_MS) break;
      this.#seen.delete(old);
    }
  }
}

function keyOf(table: Table, insertId: unknown): string | null {
  return typeof insertId !== 'string' || insertId === '' ? null : `${table.storeId} ${insertId}`;
}

export function readRows(table: Table, columns: readonly Field[], request: Json): Outcome {
  const given = listOf(request.rows);
  if (given.length === 0) throw invalid('No rows present in the request.');
  if (given.length > MAX_ROWS)
    throw invalid(`too many rows present in the request, limit: ${MAX_ROWS} row count: ${given.length}.`);
  const ignoresUnknown = request.ignoreUnknownValues === true;
  const read = given.map((item) => readRow(columns, isJson(item) ? item.json : undefined, ignoresUnknown));
  const hasBad = read.some((row) => !('values' in row));
  if (!hasBad) return { rows: read as readonly Row[], insertErrors: [] };
  if (request.skipInvalidRows === true)
    return {
      rows: read.filter((row): row is Row => 'values' in row),
      insertErrors: read.flatMap((row, index) => ('values' in row ? [] : [{ index, errors: [row] }])),
    };
  const stopped = { reason: 'stopped', location: '', message: '', debugInfo: '' };
  return { rows: [], insertErrors: read.map((row, index) => ({ index, errors: ['values' in row ? stopped : row] })) };
}

function readRow(columns: readonly Field[], json: unknown, ignoresUnknown: boolean): Row | InsertError {
  try {
    if (!isJson(json)) throw new BadField('', 'Missing row json.');
    if (Buffer.byteLength(JSON.stringify(json)) > MAX_ROW_BYTES)
      throw new BadField('', `Maximum allowed row size exceeded. Allowed: ${MAX_ROW_BYTES}`);
    return { values: readFields(columns, json, '', ignoresUnknown), change: null };
  } catch (error) {
    if (!(error instanceof BadField)) throw error;
    return { reason: 'invalid', location: error.location, message: error.message, debugInfo: '' };
  }
}

function readFields(columns: readonly Field[], json: Json, path: string, ignoresUnknown: boolean): DuckDBValue[] {
  const byName = new Map(Object.entries(json).map(([name, value]) => [name.toLowerCase(), value]));
  for (const name of Object.keys(json)) {
    if (!ignoresUnknown && fieldNamed(columns, name) === undefined)
      throw new BadField(`${path}${name}`, `no such field: ${path}${name}.`);
  }
  return columns.map((field) => readField(field, byName.get(field.name.toLowerCase()), path, ignoresUnknown));
}

function readField(field: Field, value: unknown, path: string, ignoresUnknown: boolean): DuckDBValue {
  const location = `${path}${field.name}`;
  if (field.mode === 'REPEATED') {
    if (value === undefined || value === null) return new DuckDBListValue([]);
    if (!Array.isArray(value))
      throw new BadField(location, `Repeated field must be imported as a JSON array. Field: ${location}.`);
    return new DuckDBListValue(
      (value as unknown[]).map((item) => {
        if (item === null)
          throw new BadField(location, 'Only optional fields can be set to NULL. Field: ' + location + '; Value: NULL');
        return readOne(field, item, location, ignoresUnknown);
      }),
    );
  }
  if (value === undefined || value === null) {
    if (field.mode === 'REQUIRED') throw new BadField(location, `Missing required field: ${location}.`);
    return null;
  }
  return readOne(field, value, location, ignoresUnknown);
}

function readOne(field: Field, value: unknown, location: string, ignoresUnknown: boolean): DuckDBValue {
  if (field.type === 'RECORD') {
    if (!isJson(value)) throw new BadField(location, `This field: ${location} is not a record.`);
    const values = readFields(field.fields, value, `${location}.`, ignoresUnknown);
    return new DuckDBStructValue(Object.fromEntries(field.fields.map((inner, at) => [inner.name, values[at] ?? null])));
  }
  if (typeof value === 'object')
    throw new BadField(
      location,
      field.type === 'JSON'
        ? `JSON column ${location} takes JSON as text.`
        : `This field: ${location} is not a record.`,
    );
  try {
    return scalar(field, value as string | number | boolean);
  } catch (error) {
    if (error instanceof BadValue) throw new BadField(location, `${error.message} Field: ${location}`);
    throw error;
  }
}

function scalar(field: Field, value: string | number | boolean): DuckDBValue {
  const text = String(value);
  switch (field.type) {
    case 'STRING':
    case 'GEOGRAPHY':
      return text;
    case 'JSON':
      return jsonOfText(typeof value === 'string' ? value : JSON.stringify(value));
    case 'INTEGER':
      if (!/^\s*[+-]?\d+\s*$/.test(text) || typeof value === 'boolean')
        throw new BadValue(`Cannot convert value to integer (bad value): ${text}.`);
      return int64(BigInt(text.trim().replace(/^\+/, '')));
    case 'FLOAT': {
      const number = /^[+-]?(inf|infinity)$/i.test(text) ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
      if (typeof value === 'boolean' || text.trim() === '' || (Number.isNaN(number) && !/^nan$/i.test(text)))
        throw new BadValue(`Cannot convert value to floating point (bad value): ${text}.`);
      return number;
    }
    case 'BOOLEAN':
      if (!/^(true|false|t|f|yes|no|y|n|1|0)$/i.test(text))
        throw new BadValue(`Cannot convert value to boolean (bad value): ${text}.`);
      return /^(true|t|yes|y|1)$/i.test(text);
    case 'NUMERIC':
    case 'BIGNUMERIC':
      return decimalOfText(field.type, text);
    case 'TIMESTAMP':
      return typeof value === 'number' ? timestampOfSeconds(value) : timestampOfText(text);
    case 'DATE':
      return dateOfText(text);
    case 'TIME':
      return timeOfText(text);
    case 'DATETIME':
      return dateTimeOfText(text);
    case 'BYTES':
      if (!/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw new BadValue('Could not decode base64 string to bytes.');
      return new DuckDBBlobValue(Buffer.from(text, 'base64'));
    case 'RECORD':
      throw new BadValue('not a scalar');
  }
}
