/**
 * Which objects are read, and their fields in the order in which raw records carry them. Lists are explicit: what is not
 * named here or in `salesforce.extraFields` is not read. Field names: Salesforce Object Reference, standard objects.
 */
import { Misconfigured } from '#core/errors.ts';

export const OBJECTS = ['Account', 'Contact', 'Lead', 'Opportunity', 'User', 'Task', 'Event'] as const;
export type ObjectName = (typeof OBJECTS)[number];

const FIELDS: Readonly<Record<ObjectName, readonly string[]>> = {
  Account: words(`Id IsDeleted MasterRecordId OwnerId ParentId Name Type Industry Website Phone Fax BillingStreet
    BillingCity BillingState BillingPostalCode BillingCountry ShippingStreet ShippingCity ShippingState
    ShippingPostalCode ShippingCountry AnnualRevenue NumberOfEmployees AccountSource Description CreatedDate
    SystemModstamp`),
  Contact: words(`Id IsDeleted MasterRecordId AccountId OwnerId FirstName LastName Salutation Title Department Email
    Phone MobilePhone HomePhone OtherPhone MailingStreet MailingCity MailingState MailingPostalCode MailingCountry
    LeadSource HasOptedOutOfEmail CreatedDate SystemModstamp`),
  Lead: words(`Id IsDeleted MasterRecordId OwnerId FirstName LastName Salutation Title Company Email Phone MobilePhone
    Fax Website Street City State PostalCode Country Status Rating Industry LeadSource IsConverted ConvertedDate
    ConvertedAccountId ConvertedContactId ConvertedOpportunityId CreatedDate SystemModstamp`),
  Opportunity: words(`Id IsDeleted AccountId OwnerId Name StageName Amount Probability CloseDate Type NextStep
    LeadSource IsClosed IsWon ForecastCategory CampaignId Description CreatedDate SystemModstamp`),
  User: words(`Id FirstName LastName Name Username Email Phone MobilePhone Extension Title Department UserRoleId
    ProfileId ManagerId IsActive UserType TimeZoneSidKey CreatedDate SystemModstamp`),
  Task: words(`Id IsDeleted OwnerId WhoId WhatId AccountId Subject Description Status Priority ActivityDate IsClosed
    TaskSubtype CallDurationInSeconds CallType CallDisposition CallObject CreatedDate SystemModstamp`),
  Event: words(`Id IsDeleted OwnerId WhoId WhatId AccountId Subject Description Location IsAllDayEvent ActivityDate
    StartDateTime EndDateTime DurationInMinutes IsPrivate IsChild EventSubtype CreatedDate SystemModstamp`),
};

/** Without these a record has no key, no version, or no deletion. */
export const ESSENTIAL = ['Id', 'IsDeleted', 'SystemModstamp'] as const;

/** Users are never deleted, only deactivated. */
export function canBeDeleted(object: ObjectName): boolean {
  return object !== 'User';
}

export function isObject(name: string): name is ObjectName {
  return (OBJECTS as readonly string[]).includes(name);
}

/** The configured objects in the order in which they are read: accounts first, since others refer to them. */
export function configuredObjects(names: readonly string[]): readonly ObjectName[] {
  const unknown = names.filter((name) => !isObject(name));
  if (unknown.length > 0)
    throw new Misconfigured(
      'unknown_object',
      `salesforce.objects names what is not read here: ${unknown.join(', ')}. Known are ${OBJECTS.join(', ')}.`,
    );
  return OBJECTS.filter((object) => names.includes(object));
}

/** The field list of an object: its own, then the extra ones (`Contact.Region__c`) in configured order. */
export function fieldList(object: ObjectName, extraFields: readonly string[]): readonly string[] {
  const extra = extraFields
    .filter((name) => name.startsWith(`${object}.`))
    .map((name) => name.slice(object.length + 1));
  return [...new Set([...FIELDS[object], ...extra])];
}

const EXTRA_FIELD = /^([A-Za-z]+)\.([A-Za-z][A-Za-z0-9_]{0,79})$/;

/** Refuses to start on an extra field that is not `<Object>.<Field>` of a known object. */
export function checkExtraFields(extraFields: readonly string[]): void {
  const wrong = extraFields.filter((name) => !isObject(EXTRA_FIELD.exec(name)?.[1] ?? ''));
  if (wrong.length > 0)
    throw new Misconfigured(
      'extra_fields',
      `salesforce.extraFields must be a list like Contact.Region__c,Lead.Score__c; not understood: ${wrong.join(', ')}.`,
    );
}

function words(text: string): readonly string[] {
  return text.split(/\s+/);
}
