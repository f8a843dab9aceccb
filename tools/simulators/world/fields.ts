/**
 * The objects' fields, named and typed as Salesforce does (Object Reference; describe). The list is text, one word a field:
 * `Name:type` with `(length)` or `(precision.scale)`, `!` not nillable, `>Object` what it refers to, `@Compound.Part` the
 * compound it is a part of, `=` calculated, `~` never in change events.
 */
import { OBJECT_NAMES, type ObjectName } from './ids.ts';

export type FieldType =
  | 'id' | 'reference' | 'string' | 'textarea' | 'phone' | 'email' | 'url' | 'picklist'
  | 'boolean' | 'int' | 'double' | 'currency' | 'percent' | 'date' | 'datetime' | 'address'; // prettier-ignore

export interface Field {
  readonly name: string;
  readonly type: FieldType;
  readonly length: number;
  readonly precision: number;
  readonly scale: number;
  readonly nillable: boolean;
  readonly referenceTo: readonly string[];
  readonly compound: string | null;
  /** Its name within the compound. */
  readonly part: string | null;
  readonly custom: boolean;
  readonly calculated: boolean;
  readonly inEvents: boolean;
}

const SYSTEM = `IsDeleted:boolean!~ CreatedDate:datetime! CreatedById:reference!>User LastModifiedDate:datetime!
  LastModifiedById:reference!>User SystemModstamp:datetime!~`;
const VIEWED = 'LastViewedDate:datetime~ LastReferencedDate:datetime~';
const address = (prefix: string, compound = `${prefix}Address`): string =>
  `${prefix}Street:textarea(255)@${compound}.Street ${prefix}City:string(40)@${compound}.City
   ${prefix}State:string(80)@${compound}.State ${prefix}PostalCode:string(20)@${compound}.PostalCode
   ${prefix}Country:string(80)@${compound}.Country ${prefix}Latitude:double(18.15)@${compound}.Latitude
   ${prefix}Longitude:double(18.15)@${compound}.Longitude
   ${prefix}GeocodeAccuracy:picklist(40)@${compound}.GeocodeAccuracy ${compound}:address`;
const PERSON = `LastName:string(80)!@Name.LastName FirstName:string(40)@Name.FirstName
  Salutation:picklist(40)@Name.Salutation Name:string(121)!`;

const FIELDS: Readonly<Record<ObjectName, string>> = {
  Account: `Id:id! ${SYSTEM} MasterRecordId:reference>Account~ Name:string(255)! Type:picklist ParentId:reference>Account
    ${address('Billing')} ${address('Shipping')} Phone:phone Fax:phone AccountNumber:string(40) Website:url
    PhotoUrl:url~ Sic:string(20) Industry:picklist AnnualRevenue:currency(18.0) NumberOfEmployees:int Ownership:picklist
    TickerSymbol:string(20) Description:textarea(32000) Rating:picklist Site:string(80) OwnerId:reference!>User
    LastActivityDate:date~ ${VIEWED} Jigsaw:string(20) AccountSource:picklist SicDesc:string(80) Region__c:picklist`,
  Contact: `Id:id! ${SYSTEM} MasterRecordId:reference>Contact~ AccountId:reference>Account ${PERSON} ${address('Other')}
    ${address('Mailing')} Phone:phone Fax:phone MobilePhone:phone HomePhone:phone OtherPhone:phone AssistantPhone:phone
    ReportsToId:reference>Contact Email:email Title:string(128) Department:string(80) AssistantName:string(40)
    LeadSource:picklist Birthdate:date Description:textarea(32000) OwnerId:reference!>User HasOptedOutOfEmail:boolean!
    HasOptedOutOfFax:boolean! DoNotCall:boolean! LastActivityDate:date~ LastCURequestDate:datetime~
    LastCUUpdateDate:datetime~ ${VIEWED} EmailBouncedReason:string(255) EmailBouncedDate:datetime IsEmailBounced:boolean!~
    PhotoUrl:url~ Jigsaw:string(20) JigsawContactId:string(20) IndividualId:reference>Individual Region__c:picklist
    Score__c:double(8.2) Renewal_Date__c:date Score_Band__c:string(10)=`,
  Lead: `Id:id! ${SYSTEM} MasterRecordId:reference>Lead~ ${PERSON} Title:string(128) Company:string(255)! ${address('', 'Address')}
    Phone:phone MobilePhone:phone Fax:phone Email:email Website:url PhotoUrl:url~ Description:textarea(32000)
    LeadSource:picklist Status:picklist! Industry:picklist Rating:picklist AnnualRevenue:currency(18.0)
    NumberOfEmployees:int OwnerId:reference!>User+Group HasOptedOutOfEmail:boolean! IsConverted:boolean!
    ConvertedDate:date ConvertedAccountId:reference>Account ConvertedContactId:reference>Contact
    ConvertedOpportunityId:reference>Opportunity IsUnreadByOwner:boolean! LastActivityDate:date~ ${VIEWED}
    Jigsaw:string(20) EmailBouncedReason:string(255) EmailBouncedDate:datetime IndividualId:reference>Individual
    Region__c:picklist`,
  Opportunity: `Id:id! ${SYSTEM} AccountId:reference>Account IsPrivate:boolean! Name:string(120)! Description:textarea(32000)
    StageName:picklist! Amount:currency(18.2) Probability:percent(3.0) ExpectedRevenue:currency(18.2)
    TotalOpportunityQuantity:double(18.2) CloseDate:date! Type:picklist NextStep:string(255) LeadSource:picklist
    IsClosed:boolean!~ IsWon:boolean!~ ForecastCategory:picklist! ForecastCategoryName:picklist CampaignId:reference>Campaign
    HasOpportunityLineItem:boolean! Pricebook2Id:reference>Pricebook2 OwnerId:reference!>User LastActivityDate:date~
    ContactId:reference>Contact FiscalQuarter:int~ FiscalYear:int~ Fiscal:string(6)~ ${VIEWED} HasOpenActivity:boolean!~
    HasOverdueTask:boolean!~`,
  User: `Id:id! Username:string(80)! LastName:string(80)!@Name.LastName FirstName:string(40)@Name.FirstName Name:string(121)!
    CompanyName:string(80) Division:string(80) Department:string(80) Title:string(80) ${address('', 'Address')}
    Email:email! Phone:phone Fax:phone MobilePhone:phone Alias:string(8)! CommunityNickname:string(40)! IsActive:boolean!
    TimeZoneSidKey:picklist! UserRoleId:reference>UserRole LocaleSidKey:picklist! EmailEncodingKey:picklist!
    ProfileId:reference!>Profile UserType:picklist! LanguageLocaleKey:picklist! EmployeeNumber:string(20)
    DelegatedApproverId:reference>User ManagerId:reference>User LastLoginDate:datetime~ Extension:phone
    FederationIdentifier:string(512) ContactId:reference>Contact AccountId:reference>Account ForecastEnabled:boolean!
    CreatedDate:datetime! CreatedById:reference!>User LastModifiedDate:datetime! LastModifiedById:reference!>User
    SystemModstamp:datetime!~ AboutMe:textarea(1000)`,
  Task: `Id:id! ${SYSTEM} WhoId:reference>Contact+Lead WhatId:reference>Account+Opportunity Subject:string(255)
    ActivityDate:date Status:picklist! Priority:picklist! IsHighPriority:boolean!~ OwnerId:reference!>User
    Description:textarea(32000) AccountId:reference>Account IsClosed:boolean!~ IsArchived:boolean!~
    CallDurationInSeconds:int CallType:picklist CallDisposition:string(255) CallObject:string(255)
    ReminderDateTime:datetime IsReminderSet:boolean! IsRecurrence:boolean! TaskSubtype:picklist
    CompletedDateTime:datetime`,
  Event: `Id:id! ${SYSTEM} WhoId:reference>Contact+Lead WhatId:reference>Account+Opportunity Subject:string(255)
    Location:string(255) IsAllDayEvent:boolean! ActivityDateTime:datetime ActivityDate:date DurationInMinutes:int
    StartDateTime:datetime EndDateTime:datetime Description:textarea(32000) AccountId:reference>Account
    OwnerId:reference!>User IsPrivate:boolean! ShowAs:picklist IsChild:boolean!~ IsGroupEvent:boolean!~
    GroupEventType:picklist IsArchived:boolean!~ IsRecurrence:boolean! ReminderDateTime:datetime
    IsReminderSet:boolean! EventSubtype:picklist`,
};

