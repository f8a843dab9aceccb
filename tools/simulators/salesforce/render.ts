/** Values as the two APIs write them: JSON with `+0000` instants, CSV with `Z` instants and everything quoted. */
import type { Cursor, Field, Table, Value } from '../world/index.ts';
import { isoText, restInstant } from './instants.ts';

/** Java's `Double.toString`, which the service's numbers come from: `100.0`, `3.5E8`. */
export function doubleText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e7)) {
    const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
    return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${Number(exponent)}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function numberText(field: Field, value: number): string {
  return field.type === 'int' ? String(value) : doubleText(value);
}

export function jsonText(field: Field, value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return field.type === 'datetime' ? `"${restInstant(value)}"` : numberText(field, value);
}

/** A cell without its quotes. */
function csvText(field: Field, value: Value): string {
  if (value === null) return '';
  if (typeof value === 'string') return value.includes('"') ? value.replaceAll('"', '""') : value;
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  return field.type === 'datetime' ? `${isoText(value)}Z` : numberText(field, value);
}

export type RowText = (cursor: Cursor) => string;

/** A row of CSV without line end, every cell quoted. Columns are compiled once, since rows come by the hundred thousand. */
export function csvRow(table: Table, fields: readonly Field[], delimiter: string): RowText {
  const columns = fields.map((field) => ({ field, name: field.name, generate: table.generator(field.name) }));
  const between = `"${delimiter}"`;
  return (cursor) => {
    let text = '"';
    for (let i = 0; i < columns.length; i++) {
      const { field, name, generate } = columns[i]!;
      const value = cursor.patch === null ? generate(cursor.row) : cursor.get(name);
      if (i > 0) text += between;
      if (value !== null) text += csvText(field, value);
    }
    return `${text}"`;
  };
}

/** A record with its `attributes`, the fields in the order asked for. */
export function jsonRecord(table: Table, fields: readonly Field[], version: string): RowText {
  const { object } = table;
  const keys = fields.map((field) => `,${JSON.stringify(field.name)}:`);
  return (cursor) => {
    let text = `{"attributes":{"type":"${object}","url":"/services/data/${version}/sobjects/${object}/${cursor.id}"}`;
    fields.forEach((field, i) => {
      text +=
        keys[i]! +
        (field.type === 'address' ? addressJson(table, field, cursor) : jsonText(field, cursor.get(field.name)));
    });
    return `${text}}`;
  };
}

/** The compound as REST gives it: parts in lower camel case, or null when all are empty. */
function addressJson(table: Table, compound: Field, cursor: Cursor): string {
  const parts = table.fields.filter((field) => field.compound === compound.name);
  const texts = parts.map((part) => [part.part!, jsonText(part, cursor.get(part.name))] as const);
  if (texts.every(([, text]) => text === 'null')) return 'null';
  const sorted = texts.map(([name, text]) => [name.charAt(0).toLowerCase() + name.slice(1), text] as const);
  return `{${sorted
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `"${name}":${text}`)
    .join(',')}}`;
}
