/**
 * What the rows of Salesforce's objects must be, from the simulated company itself: a second, plain statement of what a few
 * columns mean, which shares no code with our mappers.
 */
import type { Cursor, ObjectName, Value, World } from '#tools/simulators/world/index.ts';
import { OBJECT_NAMES, recordId } from '#tools/simulators/world/index.ts';

export type ExpectedRow = Readonly<Record<string, string | number | boolean | null>>;

type Kind = 'text' | 'lower' | 'decimal' | 'flag' | 'instant' | 'day' | 'minutes';
type Columns = Readonly<Record<string, readonly [field: string, kind: Kind]>>;

const TIMES: Columns = { created_at: ['CreatedDate', 'instant'], modified_at: ['SystemModstamp', 'instant'] };
const PERSON: Columns = {
  owner_id: ['OwnerId', 'text'],
  first_name: ['FirstName', 'text'],
  last_name: ['LastName', 'text'],
  salutation: ['Salutation', 'text'],
  title: ['Title', 'text'],
  email: ['Email', 'lower'],
  merged_into: ['MasterRecordId', 'text'],
};
const ACTIVITY: Columns = {
  subject: ['Subject', 'text'],
  description: ['Description', 'text'],
  owner_id: ['OwnerId', 'text'],
  who_id: ['WhoId', 'text'],
  what_id: ['WhatId', 'text'],
  account_id: ['AccountId', 'text'],
  due_date: ['ActivityDate', 'day'],
  ...TIMES,
};

export const EXPECTED: Readonly<Record<ObjectName, { readonly table: string; readonly columns: Columns }>> = {
  Account: {
    table: 'accounts',
    columns: {
      name: ['Name', 'text'],
      owner_id: ['OwnerId', 'text'],
      parent_id: ['ParentId', 'text'],
      industry: ['Industry', 'text'],
      website: ['Website', 'text'],
      billing_street: ['BillingStreet', 'text'],
      billing_city: ['BillingCity', 'text'],
      billing_country: ['BillingCountry', 'text'],
      annual_revenue: ['AnnualRevenue', 'decimal'],
      employees: ['NumberOfEmployees', 'decimal'],
      description: ['Description', 'text'],
      merged_into: ['MasterRecordId', 'text'],
      ...TIMES,
    },
  },
  Contact: {
    table: 'contacts',
    columns: {
      account_id: ['AccountId', 'text'],
      ...PERSON,
      department: ['Department', 'text'],
      mailing_street: ['MailingStreet', 'text'],
      mailing_city: ['MailingCity', 'text'],
      mailing_postal_code: ['MailingPostalCode', 'text'],
      lead_source: ['LeadSource', 'text'],
      email_opt_out: ['HasOptedOutOfEmail', 'flag'],
      ...TIMES,
    },
  },
  Lead: {
    table: 'leads',
    columns: {
      ...PERSON,
      company: ['Company', 'text'],
      status: ['Status', 'text'],
      city: ['City', 'text'],
      is_converted: ['IsConverted', 'flag'],
      converted_on: ['ConvertedDate', 'day'],
      converted_account_id: ['ConvertedAccountId', 'text'],
      converted_contact_id: ['ConvertedContactId', 'text'],
      converted_opportunity_id: ['ConvertedOpportunityId', 'text'],
      ...TIMES,
    },
  },
  Opportunity: {
    table: 'opportunities',
    columns: {
      account_id: ['AccountId', 'text'],
      owner_id: ['OwnerId', 'text'],
      name: ['Name', 'text'],
      stage: ['StageName', 'text'],
      amount: ['Amount', 'decimal'],
      probability: ['Probability', 'decimal'],
      close_date: ['CloseDate', 'day'],
      is_closed: ['IsClosed', 'flag'],
      is_won: ['IsWon', 'flag'],
      forecast_category: ['ForecastCategory', 'text'],
      ...TIMES,
    },
  },
  User: {
    table: 'users',
    columns: {
      first_name: ['FirstName', 'text'],
      last_name: ['LastName', 'text'],
      name: ['Name', 'text'],
      email: ['Email', 'lower'],
      title: ['Title', 'text'],
      department: ['Department', 'text'],
      manager_id: ['ManagerId', 'text'],
      is_active: ['IsActive', 'flag'],
      ...TIMES,
    },
  },
  Task: {
    table: 'activities',
    columns: {
      ...ACTIVITY,
      status: ['Status', 'text'],
      priority: ['Priority', 'text'],
      is_closed: ['IsClosed', 'flag'],
      duration_seconds: ['CallDurationInSeconds', 'decimal'],
      call_type: ['CallType', 'text'],
      call_disposition: ['CallDisposition', 'text'],
    },
  },
  Event: {
    table: 'activities',
    columns: {
      ...ACTIVITY,
      location: ['Location', 'text'],
      starts_at: ['StartDateTime', 'instant'],
      ends_at: ['EndDateTime', 'instant'],
      duration_seconds: ['DurationInMinutes', 'minutes'],
      is_all_day: ['IsAllDayEvent', 'flag'],
    },
  },
};

