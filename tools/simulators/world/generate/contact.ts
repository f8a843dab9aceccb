/** Contacts: the people at the accounts, with telephone and e-mail fields as people fill them in. */
import { recordId } from '../ids.ts';
import { numberOf, type PhoneNumber } from '../numbers.ts';
import * as pools from '../pools.ts';
import { date, rankInCountry, Row, type Generate, type Generators, type Shape, type Value } from '../row.ts';
import { essay, noNumber, withExtension, written } from '../written.ts';
import { accountCountry, domainOf, mainLine } from './account.ts';
import { addressOf, plain, sometimesAwkward, SYSTEM, userId } from './common.ts';
import { mix32 } from '../random.ts';
import { SALTS } from './salts.ts';

/** Of 32 contacts in a row, one is alone at its company; 4, 9 and 18 share one. */
export function accountIndexOf(contact: number, shape: Shape): number {
  const seat = contact % 32;
  const place = seat < 1 ? 0 : seat < 5 ? 1 : seat < 14 ? 2 : 3;
  return Math.min(Math.floor(contact / 32) * 4 + place, shape.accounts - 1);
}

export const contactCountry = (contact: number) => accountCountry(Math.floor(contact / 32) * 4);

function rank(contact: number): number {
  return rankInCountry(Math.floor(contact / 32)) * 32 + (contact % 32);
}

export function directLine(contact: number, { seed }: Shape): PhoneNumber {
  return numberOf(contactCountry(contact), 'contact', rank(contact), seed);
}

export function mobile(contact: number, { seed }: Shape): PhoneNumber {
  return numberOf(contactCountry(contact), 'contactMobile', rank(contact), seed);
}

/** What the contact's Phone field holds. */
export type PhoneUse = 'direct' | 'main' | 'extension' | 'none' | 'essay' | 'nonsense';

export function phoneUse(row: Row): PhoneUse {
  const share = row.mix(30) % 100;
  if (share < 62) return 'direct';
  if (share < 78) return 'main';
  if (share < 86) return 'extension';
  if (share < 95) return 'none';
  return share < 98 ? 'essay' : 'nonsense';
}

/** Eight in a thousand were entered twice: the same person as the contact before, at the same company. */
export function isDuplicate(row: Row): boolean {
  return row.index % 32 > 14 && row.perMille(8, 31);
}

const twins = new WeakMap<Shape, Row>();
/** The row of the person a record is about: its own, or for a duplicate the one before. */
export function person(row: Row): Row {
  if (!isDuplicate(row)) return row;
  let twin = twins.get(row.shape);
  if (twin === undefined) twins.set(row.shape, (twin = new Row(row.shape, SALTS.Contact)));
  return twin.set(row.index - 1);
}

export function hasMobile(row: Row): boolean {
  return row.perMille(400, 36);
}

function phone(row: Row): Value {
  const direct = directLine(person(row).index, row.shape);
  const style = row.mix(32) + row.wave;
  const main = (): PhoneNumber => mainLine(accountIndexOf(row.index, row.shape), row.shape);
  switch (phoneUse(row)) {
    case 'direct':
      return written(direct, style);
    case 'main':
      return written(main(), style);
    case 'extension':
      return withExtension(written(main(), style), 100 + (row.mix(33) % 900), row.mix(34));
    case 'none':
      return null;
    case 'essay':
      return essay(direct, style);
    case 'nonsense':
      return noNumber(row.mix(35));
  }
}

const first = (row: Row): string => person(row).pick(pools.FIRST_NAMES, 1);
const last = (row: Row): string => person(row).pick(pools.LAST_NAMES, 2);
const ROLES = ['info', 'sales', 'office', 'support', 'billing'];

function email(row: Row): Value {
  const account = accountIndexOf(row.index, row.shape);
  const domain = domainOf(account, mix32(mix32(mix32(row.shape.seed, SALTS.Account), account), 1));
  const style = row.mix(37) % 100;
  if (style < 7) return null;
  if (style < 10) return `${row.pick(ROLES, 38)}@${domain}`;
  const local = `${plain(first(row))}.${plain(last(row))}${person(row).index}`;
  if (style < 14) return `${local}+${row.pick(['news', 'fair', 'crm'], 39)}@${domain}`;
  if (style < 24) return `${local.charAt(0).toUpperCase()}${local.slice(1)}@${domain.toUpperCase()}`;
  if (style < 25) return `${local}@gmail.com`.replace('gmail.com', 'mail.example.com');
  return `${local}@${domain}`;
}

const usually =
  (perMille: number, purpose: number, generate: Generate): Generate =>
  (row) =>
    row.perMille(perMille, purpose) ? generate(row) : null;

export const CONTACT: Generators = {
  Id: (row) => recordId('Contact', row.index),
  ...SYSTEM,
  AccountId: (row) => (row.perMille(30, 3) ? null : recordId('Account', accountIndexOf(row.index, row.shape))),
  FirstName: (row) => (row.perMille(20, 4) ? null : first(row)),
  LastName: last,
  Salutation: usually(300, 5, (row) => row.pick(['Mr.', 'Ms.', 'Dr.', 'Prof.'], 6)),
  ...addressOf('Mailing', (row) => contactCountry(row.index)),
  Phone: phone,
  MobilePhone: (row) => (hasMobile(row) ? written(mobile(person(row).index, row.shape), row.mix(40)) : null),
  HomePhone: usually(20, 41, (row) => noNumber(row.mix(42))),
  Email: email,
  Title: sometimesAwkward((row) => (row.perMille(100, 7) ? null : row.pick(pools.TITLES, 8 + row.wave)), 0),
  Department: usually(700, 9, (row) => row.pick(pools.DEPARTMENTS, 10)),
  LeadSource: usually(600, 11, (row) => row.pick(pools.LEAD_SOURCES, 12)),
  Birthdate: usually(100, 13, (row) =>
    date(Date.UTC(1950 + (row.mix(14) % 50), row.mix(15) % 12, 1 + (row.mix(16) % 28))),
  ),
  Description: sometimesAwkward(
    usually(200, 17, () => 'Prefers mail.'),
    7,
  ),
  OwnerId: (row) => userId(row, 18),
  HasOptedOutOfEmail: (row) => row.perMille(80, 19),
  DoNotCall: (row) => row.perMille(30, 20),
  Region__c: usually(500, 21, (row) => row.pick(pools.REGIONS, 22)),
  Score__c: usually(700, 23, (row) => (row.mix(24) % 10_000) / 100),
  Renewal_Date__c: usually(300, 25, (row) => date(row.shape.epochMs + (row.mix(26) % 700) * 86_400_000)),
};

/** `Field_NN__c`, of four types in turn. */
export function numberedField(n: number): Generate {
  const purpose = 200 + n;
  switch ((n - 1) % 4) {
    case 0:
      return (row) => (row.mix(purpose) % 5 === 0 ? null : `Note ${row.mix(purpose + 100) % 10_000}`);
    case 1:
      return (row) => (row.mix(purpose) % 5 === 0 ? null : (row.mix(purpose + 100) % 1_000_000) / 100);
    case 2:
      return (row) => (row.mix(purpose) % 5 === 0 ? null : dayText(row.mix(purpose + 100) % 1_000));
    default:
      return (row) => (row.mix(purpose) % 5 === 0 ? null : row.pick(pools.REGIONS, purpose + 100));
  }
}

const days: string[] = [];
function dayText(day: number): string {
  return (days[day] ??= date(Date.UTC(2025, 0, 1) + day * 86_400_000));
}
