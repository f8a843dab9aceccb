import { describe, expect, it } from 'vitest';
import { mergeHints, type Hint } from '#core/capture/hint.ts';

function hint(effect: Hint['effect'], changedAtMicros: number | null, changedFields: readonly string[] | null) {
  const facts = { kind: `${effect}@${changedAtMicros}`, changedFields, user: null, origin: null, transaction: null };
  return { hint: { object: 'Contact', id: '003a', effect, changedAtMicros, facts }, settledFromMicros: 1_000 };
}

describe('merged hints', () => {
  it('say deleted only if that is the last word, in whatever order they came', () => {
    const deleted = hint('delete', 20, null);
    const undeleted = hint('change', 30, null);
    expect(mergeHints([undeleted, deleted]).deletion).toBeNull();
    expect(mergeHints([deleted, hint('change', 10, null)]).deletion).toEqual({ atMicros: 20, provenFromMicros: 1_000 });
  });

  it('do not say when they were deleted if no hint does', () => {
    expect(mergeHints([hint('delete', null, null)]).deletion).toBeNull();
  });

  it('have the union of the changed fields, and the rest from the latest commit', () => {
    const { facts, changedAtMicros } = mergeHints([hint('change', 30, ['A', 'B']), hint('change', 20, ['B', 'C'])]);
    expect(facts.changedFields).toEqual(['A', 'B', 'C']);
    expect([facts.kind, changedAtMicros]).toEqual(['change@30', 30]);
  });

  it('do not know the changed fields if one of them does not', () => {
    expect(mergeHints([hint('change', 30, ['A']), hint('change', 20, null)]).facts.changedFields).toBeNull();
  });

  it('take the later in the list for the later commit where the times are equal or missing', () => {
    expect(mergeHints([hint('change', 30, []), hint('delete', 30, [])]).deletion?.atMicros).toBe(30);
    expect(mergeHints([hint('change', 30, []), hint('delete', null, [])]).changedAtMicros).toBe(30);
  });
});
