/** The columns of a table as the Storage Write API tells them. */
import type { Field, FieldType } from '../catalog/fields.ts';
import { TableFieldSchema, type TableField, type TableSchema } from './protos.ts';

const { Type, Mode } = TableFieldSchema;
const TYPES: Readonly<Record<FieldType, number>> = {
  STRING: Type.STRING,
  BYTES: Type.BYTES,
  INTEGER: Type.INT64,
  FLOAT: Type.DOUBLE,
  NUMERIC: Type.NUMERIC,
  BIGNUMERIC: Type.BIGNUMERIC,
  BOOLEAN: Type.BOOL,
  TIMESTAMP: Type.TIMESTAMP,
  DATE: Type.DATE,
  TIME: Type.TIME,
  DATETIME: Type.DATETIME,
  GEOGRAPHY: Type.GEOGRAPHY,
  JSON: Type.JSON,
  RECORD: Type.STRUCT,
};

export function schemaMessage(fields: readonly Field[]): TableSchema {
  return { fields: fields.map(fieldMessage) };
}

function fieldMessage(field: Field): TableField {
  const { description } = field.rest;
  return {
    name: field.name,
    type: TYPES[field.type],
    mode: Mode[field.mode],
    fields: field.fields.map(fieldMessage),
    ...(typeof description === 'string' ? { description } : {}),
  };
}
