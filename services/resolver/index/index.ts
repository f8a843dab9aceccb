/**
 * The resolver's picture of the world, in memory: records and participants, found by what identifies them. Newer states
 * replace older ones, older and repeated ones are turned away; so what it ends as does not depend on the order of arrival.
 */
import type { PhoneParser } from '#core/identifiers/phone.ts';
import { isDerived, isRaw, LINK, PHONE_FLAGS } from '../state.ts';
import { targetKind, type Link, type ParticipantState, type RecordKind, type RecordState } from '../state.ts';
import { derivePhones } from './derive.ts';
import { Interner } from './interner.ts';
import { kindOf, leadsToRecord, pack, targetOf, type PackedLink } from './links.ts';
import { Participants } from './participants.ts';
import { Records } from './records.ts';
import type { Standing } from './versions.ts';

/** What a record's state touches. */
export interface Change {
  readonly standing: Standing;
  readonly record: number;
  /** Whether what concerns matching changed; of an older state, whether it might have been published by somebody. */
  readonly matters: boolean;
  /** Identifiers it holds or held. */
  readonly identifiers: readonly number[];
  /** Those who lead to the record are other people now: it came, was deleted, merged, moved to another account. */
  readonly reachesOthers: boolean;
  /** Records whose raw phones must be read again, because their account's country changed. */
  readonly toDerive: readonly number[];
}

export class WorldIndex {
  readonly identifiers = new Interner();
  readonly records = new Records();
  readonly participants = new Participants();
  readonly #phones: PhoneParser;

  constructor(phones: PhoneParser) {
    this.#phones = phones;
  }

  get bytes(): number {
    return this.identifiers.bytes + this.records.bytes + this.participants.bytes;
  }

