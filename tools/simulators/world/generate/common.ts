/** Generators several objects share: the system block, postal addresses, people's names, e-mail addresses. */
import { recordId } from '../ids.ts';
import * as pools from '../pools.ts';
import { createdMs, modifiedMs, type Generate, type Generators, type Row } from '../row.ts';
import type { Country } from '../numbers.ts';

/** The domain of the company whose data this is. */
export const OWN_DOMAIN = 'brightwater.example';

export function userId(row: Row, purpose: number): string {
  return recordId('User', row.mix(purpose) % row.shape.users);
}

/** One in two hundred lies in the recycle bin from the start. */
export function isDeletedAtFirst(row: Row): boolean {
  return row.index >= 40 && row.mix(99) % 200 === 0;
}

export const AUDIT: Generators = {
  CreatedDate: createdMs,
  CreatedById: (row) => userId(row, 93),
  LastModifiedDate: modifiedMs,
  LastModifiedById: (row) => userId(row, 94),
  SystemModstamp: modifiedMs,
};
export const SYSTEM: Generators = { IsDeleted: isDeletedAtFirst, ...AUDIT };

/** An awkward text for the first records, one each, and for a few more; otherwise what `generate` says. */
export function sometimesAwkward(generate: Generate, offset: number): Generate {
  const count = pools.AWKWARD.length;
  return (row) => {
    if (row.index < count) return pools.AWKWARD[(row.index + offset) % count]!;
    return row.mix(80 + offset) % 128 === 0 ? row.pick(pools.AWKWARD, 81) : generate(row);
  };
}

const POSTCODES: Readonly<Record<Country, (row: Row) => string>> = {
  US: (row) => String(row.mix(73) % 100_000).padStart(5, '0'),
  GB: (row) => `SW${(row.mix(73) % 20) + 1} ${row.mix(74) % 10}AA`,
  DE: (row) => String(row.mix(73) % 100_000).padStart(5, '0'),
  FR: (row) => `75${String(row.mix(73) % 1_000).padStart(3, '0')}`,
};

/** The parts of a postal address; one in twelve records has none, one in fifteen no country. */
export function addressOf(prefix: string, country: (row: Row) => Country): Generators {
  const none = (row: Row): boolean => row.index >= 40 && row.mix(70) % 12 === 0;
  const street = sometimesAwkward((row) => streetOf(row, country(row)), 3);
  const place = (row: Row) => row.pick(pools.CITIES[country(row)]!, 72);
  return {
    [`${prefix}Street`]: (row) => (none(row) ? null : street(row)),
    [`${prefix}City`]: (row) => (none(row) ? null : place(row)[0]),
    [`${prefix}State`]: (row) => (none(row) ? null : place(row)[1]),
    [`${prefix}PostalCode`]: (row) => (none(row) ? null : POSTCODES[country(row)](row)),
    [`${prefix}Country`]: (row) =>
      none(row) || row.mix(75) % 15 === 0 ? null : row.pick(pools.COUNTRY_NAMES[country(row)]!, 76),
    [`${prefix}Latitude`]: (row) =>
      row.mix(77) % 20 === 0 && !none(row) ? ((row.mix(78) % 180_000_000) - 90_000_000) / 1e6 : null,
    [`${prefix}Longitude`]: (row) =>
      row.mix(77) % 20 === 0 && !none(row) ? ((row.mix(79) % 360_000_000) - 180_000_000) / 1e6 : null,
    [`${prefix}GeocodeAccuracy`]: (row) => (row.mix(77) % 20 === 0 && !none(row) ? 'Street' : null),
  };
}

function streetOf(row: Row, country: Country): string {
  const number = (row.mix(71) % 900) + 1;
  const street = row.pick(pools.STREETS[country]!, 71);
  return country === 'DE' ? `${street} ${number}` : `${number} ${street}`;
}

/** Letters an address can have: no accents, no spaces, lower case. */
const plainNames = new Map<string, string>();
export function plain(name: string): string {
  let text = plainNames.get(name);
  if (text === undefined) {
    text = name.replaceAll('ß', 'ss').replaceAll('ø', 'o').replaceAll('ł', 'l').normalize('NFD').replaceAll(/[^A-Za-z0-9-]/g, '').toLowerCase(); // prettier-ignore
    plainNames.set(name, text);
  }
  return text;
}
