import { expect, it } from 'vitest';
import { dropListing, idHash, loadListing, PageIds } from '#services/ingest-salesforce/backfill/listing.ts';
import { memoryObjects } from '#test/kit/context.ts';

const idOf = (n: number): string => `003${n.toString(36).padStart(12, '0')}AAA`;

it('a listing knows what its pages listed, whatever their order, and nothing else', async () => {
  const objects = memoryObjects();
  for (const page of [2, 0, 1]) {
    const ids = new PageIds();
    for (let n = 0; n < 5_000; n += 1) ids.add(idOf(n * 3 + page));
    await objects.put(`x/${page}`, ids.bytes());
  }
  const listing = await loadListing(objects, 'x/');
  expect(listing.size).toBe(15_000);
  for (let n = 0; n < 15_000; n += 1) expect(listing.has(idOf(n))).toBe(true);
  for (let n = 15_000; n < 30_000; n += 1) expect(listing.has(idOf(n))).toBe(false);
  await dropListing(objects, 'x/');
  expect((await loadListing(objects, 'x/')).size).toBe(0);
});

it('ids that differ by one character, or by case, have different hashes', () => {
  const hashes = new Set<number>();
  let count = 0;
  for (let at = 3; at < 15; at += 1)
    for (const code of '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz') {
      const id = `003000000000000AAA`;
      hashes.add(idHash(id.slice(0, at) + code + id.slice(at + 1)));
      if (code !== '0') count += 1;
    }
  expect(hashes.size).toBe(count + 1);
  for (const hash of hashes) expect(Number.isSafeInteger(hash)).toBe(true);
});
