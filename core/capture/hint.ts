/** What a notification says (rule 1: it says *that* a record changed, never what the record is), and how several become one. */
import type { HintFacts } from '../envelope.ts';

export interface Hint {
  readonly object: string;
  readonly id: string;
  /** All that is no deletion is a change, an undelete too: the record itself says what it became. */
  readonly effect: 'change' | 'delete';
  /** The source's commit time, not floored; null if it gives none. */
  readonly changedAtMicros: number | null;
  readonly facts: HintFacts;
}

/** Why a record is read: the hints that wait for it, as one. */
export interface Cause {
  /** Changed fields are the union (null, "not told", absorbs all), the rest is the latest commit's. */
  readonly facts: HintFacts;
  /** Of the latest commit; null if no hint has one. */
  readonly changedAtMicros: number | null;
  /** The source's word that the record was deleted, if that is the last word among the hints. */
  readonly deletion: SourceSaysDeleted | null;
}

export interface SourceSaysDeleted {
  readonly atMicros: number;
  /** A read issued then or later (our clock) that does not find the record proves it gone; an earlier one may be too early to see it. */
  readonly provenFromMicros: number;
}

/** A hint, and from when on (our clock) every read shows what it speaks of. */
export interface SettlingHint {
  readonly hint: Hint;
  readonly settledFromMicros: number;
}

/** Merges hints (at least one) of one record, in any order. At equal commit times the later in the list is the later commit. */
export function mergeHints(hints: readonly SettlingHint[]): Cause {
  const latest = hints.reduce((a, b) => (commitOf(b.hint) >= commitOf(a.hint) ? b : a));
  const { effect, changedAtMicros, facts } = latest.hint;
  return {
    facts: { ...facts, changedFields: unionOfFields(hints) },
    changedAtMicros,
    deletion:
      effect === 'delete' && changedAtMicros !== null
        ? { atMicros: changedAtMicros, provenFromMicros: latest.settledFromMicros }
        : null,
  };
}

function commitOf(hint: Hint): number {
  return hint.changedAtMicros ?? -1;
}

function unionOfFields(hints: readonly SettlingHint[]): readonly string[] | null {
  const union = new Set<string>();
  for (const { hint } of hints) {
    const { facts } = hint;
    if (facts.changedFields === null) return null;
    for (const field of facts.changedFields) union.add(field);
  }
  return [...union];
}
