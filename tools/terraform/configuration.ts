/** A folder of .tf files as data: every block with the place it came from. Expressions stay text, `${…}`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadParser } from './library.ts';

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export interface Block {
  readonly kind: 'resource' | 'data';
  readonly type: string;
  readonly name: string;
  readonly body: JsonObject;
  readonly file: string;
}

export interface Configuration {
  readonly blocks: readonly Block[];
  readonly variables: JsonObject;
  readonly locals: JsonObject;
  readonly outputs: JsonObject;
}

/** File name → text. */
export type Files = Readonly<Record<string, string>>;

export function readFiles(folder: string): Files {
  const names = readdirSync(folder).filter((name) => name.endsWith('.tf'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** Throws what the parser says of a file that is no HCL. */
export async function readConfiguration(files: Files): Promise<Configuration> {
  const parser = await loadParser();
  const parsed: { readonly file: string; readonly json: JsonObject }[] = [];
  for (const [file, text] of Object.entries(files))
    parsed.push({ file, json: (await parser.parse(file, text)) as JsonObject });
  return {
    blocks: parsed.flatMap(({ file, json }) => [...blocksOf(file, 'resource', json), ...blocksOf(file, 'data', json)]),
    variables: merged(parsed.map(({ json }) => bodies(json['variable']))),
    locals: merged(parsed.flatMap(({ json }) => listOf(json['locals']))),
    outputs: merged(parsed.map(({ json }) => bodies(json['output']))),
  };
}

function blocksOf(file: string, kind: Block['kind'], json: JsonObject): readonly Block[] {
  return Object.entries(objectOf(json[kind])).flatMap(([type, named]) =>
    Object.entries(objectOf(named)).flatMap(([name, list]) =>
      listOf(list).map((body) => ({ kind, type, name, body, file })),
    ),
  );
}

/** Label → the one body under it. */
function bodies(labelled: Json | undefined): JsonObject {
  return Object.fromEntries(Object.entries(objectOf(labelled)).map(([name, list]) => [name, listOf(list)[0] ?? {}]));
}

function merged(parts: readonly JsonObject[]): JsonObject {
  return Object.assign({}, ...parts) as JsonObject;
}

export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The bodies of a block that may be repeated. */
export function listOf(value: Json | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** The address that expressions name it by. */
export function addressOf({ kind, type, name }: Pick<Block, 'kind' | 'type' | 'name'>): string {
  return `${kind === 'data' ? 'data.' : ''}${type}.${name}`;
}
