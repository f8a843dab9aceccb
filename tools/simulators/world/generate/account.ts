/** Accounts: the companies that buy. */
import { recordId } from '../ids.ts';
import { numberOf, type Country, type PhoneNumber } from '../numbers.ts';
import * as pools from '../pools.ts';
import { countryOf, rankInCountry, type Generators, type Row, type Shape } from '../row.ts';
import { written } from '../written.ts';
import { addressOf, plain, sometimesAwkward, SYSTEM, userId } from './common.ts';

/** Four accounts in a row are in one country. */
export function accountCountry(account: number): Country {
  return countryOf(Math.floor(account / 4));
}

/** The number at the reception, which many of its people give as theirs. */
export function mainLine(account: number, shape: Shape): PhoneNumber {
  const rank = rankInCountry(Math.floor(account / 4)) * 4 + (account % 4);
  return numberOf(accountCountry(account), 'account', rank, shape.seed);
}

export function companyName(index: number, mix: number): string {
  const first = pools.COMPANY_FIRST[mix % pools.COMPANY_FIRST.length]!;
  const second = pools.COMPANY_SECOND[(mix >>> 8) % pools.COMPANY_SECOND.length]!;
  const forms = pools.COMPANY_FORMS[accountCountry(index)]!;
  return `${first} ${second} ${index} ${forms[(mix >>> 16) % forms.length]!}`;
}

/** One domain a company; invented, and under a name nobody can register. */
export function domainOf(index: number, mix: number): string {
  const first = plain(pools.COMPANY_FIRST[mix % pools.COMPANY_FIRST.length]!);
  const second = plain(pools.COMPANY_SECOND[(mix >>> 8) % pools.COMPANY_SECOND.length]!);
  return `${first}-${second}${index}.example`;
}

const country = (row: Row) => accountCountry(row.index);

export const ACCOUNT: Generators = {
  Id: (row) => recordId('Account', row.index),
  ...SYSTEM,
  Name: (row) => companyName(row.index, row.mix(1)),
  Type: (row) =>
    row.perMille(200, 2) ? null : row.pick(['Prospect', 'Customer - Direct', 'Customer - Channel', 'Partner'], 3),
  ParentId: (row) => (row.index > 10 && row.perMille(50, 4) ? recordId('Account', row.mix(5) % row.index) : null),
  ...addressOf('Billing', country),
  Phone: (row) => (row.perMille(60, 6) ? null : written(mainLine(row.index, row.shape), row.mix(7))),
  Website: (row) =>
    row.perMille(150, 8)
      ? null
      : `${row.pick(['https://www.', 'http://', 'www.', ''], 9)}${domainOf(row.index, row.mix(1))}`,
  Industry: (row) => (row.perMille(100, 10) ? null : row.pick(pools.INDUSTRIES, 11)),
  AnnualRevenue: (row) => (row.perMille(250, 12) ? null : (row.mix(13) % 90_000) * 10_000),
  NumberOfEmployees: (row) => (row.perMille(200, 14) ? null : row.mix(15) % 20_000),
  AccountNumber: (row) => (row.perMille(500, 16) ? null : String(row.mix(17) % 1_000_000).padStart(6, '0')),
  AccountSource: (row) => (row.perMille(400, 18) ? null : row.pick(pools.LEAD_SOURCES, 19)),
  Description: sometimesAwkward((row) => (row.perMille(700, 20) ? null : 'Met at the fair; wants a visit.'), 5),
  OwnerId: (row) => userId(row, 21),
  Region__c: (row) => (row.perMille(300, 22) ? null : row.pick(pools.REGIONS, 23)),
};
