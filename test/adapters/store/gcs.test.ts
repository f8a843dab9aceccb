import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { GcsOptions } from '#adapters/objects/gcs-wire.ts';
import { openGcsStore, type GcsStore } from '#adapters/store/gcs.ts';
import { DependencyDown, Misconfigured, Unauthorized } from '#core/errors.ts';
import { takeLease } from '#core/lease.ts';
import { BINARY, hastyClock, impatientClock, MISSING, newBucket } from '#test/kit/fake-gcs.ts';
import {
  inTurn,
  isDelete,
  isRead,
  isUpload,
  NONE,
  startGcsProxy,
  type Fault,
  type GcsProxy,
} from '#test/kit/gcs-proxy.ts';
import { startFakeGcs, type FakeGcs } from '#tools/emulators/gcs.ts';

const LOST: Fault = { kind: 'lost' };
const HUNG: Fault = { kind: 'hung' };
const BUSY: Fault = { kind: 'answer', status: 503 };
const THROTTLED: Fault = { kind: 'answer', status: 429 };

describe.skipIf(BINARY === undefined)(`the Cloud Storage store${MISSING}`, () => {
  let fake: FakeGcs;
  let proxy: GcsProxy;
  let options: GcsOptions;
  let open: GcsStore[];

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
    await Promise.all(open.map((store) => store.close()));
    await proxy.stop();
  });

  /** Each is what a process of its own would have. */
  function openStore(changes: Partial<GcsOptions> = {}): GcsStore {
    const store = openGcsStore({ ...options, ...changes });
    open.push(store);
    return store;
  }

  describe('an answer that was lost', () => {
    it('is no loss: a write that meets itself is known for its own', async () => {
      const store = openStore();
      const first = await store.put('a', 'one', null);
      proxy.fault = inTurn(isUpload, LOST);
      const second = await store.put('a', 'two', first ?? null);
      expect(await store.get('a')).toEqual({ value: 'two', generation: second });
    });

    it('nor does a lease holder think that it lost its lease', async () => {
      const lease = await takeLease(leaseOf('one', openStore()));
      proxy.fault = inTurn(isUpload, LOST);
      await lease?.renew();
      await lease?.renew();
      expect(await takeLease(leaseOf('two', openStore()))).toBeUndefined();
    });

    it('of a write that failed for good is not taken for the write of another by the next try', async () => {
      const store = openStore();
      const first = (await store.put('a', 'one', null)) ?? null;
      proxy.fault = inTurn(isUpload, LOST, HUNG, HUNG);
      const failing = openStore({ clock: impatientClock() });
      await expect(failing.put('a', 'two', first)).rejects.toThrow(DependencyDown);
      const third = await failing.put('a', 'three', first);
      expect(await store.get('a')).toEqual({ value: 'three', generation: third });
    });

    it('of a write that failed for good, and was replaced by another since, is not undone', async () => {
      const store = openStore();
      const first = (await store.put('a', 'one', null)) ?? null;
      proxy.fault = inTurn(isUpload, LOST, BUSY, BUSY);
      const failing = openStore();
      await expect(failing.put('a', 'two', first)).rejects.toThrow(DependencyDown);
      const seen = await store.get('a');
      expect(seen?.value).toBe('two');
      await store.put('a', 'of another', seen?.generation ?? null);
      expect(await failing.put('a', 'three', first)).toBeUndefined();
      expect((await store.get('a'))?.value).toBe('of another');
    });

    it('of a write that another replaced meanwhile leaves the other in place', async () => {
      const [store, other] = [openStore(), openStore({ endpoint: fake.endpoint })];
      const first = (await store.put('a', 'one', null)) ?? null;
      let uploads = 0;
      proxy.fault = (request) => {
        if (!isUpload(request)) return NONE;
        uploads += 1;
        return uploads === 1 ? LOST : { kind: 'answer', status: 503, headers: {} };
      };
      const writing = store.put('a', 'two', first);
      await expect(writing).rejects.toThrow(DependencyDown);
      const seen = await other.get('a');
      await other.put('a', 'other', seen?.generation ?? null);
      proxy.fault = () => NONE;
      expect(await store.put('a', 'two', first)).toBeUndefined();
    });

    it('of a delete that was done counts as done', async () => {
      const store = openStore();
      const first = (await store.put('a', 'one', null)) ?? '';
      proxy.fault = inTurn(isDelete, LOST);
      expect(await store.delete('a', first)).toBe(true);
      expect(await store.delete('a', first)).toBe(false);
    });
  });

  describe('fencing', () => {
    it('a paused old instance cannot move a newer checkpoint', async () => {
      const [old, young] = [openStore(), openStore()];
      await old.put('position', 'at 1', null);
      const seenByOld = await old.get('position');
      const seenByYoung = await young.get('position');
      await young.put('position', 'at 9', seenByYoung?.generation ?? null);
      expect(await old.put('position', 'at 2', seenByOld?.generation ?? null)).toBeUndefined();
      expect((await young.get('position'))?.value).toBe('at 9');
    });

    it('a write that was held up on its way cannot undo a newer one', async () => {
      const store = openStore();
      const first = (await store.put('a', 'one', null)) ?? null;
      const late = openStore();
      await store.put('a', 'two', first);
      expect(await late.put('a', 'late', first)).toBeUndefined();
    });

    it('a lease passes on when its owner is silent, and the old owner is told', async () => {
      const clock = hastyClock();
      let wallMicros = 1_000_000;
      const wall = { ...clock, nowMicros: () => wallMicros };
      const [one, two] = [openStore(), openStore()];
      const first = await takeLease({ ...leaseOf('one', one), clock: wall });
      expect(await takeLease({ ...leaseOf('two', two), clock: wall })).toBeUndefined();
      wallMicros += 15_000_001;
      const second = await takeLease({ ...leaseOf('two', two), clock: wall });
      expect(second?.epoch).toBe((first?.epoch ?? 0) + 1);
      await expect(first?.renew()).rejects.toMatchObject({ code: 'lease_lost' });
    });

    it('processes that count at the same time lose no count', async () => {
      const count = async (store: GcsStore): Promise<void> => {
        for (let done = 0; done < 5;) {
          const seen = await store.get('count');
          const next = String(Number(seen?.value ?? 0) + 1);
          if ((await store.put('count', next, seen?.generation ?? null)) !== undefined) done += 1;
        }
      };
      await Promise.all([openStore(), openStore(), openStore()].map(count));
      expect((await openStore().get('count'))?.value).toBe('15');
    });

    it('a delete is refused by the service where another wrote since the look', async () => {
      const store = openStore();
      const first = (await store.put('a', 'one', null)) ?? '';
      proxy.fault = inTurn(isDelete, { kind: 'answer', status: 412 });
      expect(await store.delete('a', first)).toBe(false);
      expect(proxy.seen.at(-1)?.url).toContain(`ifGenerationMatch=${first}`);
    });
  });

  describe('the rate of writes', () => {
    it('is one a second for a key, and no limit for several', async () => {
      const sleeps: number[] = [];
      const clock = hastyClock();
      const noting: typeof clock = { ...clock, sleep: (ms, signal) => (sleeps.push(ms), clock.sleep(ms, signal)) };
      const store = openStore({ clock: noting });
      const first = (await store.put('a', 'one', null)) ?? null;
      await store.put('b', 'one', null);
      expect(sleeps).toEqual([]);
      await store.put('a', 'two', first);
      expect(sleeps).toHaveLength(1);
      expect(sleeps[0]).toBeGreaterThan(500);
    });

    it('that another process exhausted is waited for', async () => {
      const sleeps: number[] = [];
      const clock = hastyClock();
      const noting: typeof clock = { ...clock, sleep: (ms, signal) => (sleeps.push(ms), clock.sleep(ms, signal)) };
      proxy.fault = inTurn(isUpload, THROTTLED, THROTTLED);
      expect(await openStore({ clock: noting }).put('a', 'one', null)).toBeDefined();
      expect(sleeps.length).toBe(2);
      expect(Math.min(...sleeps)).toBeGreaterThanOrEqual(1_000);
    });
  });

  describe('a service that fails', () => {
    it('for a moment is asked again', async () => {
      proxy.fault = inTurn(() => true, BUSY, HUNG);
      const store = openStore({ clock: impatientClock() });
      expect(await store.put('a', 'one', null)).toBeDefined();
    });

    it('for longer is down, whatever was asked', async () => {
      proxy.fault = () => BUSY;
      const store = openStore();
      const down = { code: 'dependency_down', dependency: 'store' };
      await expect(store.get('a')).rejects.toMatchObject(down);
      await expect(store.put('a', 'one', null)).rejects.toMatchObject(down);
      await expect(store.list('a')).rejects.toMatchObject(down);
      await expect(store.delete('a', '1')).rejects.toMatchObject(down);
    });

    it('that keeps silent is left, and the connection closed', async () => {
      proxy.fault = () => HUNG;
      await expect(openStore({ clock: impatientClock() }).get('a')).rejects.toThrow(DependencyDown);
      await expect.poll(() => proxy.connections()).toBe(0);
    });

    it('that keeps silent is left at once when the process stops', async () => {
      proxy.fault = () => HUNG;
      const store = openStore();
      const reading = store.get('a');
      await expect.poll(() => proxy.seen.length).toBe(1);
      await store.close();
      await expect(reading).rejects.toThrow(DependencyDown);
    });

    it.each([401, 403])('with %i must be put right by the operator', async (status) => {
      proxy.fault = () => ({ kind: 'answer', status });
      await expect(openStore().get('a')).rejects.toThrow(Unauthorized);
    });

    it('that answers 403 for what is not there, to who may list only some names, has no value there', async () => {
      const store = openStore();
      await store.put('leases/b', 'one', null);
      proxy.fault = inTurn(({ url }) => url.includes('/o/'), { kind: 'answer', status: 403 });
      expect(await store.get('leases/a')).toBeUndefined();
      expect(new URL(proxy.seen.at(-1)?.url ?? '', 'http://x').searchParams.get('prefix')).toBe('store/leases/a');
      proxy.fault = inTurn(({ url }) => url.includes('/o/'), { kind: 'answer', status: 403 });
      await expect(store.get('leases/b')).rejects.toThrow(Unauthorized);
    });

    it('with 403 for the rate is asked again', async () => {
      const body = JSON.stringify({ error: { code: 403, errors: [{ reason: 'rateLimitExceeded' }] } });
      proxy.fault = inTurn(() => true, { kind: 'answer', status: 403, body });
      expect(await openStore().get('a')).toBeUndefined();
    });

    it('says that the bucket is missing, which is no missing value', async () => {
      const store = openStore({ bucket: 'no-such-bucket' });
      await expect(store.get('a')).rejects.toMatchObject({ code: 'bucket_missing' });
      await expect(store.list('a')).rejects.toThrow(Misconfigured);
      proxy.fault = inTurn(isUpload, { kind: 'answer', status: 404 });
      await expect(openStore().put('a', 'one', null)).rejects.toThrow(Misconfigured);
    });
  });

  describe('what is damaged on its way', () => {
    it('in the answer to a write undoes nothing', async () => {
      const store = openStore();
      proxy.fault = inTurn(isUpload, {
        kind: 'altered',
        alter: (body) =>
          Buffer.from(body.toString().replace(/"md5Hash":"[^"]+"/, '"md5Hash":"AAAAAAAAAAAAAAAAAAAAAA=="')),
      });
      const generation = await store.put('a', 'one', null);
      expect(await store.get('a')).toEqual({ value: 'one', generation });
      expect(proxy.seen.some(isDelete)).toBe(false);
    });

    it('is read again', async () => {
      const store = openStore();
      await store.put('a', 'one', null);
      proxy.fault = inTurn(isRead, { kind: 'altered', alter: () => Buffer.from('two') });
      expect((await store.get('a'))?.value).toBe('one');
    });
  });

  it('keeps each key under a name of its own that a person can read', async () => {
    const store = openStore();
    const keys = ['a b/*', 'a%20b', 'ä', "o'x", '(1)', 'position/data/ChangeEvents', '😀'];
    for (const key of keys) await store.put(key, key, null);
    expect([...(await store.list(''))].sort()).toEqual([...keys].sort());
    for (const key of keys) expect((await store.get(key))?.value).toBe(key);
    expect(proxy.seen.some(({ url }) => url.includes('store%2Fposition%2Fdata%2FChangeEvents'))).toBe(true);
  });

  it('sends no credentials to a fake', async () => {
    await openStore().put('a', 'one', null);
    expect(proxy.seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  function leaseOf(owner: string, store: GcsStore) {
    return { store, clock: hastyClock(), name: 'resolver', owner, ttlMs: 15_000 };
  }
});
