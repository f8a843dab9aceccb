/** Events as the normalizer publishes them, and objects in memory that can fail. */
import { Codec, type CanonicalEvent } from '#core/codec.ts';
import type { Envelope } from '#core/envelope.ts';
import { parseEmail } from '#core/identifiers/email.ts';
import { createPhoneParser, type CountryHint } from '#core/identifiers/phone.ts';
import type { Delivered, Lane, Message } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { entityTopic } from '#core/topics.ts';
import type { Version } from '#core/version.ts';
import type { ResolvedEntity } from '#services/resolver/intake.ts';
import type {
  Account,
  Activity,
  Call,
  CallDetail,
  Contact,
  Lead,
  PhoneNumber,
  User,
} from '#schemas/generated/types.ts';

export const codec = new Codec();
export const SF = { source: 'salesforce', instance: '00D000000000001' };
export const DIALPAD = { source: 'dialpad', instance: 'northwind' };

const phones = createPhoneParser({ defaultCountry: null, cacheEntries: 10_000 });

/** As the normalizer would: `hints` are the record's own country or the configured default. */
export function phone(kind: string, raw: string, hints: readonly CountryHint[] = []): PhoneNumber {
  const parsed = phones.parse(raw, hints);
  if (parsed === null) throw new Error('A phone in a test must not be blank.');
  return { kind, ...parsed };
}

export const US: readonly CountryHint[] = [{ country: 'US', reason: 'default' }];

export interface At {
  readonly id: string;
  readonly v?: number;
  readonly lane?: Lane;
  readonly deleted?: boolean;
}

function envelope(place: { source: string; instance: string }, object: string, at: At): Envelope {
  return {
    ...place,
    object,
    id: at.id,
    operation: at.deleted === true ? 'delete' : 'upsert',
    version: version(at.v ?? 1),
    lane: at.lane ?? 'live',
    runId: null,
    observedAtMicros: 1_750_000_000_000_000,
    changedAtMicros: null,
    trace: `trace-${at.id}-${at.v ?? 1}`,
    hint: null,
  };
}

export function version(sourceSequence: number): Version {
  return { epoch: 0, sourceSequence, issuedMicros: 0, generation: 0 };
}

const NO_CONTACT: Contact = {
  account_id: null,
  owner_id: null,
  first_name: null,
  last_name: null,
  name: null,
  salutation: null,
  title: null,
  department: null,
  email: null,
  email_valid: null,
  phone: null,
  mobile_phone: null,
  home_phone: null,
  other_phone: null,
  phones: [],
  mailing_street: null,
  mailing_city: null,
  mailing_state: null,
  mailing_postal_code: null,
  mailing_country: null,
  lead_source: null,
  email_opt_out: null,
  merged_into: null,
  created_at: null,
  modified_at: null,
  custom_fields: null,
};

const NO_LEAD: Lead = {
  owner_id: null,
  first_name: null,
  last_name: null,
  name: null,
  salutation: null,
  title: null,
  company: null,
  email: null,
  email_valid: null,
  phone: null,
  mobile_phone: null,
  fax: null,
  phones: [],
  website: null,
  street: null,
  city: null,
  state: null,
  postal_code: null,
  country: null,
  status: null,
  rating: null,
  industry: null,
  lead_source: null,
  is_converted: null,
  converted_on: null,
  converted_account_id: null,
  converted_contact_id: null,
  converted_opportunity_id: null,
  merged_into: null,
  created_at: null,
  modified_at: null,
  custom_fields: null,
};

const NO_ACCOUNT: Account = {
  name: null,
  type: null,
  parent_id: null,
  owner_id: null,
  industry: null,
  website: null,
  phone: null,
  fax: null,
  phones: [],
  billing_street: null,
  billing_city: null,
  billing_state: null,
  billing_postal_code: null,
  billing_country: null,
  shipping_street: null,
  shipping_city: null,
  shipping_state: null,
  shipping_postal_code: null,
  shipping_country: null,
  annual_revenue: null,
  employees: null,
  account_source: null,
  description: null,
  merged_into: null,
  created_at: null,
  modified_at: null,
  custom_fields: null,
};

const NO_USER: User = {
  first_name: null,
  last_name: null,
  name: null,
  username: null,
  email: null,
  email_valid: null,
  phone: null,
  mobile_phone: null,
  phones: [],
  extension: null,
  title: null,
  department: null,
  role_id: null,
  profile_id: null,
  manager_id: null,
  is_active: true,
  user_type: 'Standard',
  time_zone: null,
  created_at: null,
  modified_at: null,
  custom_fields: null,
};

const NO_ACTIVITY: Activity = {
  kind: 'task',
  subtype: null,
  subject: null,
  description: null,
  status: null,
  priority: null,
  owner_id: null,
  who_id: null,
  what_id: null,
  account_id: null,
  due_date: null,
  starts_at: null,
  ends_at: null,
  duration_seconds: null,
  is_all_day: null,
  is_closed: null,
  is_private: null,
  is_child: null,
  call_type: null,
  call_disposition: null,
  call_object: null,
  location: null,
  created_at: null,
  modified_at: null,
  custom_fields: null,
};

