/** What a notification says (rule 1: it says *that* a record changed, never what the record is), and how several become one. */
import type { HintFacts } from '../envelope.ts';

export interface Hint {
  readonly object: string;
  readonly id: string;
  /** What became of the record, as far as it matters for versions: all that is neither deletion nor its undoing is a change. */
  readonly effect: 'change' | 'delete' | 'undelete';
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
  /** The commit of the latest undelete among the hints. */
  readonly undeletedAtMicros: number | null;
  /** The commit of the deletion, if that is the last word among the hints. */
  readonly deletedAtMicros: number | null;
}

/** Merges hints (at least one) of one record, in any order. At equal commit times the later in the list is the later commit. */
export function mergeHints(hints: readonly Hint[]): Cause {
  const latest = hints.reduce((a, b) => (commitOf(b) >= commitOf(a) ? b : a));
  let undeletedAtMicros: number | null = null;
  for (const hint of hints)
    if (hint.effect === 'undelete') undeletedAtMicros = laterOf(undeletedAtMicros, hint.changedAtMicros);
  return {
    facts: { ...latest.facts, changedFields: unionOfFields(hints) },
    changedAtMicros: latest.changedAtMicros,
    undeletedAtMicros,
    deletedAtMicros: latest.effect === 'delete' ? latest.changedAtMicros : null,
  };
}

function commitOf(hint: Hint): number {
  return hint.changedAtMicros ?? -1;
}

function laterOf(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

function unionOfFields(hints: readonly Hint[]): readonly string[] | null {
  const union = new Set<string>();
  for (const { facts } of hints) {
    if (facts.changedFields === null) return null;
    for (const field of facts.changedFields) union.add(field);
  }
  return [...union];
}
