/** Entries of the log as bytes: one byte for what it is, then Avro. The schemas travel with each segment, so old ones stay readable. */
import { typeFor } from '#core/codec.ts';
import type { Outcome, ParticipantState, RecordState } from '../state.ts';

export type Entry =
  | { readonly kind: 'record'; readonly state: RecordState }
  | { readonly kind: 'participant'; readonly state: ParticipantState }
  | { readonly kind: 'outcome'; readonly state: Outcome };

export type EntryKind = Entry['kind'];

const KINDS: readonly EntryKind[] = ['record', 'participant', 'outcome'];

const VERSION = {
  type: 'record',
  name: 'Version',
  fields: ['epoch', 'sourceSequence', 'issuedMicros', 'generation'].map((name) => ({ name, type: 'long' })),
};
const ACTIVITY = {
  type: 'record',
  name: 'Activity',
  fields: ['source', 'instance', 'object', 'id'].map((name) => ({ name, type: 'string' })),
};
const LINKS = {
  type: 'array',
  items: {
    type: 'record',
    name: 'Link',
    fields: [
      { name: 'kind', type: 'int' },
      { name: 'text', type: 'string' },
    ],
  },
};

const SCHEMAS: Readonly<Record<EntryKind, unknown>> = {
  record: {
    type: 'record',
    name: 'Record',
    fields: [
      { name: 'source', type: 'string' },
      { name: 'instance', type: 'string' },
      { name: 'kind', type: 'string' },
      { name: 'id', type: 'string' },
      { name: 'version', type: VERSION },
      { name: 'deleted', type: 'boolean' },
      { name: 'country', type: 'string' },
      { name: 'internal', type: 'boolean' },
      { name: 'links', type: LINKS },
    ],
  },
  participant: {
    type: 'record',
    name: 'Participant',
    fields: [
      { name: 'activity', type: ACTIVITY },
      { name: 'role', type: 'string' },
      { name: 'version', type: VERSION },
      { name: 'deleted', type: 'boolean' },
      { name: 'occurredAtMicros', type: ['null', 'long'] },
      { name: 'absence', type: 'string' },
      { name: 'links', type: LINKS },
    ],
  },
  outcome: {
    type: 'record',
    name: 'Outcome',
    fields: [
      { name: 'activity', type: ACTIVITY },
      { name: 'role', type: 'string' },
      { name: 'fingerprint', type: 'long' },
      { name: 'epoch', type: 'long' },
    ],
  },
};

type Type = ReturnType<typeof typeFor>;

/** Built on first use. */
export class EntryCodec {
  readonly #types = KINDS.map((kind) => typeFor(SCHEMAS[kind]));

  get schemas(): Readonly<Record<string, unknown>> {
    return SCHEMAS;
  }

  /** Writes the entry at `offset`; answers where it ends, negative if it does not fit. */
  write(entry: Entry, into: Buffer, offset: number): number {
    if (offset >= into.length) return -1;
    const tag = KINDS.indexOf(entry.kind);
    into[offset] = tag;
    return (this.#types[tag] as Type).encode(entry.state, into, offset + 1);
  }

  /** Reads entries that were written with `schemas`, one after the other. Throws if the bytes are not entries. */
  *read(bytes: Buffer, start: number, schemas: Readonly<Record<string, unknown>>): Generator<Entry> {
    const readers = KINDS.map((kind, tag) => this.#reader(kind, tag, schemas[kind]));
    for (let offset = start; offset < bytes.length;) {
      const tag = bytes[offset] as number;
      const kind = KINDS[tag];
      if (kind === undefined) throw new RangeError(`No entry has the tag ${tag}.`);
      const decoded = (this.#types[tag] as Type).decode(bytes, offset + 1, readers[tag]) as Decoded;
      if (decoded.offset < 0) throw new RangeError('The last entry is cut off.');
      offset = decoded.offset;
      yield { kind, state: decoded.value } as Entry;
    }
  }

  #reader(kind: EntryKind, tag: number, written: unknown): ReturnType<Type['createResolver']> | undefined {
    if (written === undefined || JSON.stringify(written) === JSON.stringify(SCHEMAS[kind])) return undefined;
    return (this.#types[tag] as Type).createResolver(typeFor(written));
  }
}

interface Decoded {
  readonly value: unknown;
  readonly offset: number;
}
