/** TypeScript types of the envelope, the shared records and the canonical entities. */
import type { AvroField, AvroRecord, Sources } from './sources.ts';

export function generateTypes(sources: Sources): string {
  const entities = [...sources.canonical.entries()];
  return [
    ...sources.common.map(toInterface),
    ...entities.map(([, record]) => toInterface(record)),
    '/** The canonical record of each entity. */',
    'export interface Entities {',
    ...entities.map(([name, record]) => `  readonly ${name}: ${record.name};`),
    '}',
    '',
    'export type EntityName = keyof Entities;',
    `export type RawSource = ${[...sources.raw.keys()].map((name) => `'${name}'`).join(' | ')};`,
    '',
  ].join('\n');
}

function toInterface(record: AvroRecord): string {
  const fields = record.fields.map(
    (field) => `  /** ${field.doc ?? ''} */\n  readonly ${field.name}: ${typeOf(field)};`,
  );
  return `/** ${record.doc ?? ''} */\nexport interface ${record.name} {\n${fields.join('\n')}\n}\n`;
}

function typeOf(field: AvroField): string {
  return text(field.type);
}

function text(type: unknown): string {
  if (Array.isArray(type))
    return type
      .map(text)
      .sort((a, b) => Number(a === 'null') - Number(b === 'null'))
      .join(' | ');
  if (typeof type === 'string') return simple(type);
  const shape = type as { readonly type: string; readonly items?: unknown };
  if (shape.type === 'array') return `readonly ${text(shape.items)}[]`;
  return simple(shape.type);
}

function simple(name: string): string {
  const known: Record<string, string> = {
    string: 'string',
    boolean: 'boolean',
    long: 'number',
    double: 'number',
    null: 'null',
  };
  return known[name] ?? name.slice(name.lastIndexOf('.') + 1);
}
