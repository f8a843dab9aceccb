/**
 * What people write into a phone field, made into text that a phone parser can judge: Unicode look-alikes, labels, `tel:`,
 * dialled prefixes, withheld callers. It takes away only what says nothing about the number; it never adds a country.
 */
const LONGEST = 100;

export type PhoneText =
  /** Begins with `+` and the calling code. */
  | { readonly kind: 'international'; readonly text: string }
  /** Says no country. */
  | { readonly kind: 'national'; readonly text: string }
  | { readonly kind: 'invalid'; readonly reason: 'too_long' | 'withheld' | 'not_a_number' | 'short_code' };

const WITHHELD = new Set(
  [
    'anonymous',
    'blocked',
    'private',
    'private number',
    'restricted',
    'unavailable',
    'unknown',
    'unknown number',
  ].concat([
    'withheld',
    'number withheld',
    'no caller id',
    'caller id blocked',
    'not available',
    'hidden',
    'hidden number',
  ]),
);
/** ANONYMOUS on a keypad, which some networks send as the number. */
const KEYPAD_ANONYMOUS = '266696687';
const LABEL = /^(?:tel(?:ephone)?|phone|mobile|mob|cell|fax|work|home|office|direct)\s*[:.]{1,2}\s*/i;
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;
const BRACED_PREFIX = /^\(\s*(\+|00)\s*(\d{1,3})\s*\)/;
/** A North American toll-free prefix, then letters: `1-800-FLOWERS`, `+1 (800) MY-APPLE`. */
const VANITY = /^(?:\+?1[\s.-]*)?\(?(?:800|833|844|855|866|877|888)\)?[\s.-]*[A-Z\d][A-Z\d\s.-]*$/i;
const KEYPAD = '22233344455566677778889999';

/** Linear in the text, and bounded: what is longer than a phone number can be is not looked at. */
export function tidyPhone(raw: string): PhoneText {
  if (raw.length > 4 * LONGEST) return { kind: 'invalid', reason: 'too_long' };
  let text = plain(raw);
  if (text.length > LONGEST) return { kind: 'invalid', reason: 'too_long' };
  if (WITHHELD.has(text.toLowerCase())) return { kind: 'invalid', reason: 'withheld' };
  text = text.replace(LABEL, '').replace(BRACED_PREFIX, '$1$2 ');
  if (VANITY.test(text)) text = dialled(text);
  const digits = countDigits(text);
  if (digits === 0) return { kind: 'invalid', reason: 'not_a_number' };
  if (digits === 9 && text.replace(/\D/g, '') === KEYPAD_ANONYMOUS) return { kind: 'invalid', reason: 'withheld' };
  if (digits <= 6 && /^[\d\s*#-]+$/.test(text)) return { kind: 'invalid', reason: 'short_code' };
  if (text.startsWith('+')) return { kind: 'international', text };
  return { kind: 'national', text };
}

function plain(raw: string): string {
  const text = /^[\x20-\x7e]*$/.test(raw) ? raw : raw.normalize('NFKC').replace(INVISIBLE, '');
  return text.trim();
}

/** Letters as the digits of a keypad, if they make a whole toll-free number: elsewhere letters are a remark, not a number. */
function dialled(text: string): string {
  if (!/[a-z]{3}/i.test(text) || /\bext\b/i.test(text)) return text;
  const digits = text.replace(/[a-z]/gi, (letter) => KEYPAD.charAt(letter.toLowerCase().charCodeAt(0) - 97));
  return digits.replace(/\D/g, '').replace(/^1/, '').length === 10 ? digits : text;
}

function countDigits(text: string): number {
  let digits = 0;
  for (const character of text) if (/\p{Nd}/u.test(character)) digits++;
  return digits;
}
