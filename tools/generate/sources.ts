/** Reads the schemas as people write them, and makes each topic's body schema whole: every named type in it once. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import avsc from 'avsc';

export interface AvroField {
  readonly name: string;
  readonly type: unknown;
  readonly doc?: string;
  readonly pii?: boolean;
  readonly identity?: 'email' | 'phone';
  readonly column?: 'date' | 'numeric' | 'json';
}

export interface AvroRecord {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly table?: string;
  readonly partitionBy?: string;
  readonly ops?: boolean;
  readonly fields: readonly AvroField[];
}

export interface Sources {
  readonly envelope: AvroRecord;
  readonly common: readonly AvroRecord[];
  /** By source name. */
  readonly raw: ReadonlyMap<string, AvroRecord>;
  /** By entity name. */
  readonly canonical: ReadonlyMap<string, AvroRecord>;
  /** View name → SQL. */
  readonly views: ReadonlyMap<string, string>;
}

export function readSources(schemas: string): Sources {
  return {
    envelope: read(join(schemas, 'envelope.avsc')) as AvroRecord,
    common: read(join(schemas, 'common.avsc')) as AvroRecord[],
    raw: readFolder(join(schemas, 'raw')),
    canonical: readFolder(join(schemas, 'canonical')),
    views: new Map(
      names(join(schemas, 'views'), '.sql').map((name) => [
        name,
        readFileSync(join(schemas, 'views', `${name}.sql`), 'utf8'),
      ]),
    ),
  };
}

/** The self-contained schema of a topic's body: `{envelope, record}`. */
export function bodySchema(sources: Sources, body: string): unknown {
  const [kind, name] = body.split('.') as [string, string];
  const record = kind === 'raw' ? sources.raw.get(name) : sources.canonical.get(name);
  if (record === undefined) throw new Error(`There is no schema for ${body}.`);
  const whole = kind === 'raw' ? record : event(record);
  return inline(whole, new Map([sources.envelope, ...sources.common].map((type) => [fullName(type), type])), new Set());
}

/** Identifies a schema by what readers and writers must agree on: documentation and our own attributes do not count. */
export function fingerprint(schema: unknown): string {
  return avsc.Type.forSchema(schema as avsc.Schema, { wrapUnions: false })
    .fingerprint()
    .toString('hex')
    .slice(0, 16);
}

export function bodyNames(sources: Sources): string[] {
  return [
    ...[...sources.raw.keys()].map((name) => `raw.${name}`),
    ...[...sources.canonical.keys()].map((name) => `canonical.${name}`),
  ];
}

export function fullName(record: AvroRecord): string {
  return record.namespace === undefined ? record.name : `${record.namespace}.${record.name}`;
}

function event(record: AvroRecord): AvroRecord {
  return {
    type: 'record',
    name: `${record.name}Event`,
    namespace: 'tributary.event',
    ...(record.doc === undefined ? {} : { doc: record.doc }),
    fields: [
      { name: 'envelope', type: 'tributary.Envelope' },
      { name: 'record', type: ['null', record], default: null } as AvroField,
    ],
  };
}

function inline(schema: unknown, named: ReadonlyMap<string, AvroRecord>, seen: Set<string>): unknown {
  if (typeof schema === 'string') {
    const found = named.get(schema);
    if (found === undefined || seen.has(schema)) return schema;
    seen.add(schema);
    return inline(found, named, seen);
  }
  if (Array.isArray(schema)) return schema.map((part) => inline(part, named, seen));
  if (typeof schema !== 'object' || schema === null) return schema;
  const out: Record<string, unknown> = { ...schema };
  if ('fields' in schema)
    out['fields'] = (schema.fields as AvroField[]).map((field) => ({
      ...field,
      type: inline(field.type, named, seen),
    }));
  if ('items' in schema) out['items'] = inline(schema.items, named, seen);
  return out;
}

function readFolder(folder: string): ReadonlyMap<string, AvroRecord> {
  return new Map(names(folder, '.avsc').map((name) => [name, read(join(folder, `${name}.avsc`)) as AvroRecord]));
}

function names(folder: string, ending: string): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => file.slice(0, -ending.length))
    .sort();
}

function read(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
