/** Leads: people not yet at an account, a few of them already converted. */
import { recordId } from '../ids.ts';
import { numberOf, type PhoneNumber } from '../numbers.ts';
import * as pools from '../pools.ts';
import { countryOf, date, modifiedMs, rankInCountry, type Generators, type Row, type Shape } from '../row.ts';
import { written } from '../written.ts';
import { companyName } from './account.ts';
import { addressOf, plain, sometimesAwkward, SYSTEM, userId } from './common.ts';

export function leadLine(lead: number, { seed }: Shape): PhoneNumber {
  return numberOf(countryOf(lead), 'lead', rankInCountry(lead), seed);
}

export function leadMobile(lead: number, { seed }: Shape): PhoneNumber {
  return numberOf(countryOf(lead), 'leadMobile', rankInCountry(lead), seed);
}

export function isConverted(row: Row): boolean {
  return row.perMille(50, 30);
}

/** Whether the Phone field holds the lead's own number. */
export function hasPhone(row: Row): boolean {
  return row.perMille(700, 6);
}

const country = (row: Row) => countryOf(row.index);

export const LEAD: Generators = {
  Id: (row) => recordId('Lead', row.index),
  ...SYSTEM,
  LastName: (row) => row.pick(pools.LAST_NAMES, 1),
  FirstName: (row) => (row.perMille(50, 2) ? null : row.pick(pools.FIRST_NAMES, 3)),
  Salutation: (row) => (row.perMille(200, 4) ? row.pick(['Mr.', 'Ms.'], 5) : null),
  Title: sometimesAwkward((row) => row.pick(pools.TITLES, 8), 1),
  Company: (row) => companyName(row.index, row.mix(9)),
  ...addressOf('', country),
  Phone: (row) => (hasPhone(row) ? written(leadLine(row.index, row.shape), row.mix(7)) : null),
  MobilePhone: (row) => (row.perMille(300, 10) ? written(leadMobile(row.index, row.shape), row.mix(11)) : null),
  Email: (row) =>
    row.perMille(850, 12)
      ? `${plain(row.pick(pools.LAST_NAMES, 1))}${row.index}@prospect${row.index % 977}.example`
      : null,
  Website: (row) => (row.perMille(300, 13) ? `https://prospect${row.index % 977}.example/?a=1&b="2"` : null),
  Description: sometimesAwkward(() => null, 9),
  LeadSource: (row) => row.pick(pools.LEAD_SOURCES, 14),
  Status: (row) =>
    isConverted(row) ? 'Closed - Converted' : row.pick(['Open - Not Contacted', 'Working - Contacted'], 15),
  Industry: (row) => (row.perMille(500, 16) ? row.pick(pools.INDUSTRIES, 17) : null),
  Rating: (row) => (row.perMille(500, 18) ? row.pick(['Hot', 'Warm', 'Cold'], 19) : null),
  AnnualRevenue: (row) => (row.perMille(300, 20) ? (row.mix(21) % 1_000) * 100_000 : null),
  NumberOfEmployees: (row) => (row.perMille(300, 22) ? row.mix(23) % 5_000 : null),
  OwnerId: (row) => userId(row, 24),
  HasOptedOutOfEmail: (row) => row.perMille(50, 25),
  IsConverted: isConverted,
  ConvertedDate: (row) => (isConverted(row) ? date(modifiedMs(row)) : null),
  ConvertedAccountId: (row) => (isConverted(row) ? recordId('Account', row.mix(26) % row.shape.accounts) : null),
  ConvertedContactId: (row) => (isConverted(row) ? recordId('Contact', row.mix(27) % row.shape.contacts) : null),
  IsUnreadByOwner: (row) => row.perMille(300, 28),
  Region__c: (row) => (row.perMille(300, 29) ? row.pick(pools.REGIONS, 31) : null),
};
