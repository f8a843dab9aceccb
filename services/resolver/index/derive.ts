/**
 * Phones that neither the number nor the record gives a country: read with the country of the record's account, else as the
 * configured default had it. Pure. What is derived is never stored: it is worked out again when the account's country changes.
 */
import type { PhoneParser } from '#core/identifiers/phone.ts';
import { LINK, PHONE_FLAGS, type Link } from '../state.ts';

/** What a raw phone was before, should the account have no country: `guess` in E.164, or empty. */
export interface RawPhone {
  readonly raw: string;
  readonly guess: string;
  readonly extension: string;
}

/** The fields of a raw phone in one text; a tab cannot be in a phone. */
export function rawPhoneText({ raw, guess, extension }: RawPhone): string {
  return `raw\t${raw.replaceAll('\t', ' ')}\t${guess}\t${extension}`;
}

export function parseRawPhoneText(text: string): RawPhone {
  const [, raw = '', guess = '', extension = ''] = text.split('\t');
  return { raw, guess, extension };
}

/** A number with its extension, as one identifier. */
export function withExtension(e164: string, extension: string): string {
  return `${e164};${extension}`;
}

export function derivePhones(
  parser: PhoneParser,
  phones: readonly { readonly text: string; readonly flags: number }[],
  country: string,
): readonly Link[] {
  const links: Link[] = [];
  for (const { text, flags } of phones) {
    const { raw, guess, extension } = parseRawPhoneText(text);
    const read = country === '' ? null : parser.parse(raw, [{ country, reason: 'account' }]);
    const isRead = read !== null && read.e164 !== null;
    const e164 = isRead ? read.e164 : guess;
    if (e164 === null || e164 === '') continue;
    const ext = isRead ? (read.extension ?? '') : extension;
    const kind = LINK.derivedPhone + (flags | PHONE_FLAGS.inferred | (ext === '' ? 0 : PHONE_FLAGS.extension));
    links.push({ kind, text: e164 });
    if (ext !== '') links.push({ kind: LINK.derivedExtension, text: withExtension(e164, ext) });
  }
  return links;
}
