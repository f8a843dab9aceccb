/** Whether a record meets a condition. Text is compared without case, ids with it; nothing is greater or less than null. */
import type { Cursor, Table, Value } from '../../world/index.ts';
import { parseId, recordId } from '../../world/index.ts';
import { fieldNamed } from './check.ts';
import type { Condition, Literal, Operator } from './parser.ts';

export type Matches = (cursor: Cursor) => boolean;

export function compile(table: Table, condition: Condition): Matches {
  switch (condition.kind) {
    case 'and': {
      const parts = condition.parts.map((part) => compile(table, part));
      return (cursor) => parts.every((matches) => matches(cursor));
    }
    case 'or': {
      const parts = condition.parts.map((part) => compile(table, part));
      return (cursor) => parts.some((matches) => matches(cursor));
    }
    case 'not': {
      const part = compile(table, condition.part);
      return (cursor) => !part(cursor);
    }
    case 'compare':
      return compileComparison(table, condition.field, condition.operator, condition.literal);
    case 'in': {
      const { name, fold } = reader(table, condition.field);
      const values = new Set(condition.literals.map(({ value }) => fold(value)));
      return (cursor) => values.has(fold(cursor.get(name))) !== condition.isNegated;
    }
  }
}

function compileComparison(table: Table, field: string, operator: Operator, literal: Literal): Matches {
  const { name, fold } = reader(table, field);
  const wanted = fold(literal.value);
  if (operator === 'like') {
    const pattern = likePattern(String(literal.value));
    return (cursor) => pattern.test(String(cursor.get(name) ?? ''));
  }
  if (operator === '=' || operator === '!=')
    return (cursor) => (fold(cursor.get(name)) === wanted) === (operator === '=');
  return (cursor) => {
    const value = fold(cursor.get(name));
    if (value === null || wanted === null) return false;
    if (operator === '<') return value < wanted;
    if (operator === '<=') return value <= wanted;
    return operator === '>' ? value > wanted : value >= wanted;
  };
}

function reader(table: Table, fieldName: string): { readonly name: string; readonly fold: (value: Value) => Value } {
  const { name, type } = fieldNamed(table, fieldName);
  if (type === 'id' || type === 'reference') return { name, fold: fullId };
  return { name, fold: (value) => (typeof value === 'string' ? value.toLowerCase() : value) };
}

function fullId(value: Value): Value {
  if (typeof value !== 'string' || value.length !== 15) return value;
  const parsed = parseId(value);
  return parsed === undefined ? value : recordId(parsed.object, parsed.index);
}

function likePattern(text: string): RegExp {
  const escaped = text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${escaped.replaceAll('%', '[^]*').replaceAll('_', '[^]')}$`, 'iu');
}
