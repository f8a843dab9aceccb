/** What every store promises. `make` gives an empty store each time; `reopen` the same one after a restart, if it can. */
import { describe, expect, it } from 'vitest';
import type { StorePort } from '#core/ports/store.ts';

export interface StoreUnderTest {
  readonly store: StorePort;
  readonly reopen?: () => Promise<StorePort>;
  readonly close?: () => Promise<void>;
}

export function describeStoreContract(name: string, make: () => Promise<StoreUnderTest>): void {
  describe(`the store contract: ${name}`, () => {
    async function withStore(work: (under: StoreUnderTest) => Promise<void>): Promise<void> {
      const under = await make();
      try {
        await work(under);
      } finally {
        await under.close?.();
      }
    }

    it('has nothing under a key never written', () =>
      withStore(async ({ store }) => {
        expect(await store.get('checkpoints/a')).toBeUndefined();
      }));

    it('refuses a write whose generation is not the stored one, and changes nothing', () =>
      withStore(async ({ store }) => {
        const first = await store.put('a', 'one', null);
        const second = await store.put('a', 'two', first ?? '');
        expect(await store.put('a', 'late', first ?? '')).toBeUndefined();
        expect(await store.put('a', 'late', 'no such generation')).toBeUndefined();
        expect(await store.get('a')).toEqual({ value: 'two', generation: second });
      }));

    it('refuses a first write where there is a value, and a later write where there is none', () =>
      withStore(async ({ store }) => {
        const first = await store.put('a', 'one', null);
        expect(first).toBeDefined();
        expect(await store.put('a', 'other', null)).toBeUndefined();
        expect(await store.put('b', 'one', first ?? '')).toBeUndefined();
        expect(await store.get('b')).toBeUndefined();
      }));

    it('lets one of many writers at the same time win', () =>
      withStore(async ({ store }) => {
        const writers = Array.from({ length: 20 }, (_, writer) => store.put('a', String(writer), null));
        const won = (await Promise.all(writers)).filter((generation) => generation !== undefined);
        expect(won).toHaveLength(1);
        expect((await store.get('a'))?.generation).toBe(won[0]);
      }));

    it('deletes only the generation given', () =>
      withStore(async ({ store }) => {
        const first = (await store.put('a', 'one', null)) ?? '';
        const second = (await store.put('a', 'two', first)) ?? '';
        expect(await store.delete('a', first)).toBe(false);
        expect(await store.delete('a', second)).toBe(true);
        expect(await store.delete('a', second)).toBe(false);
        expect(await store.get('a')).toBeUndefined();
      }));

    it('never gives a generation twice, so a writer from before a deletion stays fenced', () =>
      withStore(async ({ store }) => {
        const before = (await store.put('a', 'same', null)) ?? '';
        await store.delete('a', before);
        const after = await store.put('a', 'same', null);
        expect(after).not.toBe(before);
        expect(await store.put('a', 'late', before)).toBeUndefined();
      }));

    it('lists the keys of a prefix, taken literally', () =>
      withStore(async ({ store }) => {
        for (const key of ['leases/b', 'leases/a', 'lease', 'leases%', 'checkpoints/x_y', 'checkpoints/xzy']) {
          await store.put(key, 'value', null);
        }
        expect([...(await store.list('leases/'))].sort()).toEqual(['leases/a', 'leases/b']);
        expect([...(await store.list('checkpoints/x_'))]).toEqual(['checkpoints/x_y']);
        expect(await store.list('')).toHaveLength(6);
      }));

    it('keeps a value as it was, whatever is in it', () =>
      withStore(async ({ store }) => {
        for (const [index, value] of ['', '{"a":1}', 'line\r\nbreak', '😀', "'; DROP TABLE entry; --"].entries()) {
          await store.put(`k${index}`, value, null);
          expect((await store.get(`k${index}`))?.value).toBe(value);
        }
      }));

    it('has everything after a restart, and its generations go on', () =>
      withStore(async ({ store, reopen }) => {
        if (reopen === undefined) return;
        const before = (await store.put('a', 'one', null)) ?? '';
        const again = await reopen();
        expect(await again.get('a')).toEqual({ value: 'one', generation: before });
        const after = await again.put('a', 'two', before);
        expect(after).toBeDefined();
        expect(after).not.toBe(before);
      }));
  });
}
