/**
 * What the resolver keeps of the world: of a record only what identifies it and where it leads, of an activity only who took
 * part and when. These values go into the index, into the log's segments, and come back from them at a restart.
 */
import type { RecordKey } from '#core/key.ts';
import type { Version } from '#core/version.ts';

/** `call`: what a source tells of a call in a row of its own. */
export type RecordKind = 'contact' | 'lead' | 'account' | 'user' | 'call';

/** Numbers, because they are stored: never give one another meaning. Below 32. */
export const LINK = {
  /** To the account of the same source and instance. */
  account: 1,
  /** To the record of the same kind that this one was merged into. */
  merged: 2,
  /** From a lead to the contact it became. */
  converted: 3,
  /** From an activity to whom the source says it concerns. */
  whoContact: 4,
  whoLead: 5,
  /** From a call to what the source tells of it elsewhere. */
  detail: 6,
  email: 7,
  /** A function's mailbox: evidence of the company, not of a person. */
  roleEmail: 8,
  /** A phone whose country neither the number nor its record says: to be read with the account's country. */
  rawPhone: 9,
  rawMobile: 10,
  /** A number together with its extension: `<E.164>;<extension>`. */
  extension: 11,
  /** As `extension` and `phone`, from a raw phone and the account's country: never stored, worked out again. */
  derivedExtension: 12,
  /** A number in E.164, with flags in the three lowest bits. */
  phone: 16,
  derivedPhone: 24,
} as const;

export const PHONE_FLAGS = { extension: 1, mobile: 2, inferred: 4 } as const;

export interface Link {
  readonly kind: number;
  /** An identifier, or the id of a record of the same source and instance. */
  readonly text: string;
}

/** One contact, lead, account or user, or what is told of one call. */
export interface RecordState {
  readonly source: string;
  readonly instance: string;
  readonly kind: RecordKind;
  readonly id: string;
  readonly version: Version;
  readonly deleted: boolean;
  /** Of an account: ISO 3166 alpha-2, or empty. */
  readonly country: string;
  /** Of a call: both ends are ours, says the source. */
  readonly internal: boolean;
  readonly links: readonly Link[];
}

/** One participant of one activity: what a row of matches is about. */
export interface ParticipantState {
  readonly activity: RecordKey;
  /** Which participant: `external` of a call, `who` of a task or event. */
  readonly role: string;
  readonly version: Version;
  readonly deleted: boolean;
  readonly occurredAtMicros: number | null;
  /** Why there is nothing to match by (`withheld`, `no_country`, …); empty if there is. */
  readonly absence: string;
  readonly links: readonly Link[];
}

/** What was last published of a participant. */
export interface Outcome {
  readonly activity: RecordKey;
  readonly role: string;
  readonly fingerprint: number;
  /** Of the owner who published it. */
  readonly epoch: number;
}

export function isPhone(kind: number): boolean {
  return kind >= LINK.phone;
}

export function isDerived(kind: number): boolean {
  return kind >= LINK.derivedPhone || kind === LINK.derivedExtension;
}

export function isRaw(kind: number): boolean {
  return kind === LINK.rawPhone || kind === LINK.rawMobile;
}

/** The kind of record a link leads to, or undefined if it leads to an identifier. */
export function targetKind(kind: number, holder: RecordKind | undefined): RecordKind | undefined {
  switch (kind) {
    case LINK.account:
      return 'account';
    case LINK.merged:
      return holder;
    case LINK.converted:
    case LINK.whoContact:
      return 'contact';
    case LINK.whoLead:
      return 'lead';
    case LINK.detail:
      return 'call';
    default:
      return undefined;
  }
}
