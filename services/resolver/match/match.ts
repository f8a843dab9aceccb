/**
 * Decides who one participant is. Pure: evidence in, decision out. It prefers to abstain: several possible persons are never
 * told apart by recency or rank, and what points to a company but not to one person names the company alone.
 */
import type { Alternative, Evidence, Person, Ref } from './evidence.ts';
import { verdictOf, type Verdict } from './verdict.ts';

/** What the source itself says. `gone`: it names a record that was deleted. */
export interface Stated {
  readonly person: Person | 'gone' | null;
  readonly account: Ref | 'gone' | null;
}

export interface Question {
  readonly isDeleted: boolean;
  readonly isInternal: boolean;
  /** Why there is nothing to match by; empty if there is. */
  readonly absence: string;
  readonly stated: Stated;
  readonly evidence: readonly Evidence[];
}

export type OutcomeName =
  'matched' | 'account-only' | 'ambiguous' | 'unmatched' | 'internal' | 'excluded' | 'withdrawn';

/** One line of why. */
export type Reason = Readonly<Record<string, string | number | boolean>>;

export interface Decision {
  readonly outcome: OutcomeName;
  readonly rule: string | null;
  readonly probability: number | null;
  readonly person: Person | null;
  readonly account: Ref | null;
  readonly user: Ref | null;
  readonly reasons: readonly Reason[];
  /** All of them, sorted; what is stored of them is bounded elsewhere. */
  readonly alternatives: readonly Alternative[];
}

/** Nobody can be asked who they are: not counted as unmatched. The rest (`no_country`, …) is a number nobody could read. */
const EXCLUDED: ReadonlySet<string> = new Set(['nobody_named', 'withheld', 'short_code', 'not_a_number']);

const NOBODY = { person: null, account: null, user: null, rule: null, probability: null, alternatives: [] } as const;

export function decide(question: Question): Decision {
  const { stated, absence } = question;
  if (question.isDeleted) return { ...NOBODY, outcome: 'withdrawn', reasons: [{ f: 'activity', is: 'deleted' }] };
  if (question.isInternal)
    return {
      ...NOBODY,
      outcome: 'internal',
      rule: 'SRC_INTERNAL',
      probability: 0.99,
      reasons: [{ f: 'source', says: 'internal' }],
    };
  if (stated.person !== null || stated.account !== null) return asStated(stated);
  if (absence !== '') {
    const isExcluded = EXCLUDED.has(absence);
    const rule = isExcluded ? 'NO_IDENTIFIER' : null;
    return {
      ...NOBODY,
      outcome: isExcluded ? 'excluded' : 'unmatched',
      rule,
      reasons: [{ f: 'identifier', is: absence }],
    };
  }
  return combined(question.evidence);
}

function asStated({ person, account }: Stated): Decision {
  const reasons: Reason[] = [];
  if (person === 'gone') reasons.push({ f: 'source.who', is: 'deleted' });
  if (person !== null && person !== 'gone') {
    const of = person.account ?? (account === 'gone' ? null : account);
    reasons.push({ f: 'source.who', kind: person.kind });
    return { ...NOBODY, outcome: 'matched', rule: 'SRC_ID', probability: 0.99, person, account: of, reasons };
  }
  if (account !== null && account !== 'gone') {
    reasons.push({ f: 'source.account' });
    return { ...NOBODY, outcome: 'account-only', rule: 'SRC_ACCOUNT', probability: 0.99, account, reasons };
  }
  if (account === 'gone') reasons.push({ f: 'source.account', is: 'deleted' });
  return { ...NOBODY, outcome: 'unmatched', reasons };
}

function combined(evidence: readonly Evidence[]): Decision {
  const verdicts = evidence.map(verdictOf).filter((verdict) => verdict.kind !== 'none');
  const reasons = evidence.map(reasonOf);
  const first = verdicts[0];
  if (first === undefined) return { ...NOBODY, outcome: 'unmatched', reasons };
  const best = verdicts.reduce((a, b) => (RANK[b.kind] > RANK[a.kind] ? b : a));
  const agree = verdicts.every((verdict) => verdict === best || supports(verdict, best));
  return agree ? decisionOf(best, reasons) : contradiction(verdicts, reasons);
}

/** A more certain verdict stands if the others at least allow it. */
const RANK = { none: 0, ambiguous: 1, 'account-only': 2, matched: 3, internal: 3 } as const;

function supports(other: Verdict, best: Verdict): boolean {
  switch (best.kind) {
    case 'internal':
      return other.alternatives.some(({ ref }) => ref.key === best.user.key);
    case 'matched':
      if (other.kind === 'account-only' && other.account.key === best.person.account?.key) return true;
      return other.alternatives.some(({ ref }) => ref.key === best.person.key);
    case 'account-only':
      return other.alternatives.some(({ ref, account }) => (account ?? ref).key === best.account.key);
    case 'ambiguous':
    case 'none':
      return true;
  }
}

function decisionOf(verdict: Verdict, reasons: readonly Reason[]): Decision {
  const { rule, probability } = verdict;
  switch (verdict.kind) {
    case 'none':
      return { ...NOBODY, outcome: 'unmatched', reasons };
    case 'internal':
      return { ...NOBODY, outcome: 'internal', rule, probability, user: verdict.user, reasons };
    case 'matched': {
      const { person } = verdict;
      const alternatives = verdict.alternatives.filter(({ ref }) => ref.key !== person.key);
      return {
        ...NOBODY,
        outcome: 'matched',
        rule,
        probability,
        person,
        account: person.account,
        reasons,
        alternatives,
      };
    }
    case 'account-only':
      return {
        ...NOBODY,
        outcome: 'account-only',
        rule,
        probability,
        account: verdict.account,
        reasons,
        alternatives: verdict.alternatives,
      };
    case 'ambiguous':
      return { ...NOBODY, outcome: 'ambiguous', rule, reasons, alternatives: verdict.alternatives };
  }
}

function contradiction(verdicts: readonly Verdict[], reasons: readonly Reason[]): Decision {
  const byKey = new Map(verdicts.flatMap(({ alternatives }) => alternatives).map((one) => [one.ref.key, one]));
  const alternatives = [...byKey.values()].sort((a, b) => (a.ref.key < b.ref.key ? -1 : 1));
  return { ...NOBODY, outcome: 'ambiguous', rule: 'CONTRADICTION', reasons, alternatives };
}

function reasonOf(evidence: Evidence): Reason {
  const { by, persons, accounts, users, isGeneric, hasExtension } = evidence;
  return {
    f: hasExtension ? `${by}+extension` : by,
    persons: persons.length,
    accounts: accounts.length,
    users: users.length,
    ...(isGeneric ? { generic: true } : {}),
  };
}
