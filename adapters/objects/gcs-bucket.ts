/**
 * What both adapters need of a bucket: conditional writes and deletes, whole reads, listings. Each is tried again while
 * that may help, then fails with `DependencyDown`; so a write that failed may have been done, and one whose answer was
 * lost may meet itself (`undefined` though it was ours): the caller looks at what is stored.
 */
import { hash } from 'node:crypto';
import { DependencyDown, Misconfigured, Transient, Unauthorized } from '#core/errors.ts';
import { withRetry, type RetryPolicy } from '#core/retry.ts';
import { isRecord } from '#core/vendor/json.ts';
import { openWire, type GcsAnswer, type GcsOptions, type GcsRequest } from './gcs-wire.ts';

export interface BucketOptions extends GcsOptions {
  /** The port that is down when the bucket is. */
  readonly dependency: 'store' | 'objects';
  readonly silentMs: number;
  readonly policy: RetryPolicy;
  /** Names a listing asks for at a time. */
  readonly pageSize?: number;
}

export interface Stat {
  readonly generation: string;
  /** Base64; absent for what others composed. */
  readonly md5: string | undefined;
  readonly writeId: string | undefined;
}

export interface Write {
  readonly contentType: string;
  /** `ABSENT`: only if there is no object of that name. */
  readonly ifGeneration: string;
  readonly writeId: string;
}

export interface Removal {
  /** `changed`: another generation is stored. */
  readonly outcome: 'removed' | 'missing' | 'changed';
  /** Attempts it took: after a lost answer `missing` may be our own doing. */
  readonly attempts: number;
}

export interface Bucket {
  /** Answers the new generation, or `undefined` if another than `ifGeneration` is stored. */
  insert(name: string, bytes: Uint8Array, write: Write): Promise<string | undefined>;
  read(name: string): Promise<{ readonly bytes: Buffer; readonly generation: string } | undefined>;
  stat(name: string): Promise<Stat | undefined>;
  /** The fake ignores `ifGeneration`. */
  remove(name: string, ifGeneration: string): Promise<Removal>;
  /** Names in ascending order of their bytes. */
  list(prefix: string): AsyncIterable<string>;
  /** Ends what is under way. */
  close(): void;
  readonly closed: AbortSignal;
}

export const ABSENT = '0';
/** The metadata that tells a write whose answer was lost from another's. */
const WRITE_ID = 'write';
const PAGE_SIZE = 1_000;

