/**
 * Which ids a backfill listed, in 8 bytes each: 53 bits of a hash, one object a page, durable before the page counts as
 * finished. Two different ids share a hash once in 10^16 pairs; then a deletion is found by the next backfill instead.
 */
import type { ObjectsPort } from '#core/ports/objects.ts';

export function idHash(id: string): number {
  let high = 0x9e3779b9;
  let low = 0x85ebca6b;
  for (let at = 0; at < 15; at += 1) {
    const code = id.charCodeAt(at);
    high = Math.imul(high ^ code, 0x01000193);
    low = Math.imul(low ^ code, 0x5bd1e995);
    low ^= low >>> 13;
  }
  high ^= high >>> 15;
  low = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d);
  return (high >>> 0) * 0x200000 + ((low >>> 0) & 0x1fffff);
}

export class PageIds {
  #hashes = new Float64Array(1_024);
  #count = 0;

  add(id: string): void {
    if (this.#count === this.#hashes.length) {
      const larger = new Float64Array(this.#count * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#count] = idHash(id);
    this.#count += 1;
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#hashes.buffer, 0, this.#count * Float64Array.BYTES_PER_ELEMENT);
  }
}

export interface IdListing {
  readonly size: number;
  has(id: string): boolean;
}

/** Reads all pages' ids stored under a prefix. */
export async function loadListing(objects: ObjectsPort, prefix: string): Promise<IdListing> {
  const pages: Float64Array[] = [];
  for await (const name of objects.list(prefix)) {
    const bytes = await objects.get(name);
    if (bytes !== undefined) pages.push(new Float64Array(bytes.slice().buffer));
  }
  const all = new Float64Array(pages.reduce((sum, page) => sum + page.length, 0));
  let at = 0;
  for (const page of pages) {
    all.set(page, at);
    at += page.length;
  }
  all.sort();
  return { size: all.length, has: (id) => contains(all, idHash(id)) };
}

export async function dropListing(objects: ObjectsPort, prefix: string): Promise<void> {
  const names: string[] = [];
  for await (const name of objects.list(prefix)) names.push(name);
  for (const name of names) await objects.delete(name);
}

function contains(sorted: Float64Array, value: number): boolean {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return sorted[low] === value;
}
