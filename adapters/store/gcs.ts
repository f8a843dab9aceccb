/**
 * Checkpoints and leases in a Cloud Storage bucket, one object a key, under `store/`. The generation of an object is the
 * generation of its value; it never comes again, also after a deletion. Every write is conditional on the service, so
 * processes fence each other.
 */
import { ABSENT, md5Of, openBucket, type Bucket } from '#adapters/objects/gcs-bucket.ts';
import type { GcsOptions } from '#adapters/objects/gcs-wire.ts';
import { DependencyDown } from '#core/errors.ts';
import type { StorePort } from '#core/ports/store.ts';
import type { RetryPolicy } from '#core/retry.ts';
import { Pace, WRITES_APART_MS } from './gcs-pace.ts';

export interface GcsStore extends StorePort {
  /** Ends what is under way; what has not been answered may have been written. */
  close(): Promise<void>;
}

const PREFIX = 'store/';
const SILENT_MS = 4_000;
/** A lease is renewed every five seconds and ends after fifteen: who cannot write must know before. */
const POLICY: RetryPolicy = { attempts: 3, baseMs: 250, ceilingMs: 2_000 };
const ROUNDS = 10;

/** Writes of a key that failed and may have been done: all were to replace the same generation. */
interface Unsure {
  readonly replaces: string;
  readonly writeIds: ReadonlySet<string>;
}

export interface GcsStoreOptions extends GcsOptions {
  /** Names a listing asks for at a time. */
  readonly pageSize?: number;
  /** Between two writes of a key: what the service takes; a fake takes any. */
  readonly writesApartMs?: number;
}

/** Several processes may use the same bucket. */
export function openGcsStore(options: GcsStoreOptions): GcsStore {
  const { clock, random } = options;
  const bucket = openBucket({ ...options, dependency: 'store', silentMs: SILENT_MS, policy: POLICY });
  const pace = new Pace(clock, bucket.closed, options.writesApartMs ?? WRITES_APART_MS);
  const unsure = new Map<string, Unsure>();

  /** What failed and is tried again by the caller must not take its own earlier attempt for another's write. */
  async function put(key: string, value: string, replaces: string): Promise<string | undefined> {
    const before = unsure.get(key);
    const writeId = random.id();
    const writeIds = new Set(before?.replaces === replaces ? before.writeIds : []).add(writeId);
    try {
      const generation = await write(bucket, { key, bytes: Buffer.from(value), replaces, writeId, writeIds });
      unsure.delete(key);
      return generation;
    } catch (error) {
      if (error instanceof DependencyDown) unsure.set(key, { replaces, writeIds });
      throw error;
    }
  }

  return {
    async get(key) {
      const stored = await bucket.read(nameOf(key));
      return stored === undefined ? undefined : { value: stored.bytes.toString(), generation: stored.generation };
    },
    async put(key, value, ifGeneration) {
      if (ifGeneration !== null && !isGeneration(ifGeneration)) return undefined;
      const work = (): Promise<string | undefined> => put(key, value, ifGeneration ?? ABSENT);
      return pace.run(key, work, (generation) => generation !== undefined);
    },
    async delete(key, ifGeneration) {
      if (!isGeneration(ifGeneration)) return false;
      return pace.run(key, () => remove(bucket, nameOf(key), ifGeneration), Boolean);
    },
    async list(prefix) {
      const keys: string[] = [];
      for await (const name of bucket.list(nameOf(prefix))) keys.push(keyOf(name));
      return keys;
    },
    async close() {
      bucket.close();
    },
  };
}

interface StoreWrite {
  readonly key: string;
  readonly bytes: Buffer;
  readonly replaces: string;
  readonly writeId: string;
  /** This write and those before it that may have been done. */
  readonly writeIds: ReadonlySet<string>;
}

/**
 * A write that is refused may have met itself: the attempt before it was done, and its answer lost. The id in the
 * object's metadata tells. A write of ours that failed earlier is replaced as if it were what it replaced, since nobody
 * wrote in between and its caller was told of no generation.
 */
async function write(
  bucket: Bucket,
  { key, bytes, replaces, writeId, writeIds }: StoreWrite,
): Promise<string | undefined> {
  const name = nameOf(key);
  let ifGeneration = replaces;
  for (let round = 1; round <= ROUNDS; round++) {
    const generation = await bucket.insert(name, bytes, { contentType: 'application/json', ifGeneration, writeId });
    if (generation !== undefined) return generation;
    const stored = await bucket.stat(name);
    if (stored?.writeId === undefined || !writeIds.has(stored.writeId)) return undefined;
    if (stored.writeId === writeId && (stored.md5 ?? md5Of(bytes)) === md5Of(bytes)) return stored.generation;
    ifGeneration = stored.generation;
  }
  throw new DependencyDown('store', 'What Cloud Storage keeps is not what was sent. It is tried again.');
}

/**
 * The precondition decides, on the service. The look before it is for the fake, which ignores preconditions of deletes:
 * there, what is written between the look and the delete is lost. After a lost answer, whether we deleted it or another
 * did cannot be told: it was there when we looked, so we did.
 */
async function remove(bucket: Bucket, name: string, generation: string): Promise<boolean> {
  if ((await bucket.stat(name))?.generation !== generation) return false;
  const { outcome, attempts } = await bucket.remove(name, generation);
  return outcome === 'removed' || (outcome === 'missing' && attempts > 1);
}

/** Readable, and never one that the service refuses: other characters are escaped one by one, so prefixes stay prefixes. */
function nameOf(key: string): string {
  return (
    PREFIX +
    key.replaceAll(/[^A-Za-z0-9_=@+,~/.-]/gu, (character) => encodeURIComponent(character).replace(/^[^%]/, escaped))
  );
}

/** What `encodeURIComponent` leaves as it is. */
function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

function keyOf(name: string): string {
  return decodeURIComponent(name.slice(PREFIX.length));
}

/** What is none of the service's matches nothing, and is not sent: 0 would mean that there is no object. */
function isGeneration(generation: string): boolean {
  return /^[1-9]\d{0,19}$/.test(generation);
}
