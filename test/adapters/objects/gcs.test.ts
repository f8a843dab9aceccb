import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openGcsObjects, type GcsObjects } from '#adapters/objects/gcs.ts';
import type { GcsOptions } from '#adapters/objects/gcs-wire.ts';
import { DependencyDown } from '#core/errors.ts';
import { BINARY, hastyClock, impatientClock, MISSING, newBucket } from '#test/kit/fake-gcs.ts';
import { inTurn, isDelete, isRead, isUpload, startGcsProxy, type Fault, type GcsProxy } from '#test/kit/gcs-proxy.ts';
import { startFakeGcs, type FakeGcs } from '#tools/emulators/gcs.ts';

const LOST: Fault = { kind: 'lost' };
const HUNG: Fault = { kind: 'hung' };
async function namesOf(names: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const name of names) found.push(name);
  return found;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

describe.skipIf(BINARY === undefined)(`objects in Cloud Storage${MISSING}`, () => {
  let fake: FakeGcs;
  let proxy: GcsProxy;
  let options: GcsOptions;
  let open: GcsObjects[];

  beforeAll(async () => {
    fake = await startFakeGcs(BINARY ?? '');
  });
  afterAll(() => fake.stop());
  beforeEach(async () => {
    open = [];
    proxy = await startGcsProxy(fake.endpoint);
    options = { ...(await newBucket(fake.endpoint, hastyClock())), endpoint: proxy.endpoint };
  });
  afterEach(async () => {
    await Promise.all(open.map((objects) => objects.close()));
    await proxy.stop();
  });

  function openObjects(changes: Partial<GcsOptions> & { readonly pageSize?: number } = {}): GcsObjects {
    const objects = openGcsObjects({ ...options, ...changes });
    open.push(objects);
    return objects;
  }

  const textOf = async (objects: GcsObjects, name: string): Promise<string | undefined> => {
    const bytes = await objects.get(name);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString();
  };

  it.each<[string, Fault]>([
    ['an answer that was lost', LOST],
    ['a request that hung', HUNG],
    ['a service that was busy', { kind: 'answer', status: 503 }],
    ['a rate that was exceeded', { kind: 'answer', status: 429 }],
  ])('%s is made good by trying again, for each operation', async (_name, fault) => {
    const objects = openObjects({ clock: impatientClock() });
    proxy.fault = inTurn(isUpload, fault);
    await objects.put('a/b', bytesOf('one'));
    proxy.fault = inTurn(isRead, fault);
    expect(await textOf(objects, 'a/b')).toBe('one');
    proxy.fault = inTurn(({ url }) => url.includes('prefix='), fault);
    expect(await namesOf(objects.list('a/'))).toEqual(['a/b']);
    proxy.fault = inTurn(isDelete, fault);
    await objects.delete('a/b');
    expect(await objects.get('a/b')).toBeUndefined();
  });

  it('a service that keeps silent is down in the end, and no connection is left open', async () => {
    proxy.fault = () => HUNG;
    await expect(openObjects({ clock: impatientClock() }).get('a')).rejects.toMatchObject({ dependency: 'objects' });
    await expect.poll(() => proxy.connections()).toBe(0);
  });

  it('an answer that stops in the middle is read again', async () => {
    const objects = openObjects();
    await objects.put('a', new Uint8Array(100_000).fill(7));
    proxy.fault = inTurn(isRead, { kind: 'altered', alter: (body) => body.subarray(0, 50_000) });
    expect((await objects.get('a'))?.length).toBe(100_000);
  });

  it('an object of many megabytes comes back as it was', async () => {
    const objects = openObjects();
    const bytes = new Uint8Array(20_000_000);
    for (let at = 0; at < bytes.length; at += 997) bytes[at] = at % 251;
    await objects.put('large', bytes);
    expect(Buffer.compare((await objects.get('large')) ?? new Uint8Array(), bytes)).toBe(0);
  });

  it('what looks like the parts of an upload is kept as it is', async () => {
    const objects = openObjects();
    const text = '--boundary\r\ncontent-type: text/plain\r\n\r\n--\r\n{{projectId}}\r\n--boundary--\r\n';
    await objects.put('a', bytesOf(text));
    expect(await textOf(objects, 'a')).toBe(text);
  });

  it('every attempt is conditional, so one that arrives late undoes nothing', async () => {
    const objects = openObjects();
    await objects.put('a', bytesOf('one'));
    await objects.put('a', bytesOf('two'));
    await objects.delete('a');
    const changing = proxy.seen.filter((request) => isUpload(request) || isDelete(request));
    expect(changing.length).toBeGreaterThanOrEqual(4);
    expect(changing.every(({ url }) => url.includes('ifGenerationMatch='))).toBe(true);
  });

  it('the same put again writes nothing', async () => {
    const objects = openObjects();
    await objects.put('a', bytesOf('one'));
    const uploads = proxy.seen.filter(isUpload).length;
    await objects.put('a', bytesOf('one'));
    expect(proxy.seen.filter(isUpload).length).toBe(uploads + 1);
  });

  it('names with all allowed characters are listed and read, page by page', async () => {
    const objects = openObjects({ pageSize: 3 });
    const names = ['=x/@y/%41', '~a,b+c-d', 'A.B/c.d', 'a%2Fb', 'a+b', 'a/b', 'a~', 'z'];
    for (const name of names) await objects.put(name, bytesOf(name));
    expect(await namesOf(objects.list(''))).toEqual([...names].sort());
    expect(await namesOf(objects.list('a'))).toEqual(['a%2Fb', 'a+b', 'a/b', 'a~']);
    for (const name of names) expect(await textOf(objects, name)).toBe(name);
  });

  it('a missing bucket is no missing object', async () => {
    const objects = openObjects({ bucket: 'no-such-bucket' });
    await expect(objects.get('a')).rejects.toMatchObject({ code: 'bucket_missing' });
    await expect(namesOf(objects.list(''))).rejects.toMatchObject({ code: 'bucket_missing' });
  });

  it('a service that is down fails a listing too', async () => {
    proxy.fault = () => ({ kind: 'answer', status: 500 });
    await expect(namesOf(openObjects().list(''))).rejects.toThrow(DependencyDown);
  });
});
