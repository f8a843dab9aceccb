/**
 * Objects in a Cloud Storage bucket, under `objects/`. A put replaces as a whole: that is the service's promise. Every
 * attempt is conditional on what it replaces, so one that was given up and arrives late cannot undo a newer one.
 */
import { DependencyDown } from '#core/errors.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { RetryPolicy } from '#core/retry.ts';
import { ABSENT, md5Of, openBucket, type Bucket } from './gcs-bucket.ts';
import type { GcsOptions } from './gcs-wire.ts';
import { checkName } from './name.ts';

export interface GcsObjects extends ObjectsPort {
  /** Ends what is under way. */
  close(): Promise<void>;
}

const PREFIX = 'objects/';
const SILENT_MS = 15_000;
const POLICY: RetryPolicy = { attempts: 5, baseMs: 500, ceilingMs: 8_000 };
/** How often others may write the name between our look and our write. */
const ROUNDS = 100;

/** Several processes may use the same bucket. `pageSize`: names a listing asks for at a time. */
export function openGcsObjects(options: GcsOptions & { readonly pageSize?: number }): GcsObjects {
  const { random } = options;
  const bucket = openBucket({ ...options, dependency: 'objects', silentMs: SILENT_MS, policy: POLICY });
  return {
    async put(name, bytes) {
      await put(bucket, pathOf(name), bytes, random.id());
    },
    async get(name) {
      return (await bucket.read(pathOf(name)))?.bytes;
    },
    async *list(prefix) {
      for await (const path of bucket.list(`${PREFIX}${prefix}`)) yield path.slice(PREFIX.length);
    },
    async delete(name) {
      await remove(bucket, pathOf(name));
    },
    async close() {
      bucket.close();
    },
  };
}

function pathOf(name: string): string {
  checkName(name);
  return `${PREFIX}${name}`;
}

/** Most objects are new, so the first attempt takes it that there is none. */
async function put(bucket: Bucket, path: string, bytes: Uint8Array, writeId: string): Promise<void> {
  let ifGeneration = ABSENT;
  for (let round = 1; round <= ROUNDS; round++) {
    const write = { contentType: 'application/octet-stream', ifGeneration, writeId };
    if ((await bucket.insert(path, bytes, write)) !== undefined) return;
    const stored = await bucket.stat(path);
    // Ours, whose answer was lost, or the same written by others.
    if (stored?.md5 === md5Of(bytes)) return;
    ifGeneration = stored?.generation ?? ABSENT;
  }
  throw contended();
}

async function remove(bucket: Bucket, path: string): Promise<void> {
  for (let round = 1; round <= ROUNDS; round++) {
    const stored = await bucket.stat(path);
    if (stored === undefined) return;
    if ((await bucket.remove(path, stored.generation)).outcome !== 'changed') return;
  }
  throw contended();
}

function contended(): DependencyDown {
  return new DependencyDown('objects', 'An object was written by others all the time. It is tried again.');
}
