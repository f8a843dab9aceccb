/** Users: the company's own sales people. Salesforce never deletes a user. */
import { recordId, idWithPrefix } from '../ids.ts';
import { e164, numberOf } from '../numbers.ts';
import * as pools from '../pools.ts';
import { Row, type Generators, type Shape } from '../row.ts';
import { written } from '../written.ts';
import { addressOf, AUDIT, OWN_DOMAIN, plain } from './common.ts';
import { SALTS } from './salts.ts';

/** A person of the company as the telephone system knows them. */
export interface Staff {
  readonly salesforceId: string;
  /** Decimal text. */
  readonly dialpadId: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly email: string;
  /** E.164. */
  readonly phone: string;
  readonly isActive: boolean;
}

const line = (index: number, { seed }: Shape) => numberOf(index % 5 === 0 ? 'GB' : 'US', 'user', index, seed);
const first = (row: Row): string => row.pick(pools.FIRST_NAMES, 1);
const last = (row: Row): string => row.pick(pools.LAST_NAMES, 2);
const email = (row: Row): string => `${plain(first(row))}.${plain(last(row))}${row.index}@${OWN_DOMAIN}`;
const isActive = (row: Row): boolean => row.index < 5 || !row.perMille(100, 3);

export function staffOf(index: number, shape: Shape): Staff {
  const row = new Row(shape, SALTS.User).set(index);
  return {
    salesforceId: recordId('User', index),
    dialpadId: String(5_100_000_000_000_000 + index * 7),
    firstName: first(row),
    lastName: last(row),
    email: email(row),
    phone: e164(line(index, shape)),
    isActive: isActive(row),
  };
}

export const USER: Generators = {
  Id: (row) => recordId('User', row.index),
  Username: (row) => `${email(row)}.crm`,
  LastName: last,
  FirstName: first,
  CompanyName: () => 'Brightwater',
  Department: () => 'Sales',
  Title: (row) => row.pick(pools.TITLES, 4),
  ...addressOf('', (row) => (row.index % 5 === 0 ? 'GB' : 'US')),
  Email: email,
  Phone: (row) => written(line(row.index, row.shape), row.mix(5)),
  Extension: (row) => String(100 + row.index),
  Alias: (row) => `u${row.index}`,
  CommunityNickname: (row) => `user${row.index}`,
  IsActive: isActive,
  TimeZoneSidKey: () => 'America/Los_Angeles',
  LocaleSidKey: () => 'en_US',
  EmailEncodingKey: () => 'UTF-8',
  ProfileId: () => idWithPrefix('00e', 1),
  UserRoleId: (row) => (row.index === 0 ? null : idWithPrefix('00E', 1 + (row.index % 3))),
  UserType: () => 'Standard',
  LanguageLocaleKey: () => 'en_US',
  ManagerId: (row) => (row.index === 0 ? null : recordId('User', row.mix(6) % row.index)),
  ForecastEnabled: () => true,
  ...AUDIT,
};