export function openBucket(options: BucketOptions): Bucket {
  const { bucket, clock, random, policy, dependency, pageSize = PAGE_SIZE } = options;
  const wire = openWire(options, options.silentMs);
  const closing = new AbortController();
  const objects = `/storage/v1/b/${encodeURIComponent(bucket)}/o`;
  let bucketSeen = false;

  async function tried<T>(work: (attempt: number) => Promise<T>): Promise<T> {
    try {
      return await withRetry(work, { policy, clock, random, signal: closing.signal });
    } catch (error) {
      if (!(error instanceof Transient)) throw error;
      throw new DependencyDown(dependency, `${error.message} It is tried again.`, { cause: error });
    }
  }

  /**
   * About one object. A 404 means the object only where the bucket is known to exist; and who may list only some prefixes
   * may be told 403 for an object that is not there. A listing of its name tells, and needs no right on the bucket itself.
   */
  async function ask(method: 'GET' | 'DELETE', name: string, query: GcsRequest['query'] = {}): Promise<GcsAnswer> {
    try {
      const answer = await wire({ method, path: `${objects}/${encodeURIComponent(name)}`, query }, closing.signal);
      if (answer.status === 404 && !bucketSeen) await page(name, undefined, 1);
      bucketSeen = true;
      return answer;
    } catch (error) {
      if (!(error instanceof Unauthorized)) throw error;
      const { names } = await page(name, undefined, 1);
      if (names[0] === name) throw error;
      return { status: 404, headers: new Headers(), body: Buffer.alloc(0) };
    }
  }

  async function insertOnce(name: string, bytes: Uint8Array, write: Write): Promise<string | undefined> {
    const md5 = md5Of(bytes);
    const metadata = { name, contentType: write.contentType, md5Hash: md5, metadata: { [WRITE_ID]: write.writeId } };
    const query = { uploadType: 'multipart', name, ifGenerationMatch: write.ifGeneration };
    const parts = multipart(metadata, write.contentType, bytes, write.writeId);
    const answer = await wire({ method: 'POST', path: `/upload${objects}`, query, ...parts }, closing.signal);
    if (answer.status === 412) return undefined;
    if (answer.status === 404) throw bucketMissing(bucket);
    const stored = statOf(answer.body);
    // The service has compared it, so it is the answer that is damaged; nothing is undone.
    if (stored.md5 !== undefined && stored.md5 !== md5) throw damaged();
    return stored.generation;
  }

  async function readOnce(name: string): Promise<{ readonly bytes: Buffer; readonly generation: string } | undefined> {
    const answer = await ask('GET', name, { alt: 'media' });
    if (answer.status === 404) return undefined;
    const md5 = /(?:^|,\s*)md5=([^,]+)/.exec(answer.headers.get('x-goog-hash') ?? '')?.[1];
    const generation = answer.headers.get('x-goog-generation');
    if (generation === null || (md5 !== undefined && md5 !== md5Of(answer.body))) throw damaged();
    return { bytes: answer.body, generation };
  }

  async function page(prefix: string, pageToken: string | undefined, size = pageSize): Promise<Page> {
    const query = {
      prefix,
      maxResults: String(size),
      fields: 'items(name),nextPageToken',
      ...(pageToken === undefined ? {} : { pageToken }),
    };
    const answer = await wire({ method: 'GET', path: objects, query }, closing.signal);
    if (answer.status === 404) throw bucketMissing(bucket);
    bucketSeen = true;
    return pageOf(answer.body);
  }

  async function* list(prefix: string): AsyncGenerator<string> {
    let token: string | undefined;
    do {
      const { names, next } = await tried(() => page(prefix, token));
      yield* names;
      token = next;
    } while (token !== undefined);
  }

  return {
    insert: (name, bytes, write) => tried(() => insertOnce(name, bytes, write)),
    read: (name) => tried(() => readOnce(name)),
    stat: (name) =>
      tried(async () => {
        const answer = await ask('GET', name);
        return answer.status === 404 ? undefined : statOf(answer.body);
      }),
    remove: (name, ifGeneration) =>
      tried(async (attempts) => {
        const { status } = await ask('DELETE', name, { ifGenerationMatch: ifGeneration });
        return { outcome: status === 404 ? 'missing' : status === 412 ? 'changed' : 'removed', attempts };
      }),
    list,
    close: () => closing.abort(new Transient('stopping', 'Cloud Storage is not used any more: the process stops.')),
    closed: closing.signal,
  };
}

/** RFC 2387. The write id, made for this write, does not occur in what is written. */
function multipart(
  metadata: object,
  contentType: string,
  bytes: Uint8Array,
  boundary: string,
): { readonly contentType: string; readonly body: Buffer } {
  const head = `--${boundary}\r\ncontent-type: application/json; charset=UTF-8\r\n\r\n${JSON.stringify(metadata)}\r\n`;
  const part = `--${boundary}\r\ncontent-type: ${contentType}\r\n\r\n`;
  const body = Buffer.concat([Buffer.from(head + part), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]);
  return { contentType: `multipart/related; boundary=${boundary}`, body };
}

interface Page {
  readonly names: readonly string[];
  readonly next: string | undefined;
}

function pageOf(body: Buffer): Page {
  const parsed = jsonOf(body);
  const items: readonly unknown[] = Array.isArray(parsed['items']) ? parsed['items'] : [];
  const names = items.map((item) => (isRecord(item) ? textOf(item['name']) : undefined) ?? '');
  return { names, next: textOf(parsed['nextPageToken']) };
}

function statOf(body: Buffer): Stat {
  const { generation, md5Hash, metadata } = jsonOf(body);
  const stored = textOf(generation);
  if (stored === undefined) throw damaged();
  return {
    generation: stored,
    md5: textOf(md5Hash),
    writeId: isRecord(metadata) ? textOf(metadata[WRITE_ID]) : undefined,
  };
}

function jsonOf(body: Buffer): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    if (isRecord(parsed)) return parsed;
  } catch {
    // As below.
  }
  throw damaged();
}

/** An empty text is none. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function md5Of(bytes: Uint8Array): string {
  return hash('md5', bytes, 'base64');
}

function damaged(): Transient {
  return new Transient('gcs_damaged', 'An answer of Cloud Storage was damaged on its way.');
}

function bucketMissing(bucket: string): Misconfigured {
  return new Misconfigured('bucket_missing', `There is no bucket ${bucket}: make it, or change gcs.bucket.`);
}
