/**
 * Salesforce record ids: three characters of object, two of pod, one reserved, nine of a number in base 62, and three that
 * make the id safe where case is lost (one bit per capital letter). Ids sort as their numbers do.
 */
export const PREFIXES = {
  Account: '001',
  Contact: '003',
  Lead: '00Q',
  Opportunity: '006',
  User: '005',
  Task: '00T',
  Event: '00U',
} as const;

export type ObjectName = keyof typeof PREFIXES;
export const OBJECT_NAMES = Object.keys(PREFIXES) as readonly ObjectName[];

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const CHECKSUM = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const POD = 'Dn0';
/** Every three digits of the number with the bits of their capitals, made once: ids are made by the million. */
const THREES: { readonly text: string; readonly bits: number }[] = [];
const THREE = 62 ** 3;

function threes(): typeof THREES {
  for (let n = THREES.length; n < THREE; n++) {
    const text = DIGITS.charAt(Math.floor(n / 3844)) + DIGITS.charAt(Math.floor(n / 62) % 62) + DIGITS.charAt(n % 62);
    THREES.push({ text, bits: capitals(text) });
  }
  return THREES;
}

function capitals(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) if (text[i]! >= 'A' && text[i]! <= 'Z') bits |= 1 << i;
  return bits;
}

export function recordId(object: ObjectName, index: number): string {
  return idWithPrefix(PREFIXES[object], index + 1);
}

export function idWithPrefix(prefix: string, n: number): string {
  const parts = threes();
  const low = parts[n % THREE]!;
  const middle = parts[Math.floor(n / THREE) % THREE]!;
  const first = prefix + POD.slice(0, 2);
  const second = `${POD.slice(2)}000${middle.text.charAt(0)}`;
  const third = middle.text.slice(1) + low.text;
  return (
    first +
    second +
    third +
    CHECKSUM[capitals(first)]! +
    CHECKSUM[capitals(second)]! +
    CHECKSUM[((middle.bits >> 1) | (low.bits << 2)) & 31]!
  );
}

/** The object and index an id of 15 or 18 characters names; undefined when it cannot be one of ours. */
export function parseId(id: string): { readonly object: ObjectName; readonly index: number } | undefined {
  const object = OBJECT_NAMES.find((name) => id.startsWith(PREFIXES[name]));
  if (object === undefined || (id.length !== 15 && id.length !== 18) || id.slice(3, 9) !== `${POD}000`)
    return undefined;
  let n = 0;
  for (const digit of id.slice(9, 15)) {
    const value = DIGITS.indexOf(digit);
    if (value < 0) return undefined;
    n = n * 62 + value;
  }
  if (n === 0) return undefined;
  const full = recordId(object, n - 1);
  return full.startsWith(id) ? { object, index: n - 1 } : undefined;
}

export function isObjectName(name: string): name is ObjectName {
  return Object.hasOwn(PREFIXES, name);
}

export function objectOfPrefix(prefix: string): ObjectName | undefined {
  return OBJECT_NAMES.find((name) => PREFIXES[name] === prefix);
}
