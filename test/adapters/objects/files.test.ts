import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFileObjects } from '#adapters/objects/files.ts';
import { DependencyDown } from '#core/errors.ts';
import { describeObjectsContract } from '#test/contract/objects.ts';

const newFolder = (): string => join(mkdtempSync(join(tmpdir(), 'tributary-objects-')), 'objects');

describeObjectsContract('files', async () => {
  const folder = newFolder();
  return {
    objects: await openFileObjects(folder),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
});

describe('objects as files', () => {
  it('never shows what a kill left half-written, and removes it at the next opening', async () => {
    const folder = newFolder();
    const objects = await openFileObjects(folder);
    await objects.put('whole', new Uint8Array([1]));
    writeFileSync(join(folder, '.partial', 'torn'), 'half of an obj');
    const seen: string[] = [];
    for await (const name of objects.list('')) seen.push(name);
    expect(seen).toEqual(['whole']);
    await openFileObjects(folder);
    expect(readdirSync(join(folder, '.partial'))).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it('is readable by its owner alone', async () => {
    const folder = newFolder();
    await (await openFileObjects(folder)).put('a/b', new Uint8Array([1]));
    expect(statSync(join(folder, 'a', 'b')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o700);
    rmSync(folder, { recursive: true });
  });

  it('leaves no temporary file behind when a write fails', async () => {
    const folder = newFolder();
    const objects = await openFileObjects(folder);
    await objects.put('a', new Uint8Array([1]));
    await expect(objects.put('a/b', new Uint8Array([1]))).rejects.toThrow(DependencyDown);
    expect(readdirSync(join(folder, '.partial'))).toEqual([]);
    rmSync(folder, { recursive: true });
  });
});
