/** Names and types of a query against the object's fields; the messages are the service's. */
import { OBJECT_NAMES, parseId, type Field, type Table, type World } from '../../world/index.ts';
import { invalidField, Refusal } from '../refusal.ts';
import type { Condition, Literal, Query } from './parser.ts';

/** A query whose names are the catalogue's own. */
export interface Checked {
  readonly query: Query;
  readonly table: Table;
  readonly fields: readonly Field[];
}

export function check(world: World, query: Query): Checked {
  const object = OBJECT_NAMES.find((name) => name.toLowerCase() === query.object.toLowerCase());
  if (object === undefined)
    throw new Refusal(
      400,
      'INVALID_TYPE',
      `sObject type '${query.object}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate names.`,
    );
  const table = world.tables[object];
  const fields = query.fields.map((name) => fieldNamed(table, name));
  const twice = fields.find((field, i) => fields.indexOf(field) !== i);
  if (twice !== undefined) throw invalidField(`duplicate field selected: ${twice.name}`);
  if (query.where !== null) checkCondition(table, query.where);
  for (const { field } of query.orderBy) {
    const { name, type } = fieldNamed(table, field);
    if (!isFilterable(type, fieldNamed(table, field))) throw malformedOrder(name);
  }
  return { query, table, fields };
}

export function fieldNamed(table: Table, name: string): Field {
  const exact = table.field(name) ?? table.fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
  if (exact === undefined)
    throw invalidField(
      `No such column '${name}' on entity '${table.object}'. If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL or the describe call for the appropriate names.`,
    );
  return exact;
}

export function isFilterable(type: Field['type'], field: Field): boolean {
  return type !== 'address' && !(type === 'textarea' && field.length > 255);
}

function malformedOrder(name: string): Refusal {
  return new Refusal(400, 'MALFORMED_QUERY', `field '${name}' can not be sorted in a query call`);
}

function checkCondition(table: Table, condition: Condition): void {
  switch (condition.kind) {
    case 'and':
    case 'or':
      for (const part of condition.parts) checkCondition(table, part);
      return;
    case 'not':
      return checkCondition(table, condition.part);
    case 'compare':
      return checkLiteral(table, condition.field, condition.literal, condition.operator);
    case 'in':
      for (const literal of condition.literals) checkLiteral(table, condition.field, literal, '=');
  }
}

const RANGE = new Set(['<', '<=', '>', '>=']);

function checkLiteral(table: Table, name: string, literal: Literal, operator: string): void {
  const field = fieldNamed(table, name);
  if (!isFilterable(field.type, field)) throw invalidField(`field '${field.name}' can not be filtered in a query call`);
  const wanted = literalType(field);
  if (literal.type !== 'null' && literal.type !== wanted) {
    const quotes = wanted === 'string' ? 'should be enclosed in quotes' : 'should not be enclosed in quotes';
    const type =
      wanted === 'datetime' ? 'dateTime' : wanted === 'number' ? (field.type === 'int' ? 'integer' : 'double') : wanted;
    throw invalidField(`value of filter criterion for field '${field.name}' must be of type ${type} and ${quotes}`);
  }
  if (field.type === 'id' || field.type === 'reference') checkId(field, literal, operator);
  if (field.type === 'boolean' && (RANGE.has(operator) || operator === 'like'))
    throw new Refusal(400, 'INVALID_QUERY_FILTER_OPERATOR', 'invalid operator');
}

function checkId(field: Field, literal: Literal, operator: string): void {
  if (operator === 'like') throw new Refusal(400, 'INVALID_QUERY_FILTER_OPERATOR', 'invalid operator on id field');
  if (
    literal.type === 'string' &&
    parseId(literal.value) === undefined &&
    !/^[A-Za-z0-9]{15}([A-Z0-5]{3})?$/.test(literal.value)
  )
    throw new Refusal(400, 'INVALID_QUERY_FILTER_OPERATOR', `invalid ID field: ${literal.value}`);
}

function literalType({ type }: Field): Literal['type'] {
  switch (type) {
    case 'datetime':
    case 'date':
    case 'boolean':
      return type;
    case 'int':
    case 'double':
    case 'currency':
    case 'percent':
      return 'number';
    default:
      return 'string';
  }
}