const NO_CALL: Call = {
  conversation_id: '',
  entry_point_call_id: null,
  master_call_id: null,
  operator_call_id: null,
  state: 'hangup',
  direction: 'inbound',
  external_number: null,
  internal_number: null,
  phones: [],
  contact_id: null,
  contact_type: null,
  contact_name: null,
  contact_email: null,
  target_id: null,
  target_type: null,
  target_name: null,
  target_email: null,
  group_id: null,
  started_at: 1_750_000_000_000_000,
  rang_at: null,
  connected_at: null,
  ended_at: null,
  duration_ms: null,
  total_duration_ms: null,
  was_recorded: null,
  is_transferred: null,
  csat_score: null,
  mos_score: null,
  labels: [],
  custom_fields: null,
};

/** One event of an entity the resolver subscribes, with the topic it comes by. */
export interface Sent {
  readonly entity: ResolvedEntity;
  readonly message: Message;
}

type Partially<R> = At & Partial<R> & { readonly noImage?: boolean };

function sent<E extends ResolvedEntity>(entity: E, event: unknown): Sent {
  return { entity, message: codec.encodeCanonical(entity, event as CanonicalEvent<E>) };
}

function parts<R extends object>(given: Partially<R>, blank: R): { at: At; record: R | null } {
  const { id, v, lane, deleted, noImage, ...fields } = given;
  const at: At = {
    id,
    ...(v === undefined ? {} : { v }),
    ...(lane === undefined ? {} : { lane }),
    ...(deleted === undefined ? {} : { deleted }),
  };
  return { at, record: noImage === true ? null : { ...blank, ...(fields as Partial<R>) } };
}

export function contact(given: Partially<Contact>): Sent {
  const { at, record } = parts<Contact>(given, NO_CONTACT);
  return sent('contact', { envelope: envelope(SF, 'Contact', at), record: withEmail(record) });
}

export function lead(given: Partially<Lead>): Sent {
  const { at, record } = parts<Lead>(given, NO_LEAD);
  return sent('lead', { envelope: envelope(SF, 'Lead', at), record: withEmail(record) });
}

export function account(given: Partially<Account>): Sent {
  const { at, record } = parts<Account>(given, NO_ACCOUNT);
  return sent('account', { envelope: envelope(SF, 'Account', at), record });
}

export function user(given: Partially<User>): Sent {
  const { at, record } = parts<User>(given, NO_USER);
  return sent('user', { envelope: envelope(SF, 'User', at), record: withEmail(record) });
}

export function task(given: Partially<Activity>): Sent {
  const { at, record } = parts<Activity>(given, NO_ACTIVITY);
  return sent('activity', { envelope: envelope(SF, 'Task', at), record });
}

export interface CallOptions extends At {
  readonly number?: string;
  readonly email?: string;
  readonly noImage?: boolean;
}

export function call({ number, email, noImage, ...at }: CallOptions): Sent {
  const record: Call = {
    ...NO_CALL,
    conversation_id: at.id,
    external_number: number ?? null,
    phones: number === undefined ? [] : [phone('external_number', number)],
    contact_email: email ?? null,
  };
  return sent('call', { envelope: envelope(DIALPAD, 'call', at), record: noImage === true ? null : record });
}

export function callDetail({ id, v, isInternal }: { id: string; v?: number; isInternal: boolean }): Sent {
  const record: CallDetail = {
    call_id: id,
    is_internal: isInternal,
    first_rang_at: null,
    queued_at: null,
    talk_ms: null,
    hold_ms: null,
    callback_requested: null,
    custom_fields: null,
  };
  return sent('call_detail', {
    envelope: envelope(DIALPAD, 'call_detail', { id, ...(v === undefined ? {} : { v }) }),
    record,
  });
}

function withEmail<R extends { readonly email: string | null } | null>(record: R): R {
  if (record === null || record.email === null) return record;
  const email = parseEmail(record.email);
  return { ...record, email: email?.address ?? record.email, email_valid: email?.valid ?? false };
}

export function delivered({ message }: Sent): Delivered {
  return { ...message, messageId: '1', publishedAt: new Date(0), deliveryAttempts: 1 };
}

export function topicOf({ entity }: Sent): string {
  return entityTopic(entity);
}

export interface MemoryObjects extends ObjectsPort {
  readonly stored: Map<string, Uint8Array>;
  /** Called before each put; may throw or wait. */
  beforePut: (name: string) => Promise<void>;
}

/** Objects that outlive whoever uses them. */
export function memoryObjects(): MemoryObjects {
  const stored = new Map<string, Uint8Array>();
  const objects: MemoryObjects = {
    stored,
    beforePut: async () => undefined,
    async put(name, bytes) {
      await objects.beforePut(name);
      stored.set(name, bytes);
    },
    get: async (name) => stored.get(name),
    async *list(prefix) {
      yield* [...stored.keys()].filter((name) => name.startsWith(prefix)).sort();
    },
    async delete(name) {
      stored.delete(name);
    },
  };
  return objects;
}
