/** One raw record while it is mapped: its fields by name, and which of them no typed field could hold. */
import type { CountryHint, PhoneParser } from '#core/identifiers/phone.ts';
import { isRecord } from '#core/vendor/json.ts';

/** A field of the record, or a field of an object in it. */
export type Path = readonly [string] | readonly [string, string];

export interface Reading {
  readonly object: string;
  readonly id: string;
  readonly record: JsonObject;
  readonly phones: PhoneParser;
  /** Which country a number without one may be of, the most trusted first. */
  readonly hints: readonly CountryHint[];
  /** Paths whose value did not fit its typed field: they go with what is beyond. */
  readonly misfits: Path[];
  readonly taken: Taken;
}

/** Fields that rules take: null where the field is taken whole, else which fields of the object in it are. */
export type Taken = ReadonlyMap<string, ReadonlySet<string> | null>;

export type JsonObject = Readonly<Record<string, unknown>>;

/** Undefined where the field, or the object it is in, is absent. */
export function valueAt(record: JsonObject, path: Path): unknown {
  const value = record[path[0]];
  if (path.length === 1) return value;
  return isRecord(value) ? value[path[1]] : undefined;
}

/** The value as text: other scalars and structures as their JSON text, absent and empty as null. */
export function textAt(record: JsonObject, path: Path): string | null {
  const value = valueAt(record, path);
  if (value === undefined || value === null || value === '') return null;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
