/** What every store of objects promises. `make` gives an empty one each time. */
import { describe, expect, it } from 'vitest';
import type { ObjectsPort } from '#core/ports/objects.ts';

export interface ObjectsUnderTest {
  readonly objects: ObjectsPort;
  readonly close?: () => Promise<void>;
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export function describeObjectsContract(name: string, make: () => Promise<ObjectsUnderTest>): void {
  describe(`the objects contract: ${name}`, () => {
    async function withObjects(work: (objects: ObjectsPort) => Promise<void>): Promise<void> {
      const under = await make();
      try {
        await work(under.objects);
      } finally {
        await under.close?.();
      }
    }

    async function names(objects: ObjectsPort, prefix: string): Promise<string[]> {
      const found: string[] = [];
      for await (const name of objects.list(prefix)) found.push(name);
      return found;
    }

    it.each([
      '../outside',
      'a/../b',
      '/absolute',
      'a//b',
      'a/',
      '',
      '.',
      '.hidden',
      'a/.hidden',
      'a\\b',
      'a\u0000b',
      'a\nb',
      `long/${'x'.repeat(300)}`,
      Array.from({ length: 6 }, () => 'x'.repeat(190)).join('/'),
    ])('refuses the name %j', (name) =>
      withObjects(async (objects) => {
        await expect(objects.put(name, bytesOf('x'))).rejects.toMatchObject({ code: 'invalid_object_name' });
        await expect(objects.get(name)).rejects.toMatchObject({ code: 'invalid_object_name' });
        await expect(objects.delete(name)).rejects.toMatchObject({ code: 'invalid_object_name' });
      }),
    );

    it('has nothing under a name never written, nor under the folder of another', () =>
      withObjects(async (objects) => {
        await objects.put('a/b', bytesOf('x'));
        expect(await objects.get('a/c')).toBeUndefined();
        expect(await objects.get('a/b/c')).toBeUndefined();
      }));

    it('gives back the exact bytes, and nothing of an older longer object', () =>
      withObjects(async (objects) => {
        const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
        await objects.put('parked/one', bytes);
        expect(Buffer.from((await objects.get('parked/one')) ?? [])).toEqual(Buffer.from(bytes));
        await objects.put('parked/one', bytesOf('short'));
        expect(Buffer.from((await objects.get('parked/one')) ?? []).toString()).toBe('short');
        await objects.put('parked/one', new Uint8Array());
        expect((await objects.get('parked/one'))?.length).toBe(0);
      }));

    it('shows a reader the old object or the new one, never a mixture', () =>
      withObjects(async (objects) => {
        const filled = (byte: number): Uint8Array => new Uint8Array(300_000).fill(byte);
        await objects.put('a', filled(0));
        const writing = Promise.all(Array.from({ length: 20 }, (_, byte) => objects.put('a', filled(byte))));
        for (let read = 0; read < 20; read++) {
          const seen = (await objects.get('a')) ?? new Uint8Array();
          expect(seen.length).toBe(300_000);
          expect(new Set(seen).size).toBe(1);
        }
        await writing;
      }));

    it('lists a prefix in ascending order, across folders', () =>
      withObjects(async (objects) => {
        for (const name of ['a/b/2', 'a/b/10', 'a-b', 'a/b', 'ab', 'b', 'a.b/x'].filter((name) => name !== 'a/b')) {
          await objects.put(name, bytesOf('x'));
        }
        expect(await names(objects, '')).toEqual(['a-b', 'a.b/x', 'a/b/10', 'a/b/2', 'ab', 'b']);
        expect(await names(objects, 'a/b/')).toEqual(['a/b/10', 'a/b/2']);
        expect(await names(objects, 'a/b/1')).toEqual(['a/b/10']);
        expect(await names(objects, 'a')).toEqual(['a-b', 'a.b/x', 'a/b/10', 'a/b/2', 'ab']);
        expect(await names(objects, 'none/')).toEqual([]);
      }));

    it('deletes, and does nothing where there is nothing', () =>
      withObjects(async (objects) => {
        await objects.put('a/b', bytesOf('x'));
        await objects.delete('a/b');
        await objects.delete('a/b');
        await objects.delete('never');
        expect(await objects.get('a/b')).toBeUndefined();
        expect(await names(objects, '')).toEqual([]);
      }));
  });
}
