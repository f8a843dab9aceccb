import { describe, expect, it } from 'vitest';
import { publishedMemory, type Seen } from '#core/capture/published.ts';

const MINUTE = 60_000_000;
const ROW: Seen = { object: 'Contact', id: '003a', modifiedMicros: 1_000_000_000, deleted: false };

describe('a row that was published', () => {
  it('may not be skipped if it was read less than a minute after its own time', () => {
    const memory = publishedMemory(10);
    memory.remember(ROW, ROW.modifiedMicros + MINUTE - 1);
    expect(memory.maySkip(ROW)).toBe(false);
  });

  it('may be skipped if it was read a minute after its own time', () => {
    const memory = publishedMemory(10);
    memory.remember(ROW, ROW.modifiedMicros + MINUTE);
    expect(memory.maySkip(ROW)).toBe(true);
  });

  it('may not be skipped once it changed, was deleted, or was published from an earlier read again', () => {
    const memory = publishedMemory(10);
    memory.remember(ROW, ROW.modifiedMicros + MINUTE);
    expect(memory.maySkip({ ...ROW, modifiedMicros: ROW.modifiedMicros + 1 })).toBe(false);
    expect(memory.maySkip({ ...ROW, deleted: true })).toBe(false);
    expect(memory.maySkip({ ...ROW, object: 'Lead' })).toBe(false);
    memory.remember(ROW, ROW.modifiedMicros);
    expect(memory.maySkip(ROW)).toBe(false);
  });

  it('may not be skipped when its content goes back to what it was, with the same time of its own', () => {
    const memory = publishedMemory(10);
    const later = (minutes: number): number => ROW.modifiedMicros + minutes * MINUTE;
    const labelled = { ...ROW, fingerprint: 'labelled' };
    const plain = { ...ROW, fingerprint: 'plain' };
    memory.remember(labelled, later(5));
    expect(memory.maySkip(labelled)).toBe(false);
    memory.remember(labelled, later(6));
    expect(memory.maySkip(labelled)).toBe(true);
    memory.remember(plain, later(7));
    expect([memory.maySkip(labelled), memory.maySkip(plain)]).toEqual([false, false]);
  });

  it('is forgotten, the longest ago first, when there are too many', () => {
    const memory = publishedMemory(2);
    const rows = ['003a', '003b', '003c'].map((id) => ({ ...ROW, id }));
    for (const row of rows) memory.remember(row, ROW.modifiedMicros + MINUTE);
    expect(rows.map((row) => memory.maySkip(row))).toEqual([false, true, true]);
  });
});
