/**
 * Objects as files below one folder. A write goes to a temporary file, is synced, renamed into place, and its folder
 * synced, so an object is there whole or not at all, after a power cut too. What a kill leaves in `.partial` is never
 * listed or read, and is removed at the next opening.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DependencyDown, Misconfigured } from '#core/errors.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { checkName } from './name.ts';

const PARTIAL = '.partial';
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

export async function openFileObjects(folder: string): Promise<ObjectsPort> {
  const partial = join(folder, PARTIAL);
  await guarded(async () => {
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: FOLDER_MODE });
  });
  return {
    put: (name, bytes) => guarded(() => put(folder, partial, name, bytes)),
    get: (name) => guarded(() => get(folder, name)),
    list: (prefix) => list(folder, prefix),
    delete: (name) => guarded(() => remove(folder, name)),
  };
}

async function put(folder: string, partial: string, name: string, bytes: Uint8Array): Promise<void> {
  const target = pathOf(folder, name);
  const temporary = join(partial, randomUUID());
  try {
    const file = await open(temporary, 'wx', FILE_MODE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await makeFolders(folder, dirname(target));
    await rename(temporary, target);
    await syncFolder(dirname(target));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function get(folder: string, name: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(pathOf(folder, name));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function remove(folder: string, name: string): Promise<void> {
  const target = pathOf(folder, name);
  try {
    await rm(target);
    await syncFolder(dirname(target));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** A prefix need not end at a separator. */
async function* list(folder: string, prefix: string): AsyncGenerator<string> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (start !== '') pathOf(folder, start.slice(0, -1));
  yield* walk(folder, start, prefix);
}

async function* walk(folder: string, path: string, prefix: string): AsyncGenerator<string> {
  const entries = await guarded(() => entriesOf(join(folder, path)));
  // A folder sorts as its name with the separator, or `a/b` would come before `a-b`.
  const names = entries
    .filter((entry) => !entry.name.startsWith('.'))
    .map((entry) => (entry.isDirectory() ? `${path}${entry.name}/` : `${path}${entry.name}`))
    .sort(byCodeUnits);
  for (const name of names) {
    if (name.endsWith('/') && (name.startsWith(prefix) || prefix.startsWith(name))) yield* walk(folder, name, prefix);
    else if (!name.endsWith('/') && name.startsWith(prefix)) yield name;
  }
}

async function entriesOf(path: string) {
  try {
    return await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Each new folder is synced into its parent, or a power cut could take it with all that is in it. */
async function makeFolders(root: string, path: string): Promise<void> {
  if ((await mkdir(path, { recursive: true, mode: FOLDER_MODE })) === undefined) return;
  for (let folder = path; folder !== root; folder = dirname(folder)) await syncFolder(dirname(folder));
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** No part of a name starts with a dot, so none clashes with `.partial`. */
function pathOf(folder: string, name: string): string {
  checkName(name);
  return join(folder, ...name.split('/'));
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Misconfigured) throw error;
    throw new DependencyDown(
      'objects',
      'The folder of objects cannot be used: look at its free space and its rights.',
      { cause: error },
    );
  }
}
