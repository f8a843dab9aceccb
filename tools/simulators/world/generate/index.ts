/** What each field of each object was at first. A field without a generator was empty: false for a checkbox, else null. */
import type { Field } from '../fields.ts';
import type { ObjectName } from '../ids.ts';
import type { Generate, Generators, Value } from '../row.ts';
import { ACCOUNT } from './account.ts';
import { EVENT, TASK } from './activity.ts';
import { CONTACT, numberedField } from './contact.ts';
import { LEAD } from './lead.ts';
import { OPPORTUNITY } from './opportunity.ts';
import { USER } from './user.ts';

const GENERATORS: Readonly<Record<ObjectName, Generators>> = {
  Account: ACCOUNT,
  Contact: CONTACT,
  Lead: LEAD,
  Opportunity: OPPORTUNITY,
  User: USER,
  Task: TASK,
  Event: EVENT,
};

type Get = (field: string) => Value;
type Derive = (get: Get) => Value;

const fullName: Derive = (get) => [get('FirstName'), get('LastName')].filter((part) => part !== null).join(' ');
const band: Derive = (get) => {
  const score = get('Score__c');
  return typeof score !== 'number' ? null : score >= 50 ? 'high' : 'low';
};

/** Fields that follow from others: names of people, and a formula. */
const DERIVED: Readonly<Partial<Record<ObjectName, Readonly<Record<string, Derive>>>>> = {
  Contact: { Name: fullName, Score_Band__c: band },
  Lead: { Name: fullName },
  User: { Name: fullName },
};

export function derivedOf(object: ObjectName): Readonly<Record<string, Derive>> {
  return DERIVED[object] ?? {};
}

export function generatorOf(object: ObjectName, field: Field): Generate {
  const own = GENERATORS[object][field.name];
  if (own !== undefined) return own;
  const derive = derivedOf(object)[field.name];
  if (derive !== undefined) return (row) => derive((name) => GENERATORS[object][name]?.(row) ?? null);
  const numbered = object === 'Contact' ? /^Field_(\d\d)__c$/.exec(field.name) : null;
  if (numbered !== null) return numberedField(Number(numbered[1]));
  return field.type === 'boolean' ? () => false : () => null;
}