const WORD = /^(\w+):([a-z]+)(?:\((\d+)(?:\.(\d+))?\))?(!?)(?:>([\w+]+))?(?:@(\w+)\.(\w+))?(=?)(~?)$/;
const LENGTHS: Partial<Record<FieldType, number>> = {
  id: 18,
  reference: 18,
  phone: 40,
  email: 80,
  url: 255,
  picklist: 255,
};

export function parseField(word: string): Field {
  const match = WORD.exec(word);
  if (match === null) throw new Error(`Not a field: ${word}`);
  const [, name = '', typeName = '', size, scale, required, target, compound, part, calculated, hidden] = match;
  const type = typeName as FieldType;
  const isNumber = type === 'double' || type === 'currency' || type === 'percent';
  return {
    name,
    type,
    length: isNumber ? 0 : Number(size ?? LENGTHS[type] ?? 0),
    precision: isNumber ? Number(size ?? 18) : 0,
    scale: isNumber ? Number(scale ?? 0) : 0,
    nillable: required !== '!',
    referenceTo: target?.split('+') ?? [],
    compound: compound ?? null,
    part: part ?? null,
    custom: name.endsWith('__c'),
    calculated: calculated === '=',
    // Formulas, and what Salesforce derives, are not delivered. (Object Reference, change event fields.)
    inEvents: calculated !== '=' && hidden !== '~' && type !== 'address' && type !== 'id',
  };
}

/** Custom fields `Field_01__c` to `Field_NN__c`, of four types in turn. */
function numbered(count: number): Field[] {
  const types = ['string(80)', 'double(16.2)', 'date', 'picklist'];
  return Array.from({ length: count }, (_, i) =>
    parseField(`Field_${String(i + 1).padStart(2, '0')}__c:${types[i % 4]!}`),
  );
}

export type Catalogue = Readonly<Record<ObjectName, Field[]>>;

/** Each object's fields; the lists grow when an administrator adds a field. */
export function catalogue(contactCustomFields: number): Catalogue {
  const entries = OBJECT_NAMES.map((object) => [object, FIELDS[object].trim().split(/\s+/).map(parseField)] as const);
  const fields = Object.fromEntries(entries) as Record<ObjectName, Field[]>;
  fields.Contact.push(...numbered(contactCustomFields));
  return fields;
}
