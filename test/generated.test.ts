import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { typeFor } from '#core/codec.ts';
import { BODIES } from '#schemas/generated/bodies.ts';
import { TABLES } from '#schemas/generated/tables.ts';
import { SYSTEM_COLUMNS } from '#core/ports/warehouse.ts';
import { staleFiles } from '#tools/generate/main.ts';

const ROOT = join(import.meta.dirname, '..');
const HISTORY = join(ROOT, 'schemas/history');

describe('what is generated', () => {
  it('is not stale', async () => {
    expect(await staleFiles(ROOT)).toEqual([]);
  });

  it('includes the current version of every body in the history', () => {
    for (const [name, { fingerprint }] of Object.entries(BODIES)) {
      expect(readdirSync(join(HISTORY, name)), name).toContain(`${fingerprint}.avsc`);
    }
  });

  const versions = readdirSync(HISTORY).flatMap((name) =>
    readdirSync(join(HISTORY, name)).map((file) => [name, file] as const),
  );
  it.each(versions)('today’s %s reads what was written with %s', (name, file) => {
    const written = typeFor(JSON.parse(readFileSync(join(HISTORY, name, file), 'utf8')));
    const reader = typeFor(BODIES[name]?.schema);
    const event = written.random() as unknown;
    expect(reader.isValid(reader.fromBuffer(written.toBuffer(event), reader.createResolver(written)))).toBe(true);
  });

  it('a field that is renamed without a default does not pass as compatible', () => {
    const old = typeFor({ type: 'record', name: 'Thing', fields: [{ name: 'before', type: 'string' }] });
    const changed = typeFor({ type: 'record', name: 'Thing', fields: [{ name: 'after', type: 'string' }] });
    expect(() => changed.createResolver(old)).toThrow();
  });

  it('no entity’s column is called like one that every table has', () => {
    const system = new Set(SYSTEM_COLUMNS.map(({ name }) => name));
    const clashes = Object.values(TABLES).flatMap((table) =>
      table.columns.filter(({ name }) => system.has(name)).map(({ name }) => `${table.name}.${name}`),
    );
    expect(clashes).toEqual([]);
  });
});
