/** Canonical events to what the resolver keeps of them, pure. Everything it does not match by is left behind here. */
import { countryCode } from '#core/identifiers/countries.ts';
import { parseEmail } from '#core/identifiers/email.ts';
import type { CanonicalEvent } from '#core/codec.ts';
import type { Envelope } from '#core/envelope.ts';
import type { Contact, PhoneNumber, User } from '#schemas/generated/types.ts';
import { rawPhoneText } from './index/derive.ts';
import { phoneLinks } from './phone-links.ts';
import { LINK, type Link, type ParticipantState, type RecordKind, type RecordState } from './state.ts';

type Person = Exclude<RecordKind, 'call'>;

/** Of the entities that are records. */
export function recordState(kind: Person, event: CanonicalEvent<Person>): RecordState {
  const { envelope } = event;
  const { source, instance, id, version } = envelope;
  const deleted = envelope.operation === 'delete';
  const base = { source, instance, kind, id, version, deleted, country: '', internal: false };
  if (event.record === null) return { ...base, links: [] };
  switch (kind) {
    case 'contact':
      return { ...base, links: unlessGone(deleted, contactLinks(event.record as Contact)) };
    case 'lead':
      return { ...base, links: unlessGone(deleted, leadLinks((event as CanonicalEvent<'lead'>).record)) };
    case 'user':
      return { ...base, links: deleted ? [] : userLinks(event.record as User) };
    case 'account': {
      const account = (event as CanonicalEvent<'account'>).record;
      const country = countryCode(account?.billing_country ?? null) ?? countryCode(account?.shipping_country ?? null);
      const links = [...toRecord(LINK.merged, account?.merged_into), ...phoneLinks(account?.phones ?? [], false)];
      return { ...base, country: country ?? '', links: unlessGone(deleted, links) };
    }
  }
}

function contactLinks(contact: Contact): Link[] {
  const hasAccount = contact.account_id !== null;
  return [
    ...toRecord(LINK.account, contact.account_id),
    ...toRecord(LINK.merged, contact.merged_into),
    ...emailLinks(contact.email),
    ...phoneLinks(contact.phones, hasAccount),
  ];
}

function leadLinks(lead: CanonicalEvent<'lead'>['record']): Link[] {
  if (lead === null) return [];
  return [
    ...toRecord(LINK.account, lead.converted_account_id),
    ...toRecord(LINK.merged, lead.merged_into),
    ...toRecord(LINK.converted, lead.converted_contact_id),
    ...emailLinks(lead.email),
    ...phoneLinks(lead.phones, false),
  ];
}

/** Only those who work for us are ours: portal and partner users are customers with a login. */
function userLinks(user: User): Link[] {
  if (user.user_type !== null && user.user_type !== 'Standard') return [];
  return [...emailLinks(user.email), ...phoneLinks(user.phones, false)];
}

/** A deleted record is known by nothing any more, unless it lives on in another. */
function unlessGone(deleted: boolean, links: Link[]): readonly Link[] {
  return deleted && !links.some(({ kind }) => kind === LINK.merged || kind === LINK.converted) ? [] : links;
}

/** What a source tells of a call in a row of its own. */
export function callDetailState({ envelope, record }: CanonicalEvent<'call_detail'>): RecordState {
  const { source, instance, version } = envelope;
  const id = record?.call_id ?? envelope.id;
  const deleted = envelope.operation === 'delete';
  const internal = record?.is_internal === true;
  return { source, instance, kind: 'call', id, version, deleted, country: '', internal, links: [] };
}

/** The other party of a call. */
export function callState({ envelope, record }: CanonicalEvent<'call'>): ParticipantState {
  if (record === null) return { ...participant(envelope, 'external'), links: [] };
  const [phone] = record.phones;
  const links = [...emailLinks(record.contact_email), ...phoneLinks(record.phones.slice(0, 1), false)];
  const isKnown = links.length > 0;
  const detail = { kind: LINK.detail, text: envelope.id };
  return {
    ...participant(envelope, 'external'),
    occurredAtMicros: record.started_at ?? record.rang_at ?? record.connected_at ?? record.ended_at,
    absence: isKnown ? '' : absenceOf(phone),
    links: [detail, ...(isKnown || phone === undefined ? links : rawLink(phone))],
  };
}

function absenceOf(phone: PhoneNumber | undefined): string {
  return phone === undefined ? 'nobody_named' : phone.reason;
}

/** So that the match can say which number it was. */
function rawLink({ raw }: PhoneNumber): Link[] {
  return raw.length > 64 ? [] : [{ kind: LINK.rawPhone, text: rawPhoneText({ raw, guess: '', extension: '' }) }];
}

/** Whom a task or event concerns. */
export function activityState({ envelope, record }: CanonicalEvent<'activity'>): ParticipantState {
  if (record === null) return { ...participant(envelope, 'who'), links: [] };
  const account = record.account_id ?? (isAccountId(envelope, record.what_id) ? record.what_id : null);
  const links = [
    ...toRecord(isLeadId(envelope, record.who_id) ? LINK.whoLead : LINK.whoContact, record.who_id),
    ...toRecord(LINK.account, account),
  ];
  return {
    ...participant(envelope, 'who'),
    occurredAtMicros: record.starts_at ?? dayMicros(record.due_date) ?? record.created_at,
    absence: links.length === 0 ? 'nobody_named' : '',
    links,
  };
}

function participant(envelope: Envelope, role: string): Omit<ParticipantState, 'links'> {
  const { source, instance, object, id, version } = envelope;
  return {
    activity: { source, instance, object, id },
    role,
    version,
    deleted: envelope.operation === 'delete',
    occurredAtMicros: null,
    absence: '',
  };
}

/** Salesforce ids begin with three characters that name the object; a who is a contact or a lead, nothing else. */
function isLeadId({ source }: Envelope, id: string | null): boolean {
  return source === 'salesforce' && id?.startsWith('00Q') === true;
}

function isAccountId({ source }: Envelope, id: string | null): boolean {
  return source === 'salesforce' && id?.startsWith('001') === true;
}

function dayMicros(day: string | null): number | null {
  const ms = day === null ? Number.NaN : Date.parse(`${day}T00:00:00Z`);
  return Number.isNaN(ms) ? null : ms * 1_000;
}

function toRecord(kind: number, id: string | null | undefined): Link[] {
  return id === null || id === undefined || id === '' ? [] : [{ kind, text: id }];
}

function emailLinks(text: string | null): Link[] {
  const email = parseEmail(text);
  if (email === null || email.address === null || email.technical !== null) return [];
  return [{ kind: email.role ? LINK.roleEmail : LINK.email, text: email.address }];
}
