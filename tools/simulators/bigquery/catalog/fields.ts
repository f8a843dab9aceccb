/**
 * Columns of a table as the REST resource has them (TableFieldSchema), read and checked: names, types, modes and limits.
 * Types are kept under the names the service answers with: INTEGER for INT64, RECORD for STRUCT, and so on.
 */
import { jsonOf, listOf, textOf, textOr, textsOf, isJson, type Json } from '../json.ts';
import { invalid, notSimulated } from '../refused.ts';

export type FieldType =
  | 'STRING'
  | 'BYTES'
  | 'INTEGER'
  | 'FLOAT'
  | 'NUMERIC'
  | 'BIGNUMERIC'
  | 'BOOLEAN'
  | 'TIMESTAMP'
  | 'DATE'
  | 'TIME'
  | 'DATETIME'
  | 'GEOGRAPHY'
  | 'JSON'
  | 'RECORD';
export type Mode = 'NULLABLE' | 'REQUIRED' | 'REPEATED';

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly mode: Mode;
  readonly fields: readonly Field[];
  /** All else of the resource, kept as it was given: description, policyTags, maxLength, defaultValueExpression, … */
  readonly rest: Json;
}

const TYPES: Readonly<Record<string, FieldType>> = {
  STRING: 'STRING',
  BYTES: 'BYTES',
  INTEGER: 'INTEGER',
  INT64: 'INTEGER',
  FLOAT: 'FLOAT',
  FLOAT64: 'FLOAT',
  NUMERIC: 'NUMERIC',
  DECIMAL: 'NUMERIC',
  BIGNUMERIC: 'BIGNUMERIC',
  BIGDECIMAL: 'BIGNUMERIC',
  BOOLEAN: 'BOOLEAN',
  BOOL: 'BOOLEAN',
  TIMESTAMP: 'TIMESTAMP',
  DATE: 'DATE',
  TIME: 'TIME',
  DATETIME: 'DATETIME',
  GEOGRAPHY: 'GEOGRAPHY',
  JSON: 'JSON',
  RECORD: 'RECORD',
  STRUCT: 'RECORD',
};
const MODES: readonly string[] = ['NULLABLE', 'REQUIRED', 'REPEATED'];
const RESERVED = [
  '_TABLE_',
  '_FILE_',
  '_PARTITION',
  '_ROW_TIMESTAMP',
  '__ROOT__',
  '_COLIDENTIFIER',
  '_CHANGE_SEQUENCE_NUMBER',
  '_CHANGE_TYPE',
  '_CHANGE_TIMESTAMP',
];
const MAX_NAME = 300;
const MAX_COLUMNS = 10_000;

export function fieldTypeOf(name: string): FieldType {
  const upper = name.toUpperCase();
  const type = TYPES[upper];
  if (type !== undefined) return type;
  if (upper === 'INTERVAL' || upper === 'RANGE') throw notSimulated(`A column of type ${upper}`);
  throw invalid(`Invalid value for type: ${name} is not a valid value`);
}

/** `schema.fields` of a table resource. Throws what the service answers for names, types and modes that are wrong. */
export function fieldsOf(value: unknown, path = ''): readonly Field[] {
  const fields = listOf(value).map((item) => fieldOf(item, path));
  if (fields.length > MAX_COLUMNS) throw invalid(`Too many columns: ${fields.length}, the limit is ${MAX_COLUMNS}.`);
  const seen = new Set<string>();
  for (const { name } of fields) {
    const folded = name.toLowerCase();
    if (seen.has(folded)) throw invalid(`Field ${path}${name} already exists in schema`);
    seen.add(folded);
  }
  return fields;
}

function fieldOf(value: unknown, path: string): Field {
  const { name: givenName, type: givenType, mode: givenMode, fields: given, ...rest } = jsonOf(value, 'schema.fields');
  const name = textOf(givenName, 'schema.fields.name');
  if (path === '') checkName(name);
  const type = fieldTypeOf(textOf(givenType, `schema.fields.type of ${name}`));
  const mode = textOr(givenMode, 'NULLABLE').toUpperCase();
  if (!MODES.includes(mode)) throw invalid(`Invalid value for mode: ${mode} is not a valid value`);
  if (type === 'RECORD' && listOf(given).length === 0) throw invalid(`Field ${name} is type RECORD but has no schema`);
  return { name, type, mode: mode as Mode, fields: type === 'RECORD' ? fieldsOf(given, `${path}${name}.`) : [], rest };
}

function checkName(name: string): void {
  const bad = !/^[\p{L}_][\p{L}\p{N}\p{M}_&%=+:'<>#| -]*$/u.test(name) || name.length > MAX_NAME;
  if (bad)
    throw invalid(
      `Invalid field name "${name}". Fields must contain the allowed characters, and be at most 300 characters long. For allowed characters, please refer to https://cloud.google.com/bigquery/docs/schemas#column_names`,
    );
  const prefix = RESERVED.find((reserved) => name.toUpperCase().startsWith(reserved));
  if (prefix !== undefined)
    throw invalid(
      `Invalid field name "${name}". Field names are not allowed to start with the (case-insensitive) prefixes ${RESERVED.join(', ')}.`,
    );
}

export function fieldJson(field: Field): Json {
  const nested = field.fields.length === 0 ? {} : { fields: field.fields.map(fieldJson) };
  return { name: field.name, type: field.type, mode: field.mode, ...nested, ...field.rest };
}

export function fieldNamed(fields: readonly Field[], name: string): Field | undefined {
  const folded = name.toLowerCase();
  return fields.find((field) => field.name.toLowerCase() === folded);
}

/** The names of the policy tags of a column, for who asks whether a column is protected. */
export function policyTagsOf(field: Field): readonly string[] {
  const tags = field.rest.policyTags;
  return isJson(tags) ? textsOf(tags.names) : [];
}
