/** Names one record of one source: the same mail in two mailboxes is two records. External ids are strings, always. */
export interface RecordKey {
  readonly source: string;
  /** The org, portal, company or mailbox. */
  readonly instance: string;
  /** The source's own name of the kind of record (`Contact`, `call`). */
  readonly object: string;
  readonly id: string;
}

/** One text per key, injective: `/` and `%` inside a part are escaped. */
export function keyText(key: RecordKey): string {
  return `${part(key.source)}/${part(key.instance)}/${part(key.object)}/${part(key.id)}`;
}

function part(text: string): string {
  return /[/%]/.test(text) ? text.replaceAll('%', '%25').replaceAll('/', '%2F') : text;
}