  /** Takes a record's state. An older one changes nothing, yet the answer says what it named: see `impact.ts`. */
  putRecord(state: RecordState): Change {
    const { records } = this;
    const record = records.intern(state.source, state.instance, state.kind, state.id);
    const isFirst = !records.versions.has(record);
    const standing = records.versions.raise(record, state.version);
    if (standing === 'same') return unchanged(record, standing);
    const before = records.links.of(record);
    const own = state.links.map((link) => this.#pack(link, state, state.kind));
    const links = own.concat(this.#derived(own));
    if (standing === 'older') return this.#namedBy(state, record, before.concat(links));

    const flagsBefore = this.#flags(record);
    const countryBefore = state.kind === 'account' ? this.#countryOf(record) : '';
    records.keep(record, state);
    const linksChanged = records.links.set(record, links);
    const reachesOthers = isFirst || flagsBefore !== this.#flags(record) || (linksChanged && !samePath(before, links));
    const moved = state.kind === 'account' && countryBefore !== this.#countryOf(record);
    return {
      standing,
      record,
      matters: linksChanged || reachesOthers,
      identifiers: linksChanged || reachesOthers ? identifiersOf(before.concat(links)) : [],
      reachesOthers,
      toDerive: moved ? this.#withRawPhones(record) : [],
    };
  }

  putParticipant(state: ParticipantState): { readonly participant: number; readonly standing: Standing } {
    const { participants } = this;
    const participant = participants.intern(state.activity, state.role);
    const standing = participants.versions.raise(participant, state.version);
    if (standing === 'newer') {
      participants.keep(participant, state);
      participants.links.set(
        participant,
        state.links.map((link) => this.#pack(link, state.activity, undefined)),
      );
    }
    return { participant, standing };
  }

  /** Reads a record's raw phones again with its account's country of today. Answers the identifiers that this touches. */
  derive(record: number): readonly number[] {
    const before = this.records.links.of(record);
    const own = before.filter((link) => !isDerived(kindOf(link)));
    const links = own.concat(this.#derived(own));
    return this.records.links.set(record, links) ? identifiersOf(before.concat(links)) : [];
  }

  /** The state to write down, as it came; undefined of a record that was only mentioned. */
  recordState(record: number): RecordState | undefined {
    const version = this.records.versions.get(record);
    if (version === undefined) return undefined;
    const links = this.#unpack(this.records.links.of(record));
    const deleted = this.records.isDeleted(record);
    const internal = this.records.isInternal(record);
    return { ...this.records.ref(record), version, deleted, internal, country: this.records.country(record), links };
  }

  participantState(participant: number): ParticipantState | undefined {
    const { participants } = this;
    const version = participants.versions.get(participant);
    if (version === undefined) return undefined;
    return {
      ...participants.key(participant),
      version,
      deleted: participants.isDeleted(participant),
      occurredAtMicros: participants.occurredAtMicros(participant),
      absence: participants.absence(participant),
      links: this.#unpack(participants.links.of(participant)),
    };
  }

  /**
   * An older state, now overtaken, may have been published by the owner before us and never been written down: what it
   * named is decided again.
   */
  #namedBy(state: RecordState, record: number, links: readonly PackedLink[]): Change {
    const identifiers = new Set(identifiersOf(links));
    if (state.kind === 'account' && state.country !== this.records.country(record)) {
      for (const holder of this.#withRawPhones(record)) {
        const raw = this.records.links.of(holder);
        for (const link of this.#derivedIn(raw, state.country)) identifiers.add(targetOf(link));
      }
    }
    const named = { identifiers: [...identifiers], reachesOthers: true, toDerive: [] };
    return { standing: 'older', record, matters: true, ...named };
  }

  #pack(
    { kind, text }: Link,
    holder: { readonly source: string; readonly instance: string },
    of: RecordKind | undefined,
  ): PackedLink {
    const target = targetKind(kind, of);
    if (target === undefined) return pack(kind, this.identifiers.intern(text));
    return pack(kind, this.records.intern(holder.source, holder.instance, target, text));
  }

  #unpack(links: readonly PackedLink[]): Link[] {
    return links
      .filter((link) => !isDerived(kindOf(link)))
      .map((link) => ({
        kind: kindOf(link),
        text: leadsToRecord(link) ? this.records.ref(targetOf(link)).id : this.identifiers.text(targetOf(link)),
      }));
  }

  #derived(own: readonly PackedLink[]): PackedLink[] {
    if (!own.some((link) => isRaw(kindOf(link)))) return [];
    const account = own.find((link) => kindOf(link) === LINK.account);
    return this.#derivedIn(own, account === undefined ? '' : this.#countryOf(targetOf(account)));
  }

  #derivedIn(own: readonly PackedLink[], country: string): PackedLink[] {
    const raw = own
      .filter((link) => isRaw(kindOf(link)))
      .map((link) => ({
        text: this.identifiers.text(targetOf(link)),
        flags: kindOf(link) === LINK.rawMobile ? PHONE_FLAGS.mobile : 0,
      }));
    return derivePhones(this.#phones, raw, country).map(({ kind, text }) => pack(kind, this.identifiers.intern(text)));
  }

  #flags(record: number): number {
    return (this.records.isDeleted(record) ? 1 : 0) + (this.records.isInternal(record) ? 2 : 0);
  }

  #countryOf(account: number): string {
    const today = this.records.today(account);
    return today === -1 ? '' : this.records.country(today);
  }

  /** Those at the account, and at accounts that were merged into it, who have raw phones. */
  #withRawPhones(account: number): number[] {
    const holders: number[] = [];
    const seen = new Set([account]);
    for (const at of seen) {
      this.records.links.byRecord.each(at, (record) => {
        if (this.records.kind(record) === 'account') seen.add(record);
        else if (this.records.links.of(record).some((link) => isRaw(kindOf(link)))) holders.push(record);
      });
    }
    return holders;
  }
}

function unchanged(record: number, standing: Standing): Change {
  return { standing, record, matters: false, identifiers: [], reachesOthers: false, toDerive: [] };
}

function identifiersOf(links: readonly PackedLink[]): number[] {
  const identifiers: number[] = [];
  for (const link of links) {
    const target = targetOf(link);
    if (!leadsToRecord(link) && !isRaw(kindOf(link)) && !identifiers.includes(target)) identifiers.push(target);
  }
  return identifiers;
}

/** Whether they lead to the same records: identifiers alone concern nobody else. */
function samePath(before: readonly PackedLink[], after: readonly PackedLink[]): boolean {
  const a = before.filter(leadsToRecord);
  const b = after.filter(leadsToRecord);
  return a.length === b.length && a.every((link, at) => link === b[at]);
}
