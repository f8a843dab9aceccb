/** The body schemas of all topics with their fingerprints, and those of earlier versions. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bodyNames, bodySchema, fingerprint, type Sources } from './sources.ts';

export function generateBodies(sources: Sources): string {
  const bodies = Object.fromEntries(
    bodyNames(sources).map((name) => {
      const schema = bodySchema(sources, name);
      return [name, { fingerprint: fingerprint(schema), schema }];
    }),
  );
  return [
    '/** Each body: its schema whole, and the fingerprint that `ce-dataschema` names. */',
    `export const BODIES: Readonly<Record<string, { readonly fingerprint: string; readonly schema: unknown }>> = ${JSON.stringify(bodies)};`,
    '',
  ].join('\n');
}

/** Adds today's version of each body to the history, which is never rewritten. */
export function recordHistory(sources: Sources, folder: string): void {
  for (const name of bodyNames(sources)) {
    const schema = bodySchema(sources, name);
    const path = join(folder, name, `${fingerprint(schema)}.avsc`);
    if (existsSync(path)) continue;
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(path, `${JSON.stringify(schema)}\n`);
  }
}

export function generateHistory(sources: Sources, folder: string): string {
  const history = Object.fromEntries(
    bodyNames(sources).map((name) => {
      const current = fingerprint(bodySchema(sources, name));
      const older = readdirSync(join(folder, name))
        .filter((file) => file !== `${current}.avsc`)
        .sort();
      return [
        name,
        Object.fromEntries(
          older.map((file) => [
            file.slice(0, -'.avsc'.length),
            JSON.parse(readFileSync(join(folder, name, file), 'utf8')) as unknown,
          ]),
        ),
      ];
    }),
  );
  return [
    '/** Earlier versions of each body, by fingerprint: what was written with them is still read. */',
    `export const HISTORY: Readonly<Record<string, Readonly<Record<string, unknown>>>> = ${JSON.stringify(history)};`,
    '',
  ].join('\n');
}
