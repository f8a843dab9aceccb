/**
 * Which addresses are delivered to the same mailbox, as the large providers document it. A company's own domain keeps its
 * tags and dots: nobody outside can know what they mean there.
 */
const GMAIL = new Set(['gmail.com', 'googlemail.com']);
const CUTS_TAG = new Set([
  'msn.com',
  'icloud.com',
  'me.com',
  'mac.com',
  'proton.me',
  'protonmail.com',
  'protonmail.ch',
  'pm.me',
]);
/** Microsoft's and Fastmail's, under many endings: `hotmail.co.uk`, `fastmail.fm`. */
const CUTS_TAG_FAMILY = /^(?:outlook|hotmail|live|fastmail)\.[a-z]{2,3}(?:\.[a-z]{2})?$/;

/** Addresses made by a mail system for one message: bounces (VERP), forwarding (SRS), return paths (BATV). No person's. */
export type Technical = 'verp' | 'srs' | 'batv';

/** Takes a canonical address in its two parts. Equal keys are one mailbox. */
export function deliveryKeyOf(local: string, domain: string): string {
  if (GMAIL.has(domain)) return `${withoutTag(local).replaceAll('.', '') || local}@gmail.com`;
  if (CUTS_TAG.has(domain) || CUTS_TAG_FAMILY.test(domain)) return `${withoutTag(local)}@${domain}`;
  return `${local}@${domain}`;
}

export function technicalKindOf(local: string): Technical | null {
  if (!/[=+]/.test(local)) return null;
  if (/^srs[01][=+-]/.test(local)) return 'srs';
  if (/^prvs=|^btv1==/.test(local)) return 'batv';
  if (/^(?:bounces?|return|owner|msprvs\d?)[+=]/.test(local) || /^(?:bounces?|return|owner)-.*=/.test(local))
    return 'verp';
  return null;
}

export function withoutTag(local: string): string {
  const plus = local.indexOf('+');
  return plus <= 0 ? local : local.slice(0, plus);
}
