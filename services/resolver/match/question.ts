/**
 * What the index knows of one participant, as the question `match.ts` decides. Who holds an identifier is worked out once
 * and kept until the index changes: a shared line with 10,000 calls is looked up once.
 */
import { kindOf, targetOf } from '../index/links.ts';
import type { WorldIndex } from '../index/index.ts';
import { isPhone, LINK, PHONE_FLAGS } from '../state.ts';
import type { Evidence, Person, Ref } from './evidence.ts';
import type { Question, Stated } from './match.ts';
import { isTollFree } from './toll-free.ts';

export class Questions {
  readonly #index: WorldIndex;
  readonly #known = new Map<string, Evidence>();

  constructor(index: WorldIndex) {
    this.#index = index;
  }

  /** Call whenever the index has changed. */
  forget(): void {
    if (this.#known.size > 0) this.#known.clear();
  }

  of(participant: number): Question {
    const { participants, records } = this.#index;
    const detail = participants.links.first(participant, LINK.detail);
    return {
      isDeleted: participants.isDeleted(participant),
      isInternal: detail !== -1 && records.isInternal(detail) && !records.isDeleted(detail),
      absence: participants.absence(participant),
      stated: this.#stated(participant),
      evidence: this.#evidence(participant),
    };
  }

  #stated(participant: number): Stated {
    const { links } = this.#index.participants;
    const contact = links.first(participant, LINK.whoContact);
    const who = contact === -1 ? links.first(participant, LINK.whoLead) : contact;
    const account = links.first(participant, LINK.account);
    return {
      person: who === -1 ? null : (this.#person(who) ?? 'gone'),
      account: account === -1 ? null : (this.#ref(this.#index.records.today(account)) ?? 'gone'),
    };
  }

  #evidence(participant: number): Evidence[] {
    const all: Evidence[] = [];
    const links = this.#index.participants.links.of(participant);
    const extension = links.find((link) => kindOf(link) === LINK.extension);
    for (const link of links) {
      const kind = kindOf(link);
      if (kind === LINK.email || kind === LINK.roleEmail) all.push(this.#email(targetOf(link), kind));
      else if (isPhone(kind)) all.push(this.#phone(targetOf(link), extension === undefined ? -1 : targetOf(extension)));
    }
    return all;
  }

  #email(address: number, kind: number): Evidence {
    const base = { by: 'email', isGeneric: kind === LINK.roleEmail, hasExtension: false } as const;
    return this.#once(`${address}`, () => this.#holders(base, address, () => WHOLE));
  }

  #phone(number: number, extension: number): Evidence {
    return this.#once(`${number};${extension}`, () => {
      const isGeneric = isTollFree(this.#index.identifiers.text(number));
      const base = { by: 'phone', isGeneric, hasExtension: extension !== -1 } as const;
      return this.#holders(base, number, (holder) => this.#fit(holder, number, extension));
    });
  }

  #once(key: string, find: () => Evidence): Evidence {
    let evidence = this.#known.get(key);
    if (evidence === undefined) this.#known.set(key, (evidence = find()));
    return evidence;
  }

  #holders(
    base: Pick<Evidence, 'by' | 'isGeneric' | 'hasExtension'>,
    identifier: number,
    fit: (holder: number) => Fit,
  ): Evidence {
    const { records } = this.#index;
    const persons = new Map<string, Person>();
    const accounts = new Map<string, Ref>();
    const users = new Map<string, Ref>();
    records.links.byIdentifier.each(identifier, (holder) => {
      const kind = records.kind(holder);
      if (kind === 'account' || kind === 'user') {
        const ref = this.#ref(records.today(holder));
        if (ref !== undefined) (kind === 'user' ? users : accounts).set(ref.key, ref);
        return;
      }
      const person = this.#person(holder, fit(holder));
      if (person !== undefined) persons.set(person.key, stronger(persons.get(person.key), person));
    });
    return { ...base, persons: sorted(persons), accounts: sorted(accounts), users: sorted(users) };
  }

  /** How a holder's number fits the participant's, extension and all. */
  #fit(holder: number, number: number, extension: number): Fit {
    let best: Fit | undefined;
    const links = this.#index.records.links.of(holder);
    const hasExtension = links.some(
      (link) =>
        (kindOf(link) === LINK.extension || kindOf(link) === LINK.derivedExtension) && targetOf(link) === extension,
    );
    for (const link of links) {
      const kind = kindOf(link);
      if (!isPhone(kind) || targetOf(link) !== number) continue;
      const isExtended = (kind & PHONE_FLAGS.extension) !== 0;
      const fit = {
        isExact: extension === -1 ? !isExtended : isExtended && hasExtension,
        isMobile: (kind & PHONE_FLAGS.mobile) !== 0,
        isInferred: (kind & PHONE_FLAGS.inferred) !== 0,
      };
      if (best === undefined || weight(fit) > weight(best)) best = fit;
    }
    return best ?? WHOLE;
  }

  #person(holder: number, fit: Fit = WHOLE): Person | undefined {
    const { records } = this.#index;
    const today = records.today(holder);
    const ref = this.#ref(today);
    if (ref === undefined) return undefined;
    const kind = records.kind(today) === 'lead' ? 'lead' : 'contact';
    return { ...ref, kind, account: this.#ref(records.accountOf(today, holder)) ?? null, ...fit };
  }

  #ref(record: number): Ref | undefined {
    if (record === -1) return undefined;
    const { source, instance, kind, id } = this.#index.records.ref(record);
    return { key: `${kind} ${source} ${instance} ${id}`, source, id };
  }
}

type Fit = Pick<Person, 'isExact' | 'isMobile' | 'isInferred'>;

const WHOLE: Fit = { isExact: true, isMobile: false, isInferred: false };

/** Of several ways to one person the strongest counts; equal ones are equal, so their order does not matter. */
function weight(fit: Fit): number {
  return (fit.isExact ? 4 : 0) + (fit.isInferred ? 0 : 2) + (fit.isMobile ? 1 : 0);
}

function stronger(held: Person | undefined, person: Person): Person {
  if (held === undefined) return person;
  const better = weight(person) > weight(held) ? person : held;
  // A person who never came itself has the account of whoever led to it: of several the first by key, for order's sake.
  const accounts = [held.account, person.account].filter((account) => account !== null);
  const account = accounts.sort((a, b) => (a.key < b.key ? -1 : 1))[0] ?? null;
  return { ...better, account };
}

function sorted<R extends Ref>(refs: ReadonlyMap<string, R>): R[] {
  return [...refs.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}
