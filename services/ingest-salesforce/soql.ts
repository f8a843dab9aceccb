/** SOQL from parts, never from text that came from outside: names by pattern, ids by pattern, instants from numbers. */
import { MICROS_PER_MS } from '#core/clock.ts';
import { InvalidMessage } from '#core/errors.ts';

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,79}$/;
const ID = /^[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?$/;

export function select(object: string, fields: readonly string[], where: readonly string[] = [], orderBy = ''): string {
  for (const name of [object, ...fields])
    if (!NAME.test(name)) throw new InvalidMessage('bad_name', 'A field or object name has characters no name has.');
  const filter = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
  return `SELECT ${fields.join(',')} FROM ${object}${filter}${orderBy === '' ? '' : ` ORDER BY ${orderBy}`}`;
}

export function idIn(ids: readonly string[]): string {
  return `Id IN (${ids.map((id) => `'${checkedId(id)}'`).join(',')})`;
}

export function isId(text: string): boolean {
  return ID.test(text);
}

function checkedId(id: string): string {
  if (!isId(id)) throw new InvalidMessage('bad_id', 'An id has characters no id has.');
  return id;
}

/** `field` at or after an instant. Instants in SOQL are unquoted, and in the `Z` form need no escaping in a URL. */
export function from(field: string, micros: number): string {
  return `${field} >= ${instant(micros)}`;
}

export function upTo(field: string, micros: number): string {
  return `${field} <= ${instant(micros)}`;
}

export function instant(micros: number): string {
  return new Date(Math.floor(micros / MICROS_PER_MS)).toISOString();
}
