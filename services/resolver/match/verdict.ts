/**
 * What one identifier says, by who holds it. The rules and how sure they are:
 *
 *     EMAIL_E1_UNIQ  exact address, one person                          0.99
 *     PHONE_P1_UNIQ  exact number, a mobile or with its extension       0.97
 *     PHONE_P2_UNIQ  exact number, one person                           0.93
 *     PHONE_P3_UNIQ  the same, its country inferred                     0.85
 *     EMAIL_ROLE, EMAIL_SHARED, PHONE_SHARED, PHONE_ACCOUNT             0.95, the account alone
 */
import type { Alternative, Evidence, Person, Ref } from './evidence.ts';

interface Said {
  readonly rule: string | null;
  readonly probability: number | null;
  /** Everybody it could be, sorted by key. */
  readonly alternatives: readonly Alternative[];
}

export type Verdict =
  | (Said & { readonly kind: 'none' | 'ambiguous' })
  | (Said & { readonly kind: 'matched'; readonly person: Person })
  | (Said & { readonly kind: 'account-only'; readonly account: Ref })
  | (Said & { readonly kind: 'internal'; readonly user: Ref });

export function verdictOf(evidence: Evidence): Verdict {
  const { by, persons, accounts, users } = evidence;
  const name = by === 'email' ? 'EMAIL' : 'PHONE';
  const alternatives = alternativesOf(evidence);
  const [user] = users;
  if (user !== undefined) {
    // An address is one person's, so an employee who is also a contact is ours; a number may be anybody's.
    const isOurs = by === 'email' || persons.length + accounts.length === 0;
    if (isOurs) return { kind: 'internal', user, rule: `${name}_USER`, probability: 0.99, alternatives };
    return { kind: 'ambiguous', rule: `${name}_AMBIGUOUS`, probability: null, alternatives };
  }
  if (persons.length + accounts.length === 0) return { kind: 'none', rule: null, probability: null, alternatives };
  const person = onlyPerson(evidence);
  if (person !== undefined) return { kind: 'matched', person, ...sureness(evidence, person), alternatives };
  const account = onlyAccount(evidence);
  if (account !== undefined)
    return { kind: 'account-only', account, rule: accountRule(evidence), probability: 0.95, alternatives };
  return { kind: 'ambiguous', rule: `${name}_AMBIGUOUS`, probability: null, alternatives };
}

/** An extension singles a person out; without one, the number must be nobody else's, nor the company's. */
function onlyPerson({ persons, accounts, isGeneric, hasExtension }: Evidence): Person | undefined {
  if (isGeneric) return undefined;
  const exact = persons.filter(({ isExact }) => isExact);
  if (exact.length !== 1) return undefined;
  return hasExtension || (persons.length === 1 && accounts.length === 0) ? exact[0] : undefined;
}

function onlyAccount({ persons, accounts }: Evidence): Ref | undefined {
  const [first = null] = [...accounts, ...persons.map(({ account }) => account)];
  if (first === null) return undefined;
  const isSame = (account: Ref | null): boolean => account?.key === first.key;
  return accounts.every(isSame) && persons.every(({ account }) => isSame(account)) ? first : undefined;
}

function sureness({ by, hasExtension }: Evidence, person: Person): { rule: string; probability: number } {
  if (by === 'email') return { rule: 'EMAIL_E1_UNIQ', probability: 0.99 };
  if (person.isInferred) return { rule: 'PHONE_P3_UNIQ', probability: 0.85 };
  if (hasExtension || person.isMobile) return { rule: 'PHONE_P1_UNIQ', probability: 0.97 };
  return { rule: 'PHONE_P2_UNIQ', probability: 0.93 };
}

function accountRule({ by, isGeneric, persons }: Evidence): string {
  if (by === 'email') return isGeneric ? 'EMAIL_ROLE' : 'EMAIL_SHARED';
  return persons.length === 0 ? 'PHONE_ACCOUNT' : 'PHONE_SHARED';
}

function alternativesOf({ by, persons, accounts, users, hasExtension, isGeneric }: Evidence): Alternative[] {
  const shared = persons.length > 1 || accounts.length > 0;
  const why = (person: Person): string => {
    if (!person.isExact) return hasExtension ? 'another extension or none' : 'has an extension of this number';
    if (isGeneric) return by === 'email' ? "a function's mailbox" : 'toll-free number';
    if (by === 'email') return shared ? 'shares the address' : 'holds the address';
    return shared ? 'shares the number' : 'holds the number';
  };
  const all: Alternative[] = [
    ...persons.map((person): Alternative => ({
      kind: person.kind,
      ref: person,
      account: person.account,
      why: why(person),
    })),
    ...accounts.map((ref): Alternative => ({ kind: 'account', ref, account: null, why: "the company's own number" })),
    ...users.map((ref): Alternative => ({ kind: 'user', ref, account: null, why: 'one of our users' })),
  ];
  return all.sort((a, b) => (a.ref.key < b.ref.key ? -1 : 1));
}
