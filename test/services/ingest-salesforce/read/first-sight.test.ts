import { describe, expect, it } from 'vitest';
import { firstSights } from '#services/ingest-salesforce/read/first-sight.ts';

describe('the lag from commit to row', () => {
  it('is counted by the read that first showed the change, not by the settled one that found the same', () => {
    const sights = firstSights();
    expect([sights.of('Contact/1', 100, '{"a":1}'), sights.of('Contact/1', 100, '{"a":1}')]).toEqual([100, null]);
  });

  it('is counted by the settled read as well where the prompt one came too early to see the change', () => {
    const sights = firstSights();
    expect([sights.of('Contact/1', 100, '{"a":0}'), sights.of('Contact/1', 100, '{"a":1}')]).toEqual([100, 100]);
  });

  it('is counted for each change of a record, and for other records apart', () => {
    const sights = firstSights();
    expect([
      sights.of('Contact/1', 100, 'x'),
      sights.of('Contact/1', 200, 'y'),
      sights.of('Contact/2', 100, 'x'),
    ]).toEqual([100, 200, 100]);
  });

  it('is counted once where a second change comes before the first has settled', () => {
    const sights = firstSights();
    const reads = [
      sights.of('Contact/1', 100, 'x'),
      sights.of('Contact/1', 200, 'y'),
      sights.of('Contact/1', 200, 'y'),
      sights.of('Contact/1', 200, 'y'),
    ];
    expect(reads).toEqual([100, 200, null, null]);
  });

  it('remembers a bounded number of records, the latest', () => {
    const sights = firstSights(2);
    for (const id of ['1', '2', '3']) sights.of(id, 100, 'x');
    expect([sights.of('3', 100, 'x'), sights.of('1', 100, 'x')]).toEqual([null, 100]);
  });
});
