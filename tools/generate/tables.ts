/** The warehouse's tables and views, from the schemas' attributes. */
import type { AvroField, AvroRecord, Sources } from './sources.ts';

export function generateTables(sources: Sources): string {
  const tables = Object.fromEntries(
    [...sources.canonical.entries()].map(([entity, record]) => [entity, table(record)]),
  );
  const views = [...sources.views.entries()].map(([name, sql]) => view(name, sql));
  const identities = Object.fromEntries(
    [...sources.canonical.entries()].map(([entity, record]) => [entity, identityFields(record)]),
  );
  const ops = [...sources.canonical.entries()].filter(([, record]) => record.ops === true).map(([entity]) => entity);
  return [
    `export const TABLES = ${JSON.stringify(tables, null, 2)} as const;`,
    '',
    '/** In the order in which they may refer to each other. */',
    `export const VIEWS: readonly { readonly name: string; readonly description: string; readonly sql: string }[] = ${JSON.stringify(views, null, 2)};`,
    '',
    '/** Which fields of an entity are match keys. */',
    `export const IDENTITIES = ${JSON.stringify(identities, null, 2)} as const;`,
    '',
    '/** Entities that describe the pipeline itself: they travel on `ops.event`. */',
    `export const OPS_ENTITIES = ${JSON.stringify(ops)} as const;`,
    '',
  ].join('\n');
}

function table(record: AvroRecord): unknown {
  return {
    name: record.table ?? record.name,
    description: record.doc ?? '',
    columns: record.fields.map(column),
    partitionBy: record.partitionBy ?? null,
  };
}

function column(field: AvroField): unknown {
  const nullable = Array.isArray(field.type) && field.type.includes('null');
  const bare: unknown = nullable ? (field.type as unknown[]).find((part) => part !== 'null') : field.type;
  return {
    name: field.name,
    type: columnType(field, bare),
    nullable,
    description: field.doc ?? '',
    pii: field.pii === true,
  };
}

function columnType(field: AvroField, bare: unknown): string {
  if (field.column !== undefined) return field.column;
  if (typeof bare === 'object' && bare !== null) return 'timestamp';
  const types: Record<string, string> = { string: 'string', boolean: 'bool', long: 'int64', double: 'float64' };
  const type = types[String(bare)];
  if (type === undefined) throw new Error(`Field ${field.name}: say which column it is with "column".`);
  return type;
}

/** A view's file starts with `-- order: N` and `-- <description>`. */
function view(name: string, sql: string): unknown {
  const lines = sql.trimEnd().split('\n');
  const comments = lines.filter((line) => line.startsWith('-- ')).map((line) => line.slice(3));
  return { name, description: comments.join(' '), sql: lines.filter((line) => !line.startsWith('-- ')).join('\n') };
}

function identityFields(record: AvroRecord): Record<string, string> {
  return Object.fromEntries(
    record.fields.flatMap((field) => (field.identity === undefined ? [] : [[field.name, field.identity]])),
  );
}
