/**
 * Lists of fields in a change event's header, as bitmaps: an element `0x…` for the top level, `N-0x…` for the record nested
 * in field N. The right-most bit is the first field of the schema. (Pub/Sub API guide, event deserialization.)
 */
export interface FieldPlace {
  readonly index: number;
  /** Within the record nested there; null for a field of the top level. */
  readonly nested: number | null;
}

export function bitmaps(places: readonly FieldPlace[]): string[] {
  const top = places.filter(({ nested }) => nested === null).map(({ index }) => index);
  const parents = [...new Set(places.filter(({ nested }) => nested !== null).map(({ index }) => index))].sort(
    (a, b) => a - b,
  );
  const inner = parents.map(
    (parent) => `${parent}-${hex(places.filter(({ index }) => index === parent).map(({ nested }) => nested ?? 0))}`,
  );
  return [...(top.length === 0 ? [] : [hex(top)]), ...inner];
}

/** Upper-case digits, as the server sends them. */
function hex(bits: readonly number[]): string {
  const value = bits.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n);
  const digits = value.toString(16).toUpperCase();
  return `0x${digits.length % 2 === 0 ? digits : `0${digits}`}`;
}