/** Reads the stored rows of one object, tombstones included, in SQL that every warehouse takes. */
export function storedRowsSql(object: ObjectName): string {
  const { table, columns } = EXPECTED[object];
  return `SELECT id, deleted, ${Object.keys(columns).join(', ')} FROM sales_intelligence_store.${table}
    WHERE source = 'salesforce' AND object = '${object}'`;
}

/** A stored row in the form of `expectedRows`. */
export function storedRow(object: ObjectName, row: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const columns = Object.entries(EXPECTED[object].columns);
  const values = columns.map(([name, [, kind]]) => [name, PLAIN[kind](row[name] ?? null)]);
  return { id: row['id'], deleted: row['deleted'], ...(Object.fromEntries(values) as Record<string, unknown>) };
}

const asIs = (value: unknown): unknown => value;
const asNumber = (value: unknown): unknown => (value === null ? null : Number(value));
const PLAIN: Readonly<Record<Kind, (value: unknown) => unknown>> = {
  text: asIs,
  lower: asIs,
  flag: asIs,
  decimal: asNumber,
  minutes: asNumber,
  instant: (value) => (typeof value === 'string' ? Date.parse(value) : null),
  day: asIs,
};

/** By id: every record that is, or lies in the recycle bin. */
export function expectedRows(world: World, object: ObjectName): Map<string, ExpectedRow> {
  const rows = new Map<string, ExpectedRow>();
  for (const cursor of records(world, object)) rows.set(cursor.id, expectedRow(object, cursor));
  return rows;
}

/** Ids of what was deleted for good: they have no row, or a tombstone. */
export function purgedIds(world: World, object: ObjectName): Set<string> {
  const table = world.tables[object];
  const purged = table.touched().filter((index) => table.latest(index)?.isPurged === true);
  return new Set(purged.map((index) => recordId(object, index)));
}

/** The same cursor, moved from record to record. */
export function* records(world: World, object: ObjectName): Generator<Cursor> {
  const table = world.tables[object];
  const cursor = table.cursor();
  for (let index = 0; index < table.size; index += 1) if (cursor.move(index, world.latest())) yield cursor;
}

function expectedRow(object: ObjectName, cursor: Cursor): ExpectedRow {
  const row: Record<string, ExpectedRow[string]> = { id: cursor.id, deleted: cursor.isDeleted };
  for (const [name, [field, kind]] of Object.entries(EXPECTED[object].columns))
    row[name] = valueOf(kind, cursor.get(field));
  return row;
}

function valueOf(kind: Kind, value: Value): ExpectedRow[string] {
  if (value === null) return null;
  if (kind === 'lower') return String(value).toLowerCase();
  if (kind === 'minutes') return Number(value) * 60;
  // Line breaks have one form in all rows, whichever way a record was read.
  return typeof value === 'string' ? value.replaceAll(/\r\n?/g, '\n') : value;
}

export { OBJECT_NAMES };
