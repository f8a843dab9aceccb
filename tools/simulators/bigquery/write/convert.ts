/**
 * From protobuf types to column types, as the service's table of supported protocol buffer types has it. What is not in
 * that table is a mismatch of the schema, told before any row is read.
 */
import { DuckDBBlobValue, type DuckDBValue } from '@duckdb/node-api';
import type { FieldType } from '../catalog/fields.ts';
import {
  BadValue,
  dateOfDays,
  dateOfText,
  dateTimeOfPacked,
  dateTimeOfText,
  decimalOfText,
  int64,
  jsonOfText,
  timeOfPacked,
  timeOfText,
  timestampOfMicros,
} from '../store/values.ts';
import type { Wire } from './wire.ts';

/** What a protobuf scalar is once read. */
export type Kind = 'integer' | 'enum' | 'float' | 'bool' | 'text' | 'bytes';

export interface Scalar {
  readonly name: string;
  readonly kind: Kind;
  readonly wireType: 0 | 1 | 2 | 5;
  read(wire: Wire): ProtoValue;
}

export type ProtoValue = bigint | number | boolean | string | Buffer;

const scalar = (name: string, kind: Kind, wireType: Scalar['wireType'], read: Scalar['read']): Scalar => ({
  name,
  kind,
  wireType,
  read,
});

/** By number of google.protobuf.FieldDescriptorProto.Type; messages and groups are not here. */
export const SCALARS: Readonly<Record<number, Scalar>> = {
  1: scalar('double', 'float', 1, (wire) => wire.double()),
  2: scalar('float', 'float', 5, (wire) => wire.float()),
  3: scalar('int64', 'integer', 0, (wire) => wire.signed()),
  4: scalar('uint64', 'integer', 0, (wire) => wire.unsigned()),
  5: scalar('int32', 'integer', 0, (wire) => wire.signed()),
  6: scalar('fixed64', 'integer', 1, (wire) => wire.fixed64()),
  7: scalar('fixed32', 'integer', 5, (wire) => wire.fixed32()),
  8: scalar('bool', 'bool', 0, (wire) => wire.number() !== 0),
  9: scalar('string', 'text', 2, (wire) => wire.text()),
  12: scalar('bytes', 'bytes', 2, (wire) => wire.blob()),
  13: scalar('uint32', 'integer', 0, (wire) => wire.unsigned()),
  14: scalar('enum', 'enum', 0, (wire) => wire.signed()),
  15: scalar('sfixed32', 'integer', 5, (wire) => wire.sfixed32()),
  16: scalar('sfixed64', 'integer', 1, (wire) => wire.sfixed64()),
  17: scalar('sint32', 'integer', 0, (wire) => wire.zigzag()),
  18: scalar('sint64', 'integer', 0, (wire) => wire.zigzag()),
};

export type Convert = (value: ProtoValue) => DuckDBValue;

const asText = (value: ProtoValue) => value as string;
const asInteger = (value: ProtoValue) => value as bigint;
const decimals = (type: 'NUMERIC' | 'BIGNUMERIC') => ({
  text: (value: ProtoValue) => decimalOfText(type, asText(value)),
  integer: (value: ProtoValue) => decimalOfText(type, String(value)),
  float: (value: ProtoValue) => decimalOfText(type, String(value)),
});

const CONVERSIONS: Readonly<Record<Exclude<FieldType, 'RECORD'>, Partial<Record<Kind, Convert>>>> = {
  STRING: { text: asText },
  GEOGRAPHY: { text: asText },
  JSON: { text: (value) => jsonOfText(asText(value)) },
  BYTES: {
    bytes: (value) => new DuckDBBlobValue(value as Buffer),
    text: (value) => new DuckDBBlobValue(Buffer.from(asText(value))),
  },
  INTEGER: { integer: (value) => int64(asInteger(value)), enum: (value) => value },
  FLOAT: { float: (value) => value, integer: (value) => Number(value) },
  BOOLEAN: { bool: (value) => value, integer: (value) => value !== 0n },
  NUMERIC: decimals('NUMERIC'),
  BIGNUMERIC: decimals('BIGNUMERIC'),
  TIMESTAMP: { integer: (value) => timestampOfMicros(asInteger(value)) },
  DATE: { integer: (value) => dateOfDays(Number(value)), text: (value) => dateOfText(asText(value)) },
  TIME: { text: (value) => timeOfText(asText(value)), integer: (value) => timeOfPacked(asInteger(value)) },
  DATETIME: { text: (value) => dateTimeOfText(asText(value)), integer: (value) => dateTimeOfPacked(asInteger(value)) },
} as Readonly<Record<Exclude<FieldType, 'RECORD'>, Partial<Record<Kind, Convert>>>>;

/** Null where the service does not take that protobuf type for that column. */
export function conversionTo(
  type: Exclude<FieldType, 'RECORD'>,
  from: Scalar,
  enumNames: ReadonlyMap<number, string>,
): Convert | null {
  if (from.kind === 'enum' && type === 'STRING') {
    return (value) => {
      const name = enumNames.get(Number(value));
      if (name === undefined) throw new BadValue(`Unknown enum value ${String(value)}`);
      return name;
    };
  }
  if (from.name === 'uint64' || from.name === 'fixed64') {
    if (type === 'INTEGER' || type === 'TIMESTAMP' || type === 'DATE') return null;
  }
  return CONVERSIONS[type][from.kind] ?? null;
}
