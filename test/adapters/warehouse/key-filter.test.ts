import { describe, expect, it } from 'vitest';
import { KeyFilter } from '#adapters/warehouse/duckdb/key-filter.ts';

const key = (index: number): string => `salesforce/00D000000000001/Contact/0035e${String(index).padStart(13, '0')}`;

describe('the key filter', () => {
  it('never misses a key it was given, through all its growth', () => {
    const filter = new KeyFilter();
    for (let index = 0; index < 200_000; index++) filter.add(key(index));
    for (let index = 0; index < 200_000; index++) expect(filter.mayHold(key(index))).toBe(true);
  });

  it('seldom takes a new key for a held one, and keeps within its bytes a key', () => {
    const filter = new KeyFilter();
    for (let index = 0; index < 200_000; index++) filter.add(key(index));
    let wrong = 0;
    for (let index = 200_000; index < 400_000; index++) if (filter.mayHold(key(index))) wrong++;
    // 200,000 keys among 2^32 hashes: nine expected.
    expect(wrong).toBeLessThan(40);
    expect(filter.bytes / 200_000).toBeLessThanOrEqual(12);
  });

  it('holds nothing at first, and tells keys apart that share most of their text', () => {
    const filter = new KeyFilter();
    expect(filter.mayHold(key(1))).toBe(false);
    filter.add(key(1));
    for (const other of [key(2), `${key(1)} `, key(1).toLowerCase(), '']) expect(filter.mayHold(other)).toBe(false);
  });

  it('answers maybe to all beyond its limit, and gives its memory back', () => {
    const filter = new KeyFilter(1_000);
    for (let index = 0; index <= 1_000; index++) filter.add(key(index));
    expect(filter.mayHold('never added')).toBe(true);
    filter.add('more');
    expect(filter.bytes).toBe(0);
  });
});
