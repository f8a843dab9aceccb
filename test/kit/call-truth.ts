/**
 * Who a call may be matched to, from the simulated company itself: those who hold its number. A number is compared by its
 * digits after the calling code, which every way of writing it has; that needs none of our parsing.
 */
import { parseId, type Cursor, type Value, type World } from '#tools/simulators/world/index.ts';
import { records } from './salesforce-truth.ts';

export interface MatchRow {
  readonly activity_id: string;
  readonly outcome: string;
  readonly contact_id: string | null;
  readonly lead_id: string | null;
}

export interface MatchReport {
  /** Calls from a number that exactly one person holds: the truth names that person. */
  readonly resolvable: number;
  /** Of those, the ones that were not matched to that person, one line each. */
  readonly missed: readonly string[];
  /** What is not as it must be, one line each. */
  readonly wrong: readonly string[];
}

const PHONES = {
  Contact: ['Phone', 'MobilePhone', 'HomePhone', 'OtherPhone'],
  Lead: ['Phone', 'MobilePhone', 'Fax'],
  Account: ['Phone', 'Fax'],
  User: ['Phone', 'MobilePhone'],
} as const;

/** Of the countries the company deals with. */
const CALLING_CODE = /^(?:1|33|44|49)/;

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, '');
}

/** One number of one record. */
interface Entry {
  /** Who it is today: a merged record's numbers are its winner's. */
  readonly id: string;
  readonly digits: string;
  /** Says, itself or by its record or its account, which country it is of. */
  readonly hasCountry: boolean;
}

/** All numbers in the company's records. */
function phoneBook(world: World): readonly Entry[] {
  const book: Entry[] = [];
  for (const object of ['Contact', 'Lead', 'Account', 'User'] as const)
    for (const cursor of records(world, object)) {
      const id = today(world, cursor.id);
      if (world.find(id)?.isDeleted !== false) continue;
      const hasCountry = countryOf(world, cursor) !== null;
      for (const field of PHONES[object]) {
        const text = String(cursor.get(field) ?? '');
        book.push({ id, digits: digitsOf(text), hasCountry: hasCountry || /^(?:\+|00)/.test(text) });
      }
    }
  return book;
}

function countryOf(world: World, cursor: Cursor): Value {
  switch (cursor.table.object) {
    case 'Contact': {
      const account = cursor.get('AccountId');
      const own = cursor.get('MailingCountry');
      return own ?? (typeof account === 'string' ? (world.find(account)?.get('BillingCountry') ?? null) : null);
    }
    case 'Account':
      return cursor.get('BillingCountry') ?? cursor.get('ShippingCountry');
    default:
      return cursor.get('Country');
  }
}

/** Whoever was merged or converted is today the record that they became. */
function today(world: World, id: string): string {
  const field = NEXT[parseId(id)?.object ?? ''];
  const next = field === undefined ? null : world.find(id)?.get(field);
  return typeof next === 'string' ? today(world, next) : id;
}

const NEXT: Readonly<Record<string, string>> = {
  Lead: 'ConvertedContactId',
  Contact: 'MasterRecordId',
  Account: 'MasterRecordId',
};

/** Compares one match a call leg with the truth of the call. */
export function checkMatches(world: World, rows: readonly MatchRow[]): MatchReport {
  const book = phoneBook(world);
  const holders = new Map<string, ReadonlySet<string>>();
  const wrong: string[] = [];
  const missed: string[] = [];
  let resolvable = 0;
  for (const row of rows) {
    const number = numberOf(world, row.activity_id);
    const truth = world.calls.truthOf(row.activity_id);
    if (number === undefined || truth === undefined) {
      wrong.push(`${row.activity_id}: no such call`);
      continue;
    }
    const own = digitsOf(number).replace(CALLING_CODE, '');
    const known = holders.get(own);
    const holding = known ?? holdersOf(book, own, number.startsWith('+1'));
    if (known === undefined) holders.set(own, holding);
    const who = row.contact_id ?? row.lead_id;
    if (row.outcome === 'matched' && (who === null || !holding.has(who)))
      wrong.push(`${row.activity_id}: matched to ${who}, who does not hold the number`);
    if (row.outcome === 'matched' && holding.size > 1)
      wrong.push(`${row.activity_id}: matched to ${who}, though several hold it: ${[...holding].join()}`);
    const named = truth.contactId ?? truth.leadId;
    if (truth.kind !== 'matched' || named === null || holding.size !== 1 || !holding.has(today(world, named))) continue;
    resolvable += 1;
    if (row.outcome !== 'matched' || who !== today(world, named))
      missed.push(`${row.activity_id}: ${row.outcome}, though ${named} alone holds ${number}`);
  }
  return { resolvable, missed, wrong };
}

function numberOf(world: World, legId: string): string | undefined {
  const { calls } = world;
  const callId = calls.truthOf(legId)?.callId;
  for (let index = 0; index < calls.count; index += 1)
    if (calls.at(index).id === callId) return calls.at(index).externalNumber;
  return undefined;
}

/** A national number of a record without country is read as the configured one's, the United States'; others cannot be read. */
function holdersOf(book: readonly Entry[], own: string, isAmerican: boolean): ReadonlySet<string> {
  if (own === '') return new Set();
  const holding = book.filter(({ digits, hasCountry }) => (hasCountry || isAmerican) && digits.includes(own));
  return new Set(holding.map(({ id }) => id));
}
