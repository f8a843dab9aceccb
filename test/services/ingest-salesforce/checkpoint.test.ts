import { expect, it } from 'vitest';
import type { StorePort } from '#core/ports/store.ts';
import { openCheckpoint } from '#services/ingest-salesforce/checkpoint.ts';
import { memoryStore } from '#test/kit/context.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

function counting(store: StorePort): StorePort & { writes: number } {
  const counted = {
    ...store,
    writes: 0,
    put(key: string, value: string, generation: string | null) {
      counted.writes += 1;
      return store.put(key, value, generation);
    },
  };
  return counted;
}

it('a checkpoint is written at most once a second, and holds the last value', async () => {
  const clock = virtualClock();
  const store = counting(memoryStore());
  const checkpoint = await openCheckpoint(store, clock, 'k', Number);
  for (let n = 1; n <= 300; n += 1) {
    checkpoint.note(n);
    await clock.advance(10);
  }
  await clock.advance(1_000);
  expect(store.writes).toBeLessThanOrEqual(5);
  expect((await store.get('k'))?.value).toBe('300');
  expect((await openCheckpoint(store, clock, 'k', Number)).value).toBe(300);
});

it('what is saved is durable when the promise resolves', async () => {
  const clock = virtualClock();
  const store = memoryStore();
  const checkpoint = await openCheckpoint(store, clock, 'k', Number);
  checkpoint.note(1);
  await checkpoint.save(2);
  expect((await store.get('k'))?.value).toBe('2');
  const saves = [3, 4, 5].map((n) => checkpoint.save(n));
  await Promise.all(saves);
  expect((await store.get('k'))?.value).toBe('5');
});

it('who finds that somebody else wrote stops', async () => {
  const clock = virtualClock();
  const store = memoryStore();
  const old = await openCheckpoint(store, clock, 'k', Number);
  const young = await openCheckpoint(store, clock, 'k', Number);
  await young.save(7);
  await expect(old.save(3)).rejects.toMatchObject({ code: 'checkpoint_taken' });
  await expect(old.save(4)).rejects.toMatchObject({ code: 'checkpoint_taken' });
  expect((await store.get('k'))?.value).toBe('7');
});
