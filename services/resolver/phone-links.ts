/** Canonical phones to links, pure: each number once, with its extension, whether it is a mobile and whether its country was inferred. */
import type { PhoneNumber } from '#schemas/generated/types.ts';
import { rawPhoneText, withExtension } from './index/derive.ts';
import { LINK, PHONE_FLAGS, type Link } from './state.ts';

/** Longer texts are remarks, not numbers. */
const LONGEST_RAW = 64;
/** The number names no country and its record none that fits, so the account's may. */
const UNCERTAIN: ReadonlySet<string> = new Set(['default', 'no_country', 'no_such_number']);

/** `byAccount`: the holder has an account whose country may say how to read what is uncertain. */
export function phoneLinks(phones: readonly PhoneNumber[], byAccount: boolean): Link[] {
  const links: Link[] = [];
  for (const phone of phones) {
    if (phone.kind === 'fax') continue;
    const isMobile = phone.kind.includes('mobile');
    if (byAccount && UNCERTAIN.has(phone.reason) && phone.raw.length <= LONGEST_RAW) {
      const { raw, e164, extension } = phone;
      const text = rawPhoneText({ raw, guess: e164 ?? '', extension: extension ?? '' });
      add(links, { kind: isMobile ? LINK.rawMobile : LINK.rawPhone, text });
    } else if (phone.valid && phone.e164 !== null) {
      addNumber(links, phone, phone.e164, isMobile);
    }
  }
  return links;
}

function addNumber(links: Link[], phone: PhoneNumber, e164: string, isMobile: boolean): void {
  const extension = phone.extension ?? '';
  const flags =
    (extension === '' ? 0 : PHONE_FLAGS.extension) |
    (isMobile ? PHONE_FLAGS.mobile : 0) |
    (phone.reason === 'explicit' ? 0 : PHONE_FLAGS.inferred);
  add(links, { kind: LINK.phone + flags, text: e164 });
  if (extension !== '') add(links, { kind: LINK.extension, text: withExtension(e164, extension) });
}

function add(links: Link[], link: Link): void {
  if (!links.some(({ kind, text }) => kind === link.kind && text === link.text)) links.push(link);
}
