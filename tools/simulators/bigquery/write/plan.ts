/**
 * How the rows of one connection are read: the writer's descriptor held against the table's columns. The descriptor may
 * have fewer fields than the table and never more; names are compared without regard to case.
 */
import { DuckDBListValue, DuckDBStructValue, type DuckDBValue } from '@duckdb/node-api';
import { fieldNamed, type Field } from '../catalog/fields.ts';
import { timestampOfMicros } from '../store/values.ts';
import { SCALARS, conversionTo, type Convert, type Scalar } from './convert.ts';
import type { Descriptor, FieldDescriptor } from './protos.ts';

/** The writer's schema does not fit the table: nothing of the request can be read. */
export class SchemaMismatch extends Error {
  readonly hasExtraFields: boolean;

  constructor(message: string, hasExtraFields: boolean) {
    super(message);
    this.hasExtraFields = hasExtraFields;
  }
}

export interface FieldPlan {
  readonly name: string;
  /** Where the value goes: the column's place in the table, or one of the places below. */
  readonly place: number;
  readonly isRepeated: boolean;
  readonly isLabelledRequired: boolean;
  readonly scalar: Scalar | null;
  readonly convert: Convert;
  readonly message: MessagePlan | null;
}

export interface MessagePlan {
  /** By field number. */
  readonly fields: readonly (FieldPlan | undefined)[];
  /** Columns of mode REQUIRED, with their places. */
  readonly required: readonly { readonly name: string; readonly place: number }[];
  /** Fields the descriptor itself calls required. */
  readonly labelled: readonly FieldPlan[];
  readonly places: number;
  finish(values: readonly (DuckDBValue | undefined)[]): DuckDBValue;
}

export interface RowPlan extends MessagePlan {
  readonly typePlace: number;
  readonly sequencePlace: number;
}

const LABEL_REQUIRED = 2;
const LABEL_REPEATED = 3;
const TYPE_MESSAGE = 11;
const PSEUDO: readonly Field[] = ['_CHANGE_TYPE', '_CHANGE_SEQUENCE_NUMBER'].map((name) => ({
  name,
  type: 'STRING',
  mode: 'NULLABLE',
  fields: [],
  rest: {},
}));

/** `takesChanges`: the table has a primary key and the stream is the default one; otherwise the pseudo columns do not exist. */
export function planRows(
  descriptor: Descriptor,
  table: string,
  columns: readonly Field[],
  takesChanges: boolean,
): RowPlan {
  const fields = takesChanges ? [...columns, ...PSEUDO] : columns;
  const plan = planMessage(descriptor, table, fields, [descriptor], '');
  return {
    ...plan,
    typePlace: takesChanges ? columns.length : -1,
    sequencePlace: takesChanges ? columns.length + 1 : -1,
  };
}

function planMessage(
  descriptor: Descriptor,
  table: string,
  columns: readonly Field[],
  scope: readonly Descriptor[],
  path: string,
): MessagePlan {
  const given = descriptor.field ?? [];
  const extra = given.filter((field) => fieldNamed(columns, field.name ?? '') === undefined);
  if (extra.length > 0) {
    const names = extra.map((field) => `${path}${field.name}`.toLowerCase()).join(', ');
    throw new SchemaMismatch(`Input schema has more fields than BigQuery schema, extra fields: '${names}'`, true);
  }
  const fields: (FieldPlan | undefined)[] = [];
  for (const field of given) {
    const place = columns.findIndex((column) => column.name.toLowerCase() === (field.name ?? '').toLowerCase());
    fields[field.number ?? 0] = planField(field, columns[place]!, place, table, scope, path);
  }
  const required = columns.flatMap(({ name, mode }, place) =>
    mode === 'REQUIRED' ? [{ name: `${path}${name}`, place }] : [],
  );
  const names = columns.map((column) => column.name);
  return {
    fields,
    required,
    labelled: fields.filter((field): field is FieldPlan => field?.isLabelledRequired === true),
    places: columns.length,
    finish: (values) => new DuckDBStructValue(Object.fromEntries(names.map((name, at) => [name, values[at] ?? null]))),
  };
}

function planField(
  field: FieldDescriptor,
  column: Field,
  place: number,
  table: string,
  scope: readonly Descriptor[],
  path: string,
): FieldPlan {
  const at = `${path}${column.name}`;
  const isRepeated = Number(field.label) === LABEL_REPEATED;
  const type = Number(field.type);
  const mismatch = (proto: string) =>
    new SchemaMismatch(
      `The proto field mismatched with BigQuery field at ${table}.${at}, the proto field type ${proto}, BigQuery field type ${column.type}`,
      false,
    );
  if (isRepeated !== (column.mode === 'REPEATED'))
    throw mismatch(`${isRepeated ? 'repeated ' : ''}${SCALARS[type]?.name ?? 'message'}`);
  const common = { name: at, place, isRepeated, isLabelledRequired: Number(field.label) === LABEL_REQUIRED };
  if (type === TYPE_MESSAGE) {
    const nested = nestedType(field, scope);
    if (nested === undefined)
      throw new SchemaMismatch(`Invalid proto schema: the type ${field.typeName} of ${at} is not in it`, false);
    const message = column.type === 'TIMESTAMP' ? instantPlan(nested, table) : null;
    if (message === null && column.type !== 'RECORD') throw mismatch('message');
    return {
      ...common,
      scalar: null,
      convert: (value) => value as DuckDBValue,
      message: message ?? planMessage(nested, table, column.fields, [...scope, nested], `${at}.`),
    };
  }
  const scalar = SCALARS[type];
  if (scalar === undefined || column.type === 'RECORD') throw mismatch(scalar?.name ?? 'group');
  const convert = conversionTo(column.type, scalar, enumNames(field, scope));
  if (convert === null) throw mismatch(scalar.name);
  return { ...common, scalar, convert, message: null };
}

/** google.protobuf.Timestamp for a TIMESTAMP column. */
function instantPlan(descriptor: Descriptor, table: string): MessagePlan | null {
  const parts: readonly Field[] = ['seconds', 'nanos'].map((name) => ({
    name,
    type: 'INTEGER',
    mode: 'NULLABLE',
    fields: [],
    rest: {},
  }));
  if (
    descriptor.field?.length !== 2 ||
    descriptor.field.some(({ name }) => fieldNamed(parts, name ?? '') === undefined)
  )
    return null;
  const plan = planMessage(descriptor, table, parts, [descriptor], '');
  return {
    ...plan,
    finish: ([seconds, nanos]) =>
      timestampOfMicros(
        BigInt((seconds as bigint | undefined) ?? 0n) * 1_000_000n +
          BigInt((nanos as bigint | undefined) ?? 0n) / 1_000n,
      ),
  };
}

/** A type name is fully qualified with a dot before it, or relative; the schema must contain every type it uses. */
function nestedType(field: FieldDescriptor, scope: readonly Descriptor[]): Descriptor | undefined {
  const name = (field.typeName ?? '').split('.').at(-1);
  for (const outer of [...scope].reverse()) {
    const found = outer.nestedType?.find((nested) => nested.name === name) ?? (outer.name === name ? outer : undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

function enumNames(field: FieldDescriptor, scope: readonly Descriptor[]): ReadonlyMap<number, string> {
  const name = (field.typeName ?? '').split('.').at(-1);
  const found = scope.flatMap((outer) => outer.enumType ?? []).find((type) => type.name === name);
  return new Map((found?.value ?? []).map((value) => [value.number ?? 0, value.name ?? '']));
}

export function listOfValues(values: readonly DuckDBValue[]): DuckDBValue {
  return new DuckDBListValue([...values]);
}
