/**
 * Contacts, leads, accounts and users, each a number: what identifies them, where they lead, and the version of what we
 * know. A record that others mention has a number before it comes itself.
 */
import type { RecordKind, RecordState } from '../state.ts';
import { LINK } from '../state.ts';
import { bytes, shorts } from './column.ts';
import { Keys } from './keys.ts';
import { Links } from './links.ts';
import { Versions } from './versions.ts';

export interface RecordRef {
  readonly source: string;
  readonly instance: string;
  readonly kind: RecordKind;
  readonly id: string;
}

/** Longer chains of merges are taken for circles. */
const LONGEST_CHAIN = 32;
const KINDS: readonly RecordKind[] = ['contact', 'lead', 'account', 'user', 'call'];
const DELETED = 1;
const INTERNAL = 2;
const KIND_SHIFT = 2;

export class Records {
  readonly links = new Links();
  readonly versions = new Versions();
  readonly #keys = new Keys<readonly [string, string, RecordKind]>();
  /** Bit 0: deleted; bit 1: internal; from bit 2: the kind. */
  readonly #flags = bytes();
  readonly #countries = shorts();

  get size(): number {
    return this.#keys.size;
  }

  get bytes(): number {
    return this.#keys.bytes + this.links.bytes + this.versions.bytes + this.#flags.bytes + this.#countries.bytes;
  }

  intern(source: string, instance: string, kind: RecordKind, id: string): number {
    const known = this.#keys.size;
    const record = this.#keys.intern([source, instance, kind], id);
    if (record === known) this.#flags.set(record, KINDS.indexOf(kind) << KIND_SHIFT);
    return record;
  }

  ref(record: number): RecordRef {
    const { space, id } = this.#keys.key(record);
    return { source: space[0], instance: space[1], kind: space[2], id };
  }

  kind(record: number): RecordKind {
    return KINDS[this.#flags.get(record) >>> KIND_SHIFT] as RecordKind;
  }

  isDeleted(record: number): boolean {
    return (this.#flags.get(record) & DELETED) !== 0;
  }

  /** Of a call: both ends are ours, says the source. */
  isInternal(record: number): boolean {
    return (this.#flags.get(record) & INTERNAL) !== 0;
  }

  /** Of an account: ISO 3166 alpha-2, or empty. */
  country(record: number): string {
    const packed = this.#countries.get(record);
    return packed === 0 ? '' : String.fromCharCode(packed >>> 8, packed & 255);
  }

  /** Keeps what is not links. */
  keep(record: number, { deleted, internal, country }: RecordState): void {
    const kind = this.#flags.get(record) & ~(DELETED | INTERNAL);
    this.#flags.set(record, kind | (deleted ? DELETED : 0) | (internal ? INTERNAL : 0));
    this.#countries.set(record, country.length === 2 ? (country.charCodeAt(0) << 8) | country.charCodeAt(1) : 0);
  }

  /** The record it was merged into or became, or -1. */
  redirect(record: number): number {
    const merged = this.links.first(record, LINK.merged);
    return merged === -1 ? this.links.first(record, LINK.converted) : merged;
  }

  /**
   * Who a record is today, merges and conversions followed; -1 if that one is deleted. One that never came itself is taken
   * at the source's word.
   */
  today(record: number): number {
    let at = record;
    for (let hops = 0; hops < LONGEST_CHAIN; hops += 1) {
      const next = this.redirect(at);
      if (next === -1) return this.isDeleted(at) ? -1 : at;
      at = next;
    }
    return -1;
  }

  /** The account of today of a person, or -1; `holder` is the record that led to the person, who may not have come yet. */
  accountOf(person: number, holder: number): number {
    const from = this.versions.has(person) ? person : holder;
    const account = this.links.first(from, LINK.account);
    return account === -1 ? -1 : this.today(account);
  }
}
