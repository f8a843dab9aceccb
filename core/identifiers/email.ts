/**
 * E-mail addresses as people and systems write them, to one canonical form (`address`) and to the mailbox it is delivered to
 * (`deliveryKey`). What is not one address stays as it was, marked invalid with the reason. Every step is linear in the text.
 */
import { deliveryKeyOf, technicalKindOf, withoutTag, type Technical } from './email-delivery.ts';
import { FREE_MAIL_DOMAINS, ROLE_LOCAL_PARTS } from './email-lists.ts';

export type InvalidEmailReason = 'too_long' | 'no_at_sign' | 'several_addresses' | 'bad_local_part' | 'bad_domain';

export interface EmailAddress {
  readonly raw: string;
  readonly valid: boolean;
  /** Without display name, in lower case, NFC, the domain in its ASCII form. Equal for equal addresses. */
  readonly address: string | null;
  /** Equal for addresses of one mailbox where the provider is known to ignore tags or dots; null for technical addresses. */
  readonly deliveryKey: string | null;
  readonly domain: string | null;
  /** A function's mailbox (`info@`), not a person's. */
  readonly role: boolean;
  /** The domain says nothing about a company. */
  readonly freeMail: boolean;
  readonly technical: Technical | null;
  readonly reason: 'address' | InvalidEmailReason;
}

/** RFC 5321 allows 254 for the address; the rest is for a display name. */
const LONGEST_TEXT = 1_000;
const LONGEST_ADDRESS = 254;
const LONGEST_LOCAL_BYTES = 64;

/** Null for an absent or blank field. */
export function parseEmail(raw: string | null): EmailAddress | null {
  if (raw === null) return null;
  if (raw.length > LONGEST_TEXT) return raw.trim() === '' ? null : invalid(raw, 'too_long');
  const text = bareAddress(raw);
  if (text === '') return raw.trim() === '' ? null : invalid(raw, 'no_at_sign');
  const at = text.lastIndexOf('@');
  if (at === -1) return invalid(raw, 'no_at_sign');
  if (text.indexOf('@') !== at) return invalid(raw, 'several_addresses');
  const local = canonicalLocal(text.slice(0, at));
  if (local === null) return invalid(raw, 'bad_local_part');
  const domain = canonicalDomain(text.slice(at + 1));
  if (domain === null) return invalid(raw, 'bad_domain');
  if (local.length + 1 + domain.length > LONGEST_ADDRESS) return invalid(raw, 'too_long');
  return described(raw, local, domain);
}

function described(raw: string, local: string, domain: string): EmailAddress {
  const technical = technicalKindOf(local);
  return {
    raw,
    valid: true,
    address: `${local}@${domain}`,
    deliveryKey: technical === null ? deliveryKeyOf(local, domain) : null,
    domain,
    role: ROLE_LOCAL_PARTS.has(withoutTag(local)),
    freeMail: FREE_MAIL_DOMAINS.has(domain),
    technical,
    reason: 'address',
  };
}

/** `Ada <mailto:a@b.example?subject=x>` is `a@b.example`. */
function bareAddress(raw: string): string {
  let text = raw.trim();
  if (text.endsWith('>')) text = text.slice(text.lastIndexOf('<') + 1, -1).trim();
  if (/^mailto:/i.test(text)) {
    const query = text.indexOf('?');
    text = text.slice('mailto:'.length, query === -1 ? undefined : query).trim();
  }
  const quote = text.charAt(0);
  if (text.length > 2 && (quote === '"' || quote === "'") && text.endsWith(quote)) text = text.slice(1, -1).trim();
  return text;
}

/** RFC 5322 dot-atom with the letters of RFC 6531. Quoted local parts are not accepted: in a CRM they are typing errors. */
function canonicalLocal(text: string): string | null {
  if (/^[a-z0-9][a-z0-9._+-]*$/.test(text)) return isDotAtom(text) && text.length <= LONGEST_LOCAL_BYTES ? text : null;
  const local = text.normalize('NFC').toLowerCase().normalize('NFC');
  if (!/^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~.-]+$/u.test(local) || !isDotAtom(local)) return null;
  return Buffer.byteLength(local) <= LONGEST_LOCAL_BYTES ? local : null;
}

function isDotAtom(local: string): boolean {
  return !local.startsWith('.') && !local.endsWith('.') && !local.includes('..');
}

function canonicalDomain(text: string): string | null {
  let domain = text.endsWith('.') ? text.slice(0, -1) : text;
  domain = domain.toLowerCase();
  if (!/^[a-z0-9.-]+$/.test(domain) || domain.includes('xn--')) {
    const ascii = asciiDomain(domain);
    if (ascii === null) return null;
    domain = ascii;
  }
  return isHostName(domain) ? domain : null;
}

/** The URL parser knows IDNA; it would also read ports, paths and credentials, so only letters, digits and dots get there. */
function asciiDomain(domain: string): string | null {
  if (!/^[\p{L}\p{N}\p{M}.。．｡-]+$/u.test(domain)) return null;
  const url = `http://${domain}/`;
  return URL.canParse(url) ? new URL(url).hostname : null;
}

/** At least two labels, the last with a letter: an IP address is nobody's mail domain. */
function isHostName(domain: string): boolean {
  if (domain.length > 253) return false;
  const labels = domain.split('.');
  const last = labels[labels.length - 1] ?? '';
  return labels.length >= 2 && last.length >= 2 && /[a-z]/.test(last) && labels.every(isLabel);
}

function isLabel(label: string): boolean {
  return label.length <= 63 && /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(label);
}

function invalid(raw: string, reason: InvalidEmailReason): EmailAddress {
  return {
    raw,
    valid: false,
    address: null,
    deliveryKey: null,
    domain: null,
    role: false,
    freeMail: false,
    technical: null,
    reason,
  };
}
