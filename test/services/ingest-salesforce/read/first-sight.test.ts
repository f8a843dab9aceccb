import { describe, expect, it } from 'vitest';
import { firstSights } from '#services/ingest-salesforce/read/first-sight.ts';

describe('the lag from commit to row', () => {
  it('is counted by the read that first showed the change, not by the settled one that found the same', () => {
    const sights = firstSights();
    expect([sights.of('Contact/1', 100, '{"a":1}', false), sights.of('Contact/1', 100, '{"a":1}', true)]).toEqual([
      100,
      null,
    ]);
  });

  it('is counted by the settled read as well where the prompt one came too early to see the change', () => {
    const sights = firstSights();
    expect([sights.of('Contact/1', 100, '{"a":0}', false), sights.of('Contact/1', 100, '{"a":1}', true)]).toEqual([
      100, 100,
    ]);
  });

  it('is counted for each change of a record, and for other records apart', () => {
    const sights = firstSights();
    expect([
      sights.of('Contact/1', 100, 'x', false),
      sights.of('Contact/1', 200, 'y', false),
      sights.of('Contact/2', 100, 'x', false),
    ]).toEqual([100, 200, 100]);
  });

  it('forgets a change after its last read', () => {
    const sights = firstSights();
    sights.of('Contact/1', 100, 'x', true);
    expect(sights.of('Contact/1', 100, 'x', false)).toBe(100);
  });
});
