/** Who holds an identifier, and who a participant could be: the words `match.ts` and `verdict.ts` decide in. */

export type PersonKind = 'contact' | 'lead';

/** A record by a key that is unique over all sources and by which candidates are sorted. */
export interface Ref {
  readonly key: string;
  readonly source: string;
  readonly id: string;
}

export interface Person extends Ref {
  readonly kind: PersonKind;
  readonly account: Ref | null;
  /** The identifier fits whole: with the same extension, or with none on either side. */
  readonly isExact: boolean;
  readonly isMobile: boolean;
  /** The country of the phone was inferred. */
  readonly isInferred: boolean;
}

/** Everybody who holds one identifier of the participant, each list sorted by key. */
export interface Evidence {
  readonly by: 'email' | 'phone';
  /** A role address or a toll-free number: never evidence of a person. */
  readonly isGeneric: boolean;
  /** The participant's number has an extension. */
  readonly hasExtension: boolean;
  readonly persons: readonly Person[];
  readonly accounts: readonly Ref[];
  readonly users: readonly Ref[];
}

export interface Alternative {
  readonly kind: PersonKind | 'account' | 'user';
  readonly ref: Ref;
  readonly account: Ref | null;
  readonly why: string;
}
