/** The Avro schema of an object's change events: a header, then its fields, compounds nested, every value nullable. */
import { createHash } from 'node:crypto';
import avsc from 'avsc';
import type { Field, ObjectName, Value, World } from '../../world/index.ts';
import type { FieldPlace } from './bitmap.ts';

export interface EventSchema {
  readonly id: string;
  readonly json: string;
  readonly type: avsc.Type;
  /** Where each field of the object is; fields that no event carries are missing. */
  readonly places: ReadonlyMap<string, FieldPlace>;
  /** An event's body from values by field name. */
  body(values: Readonly<Record<string, Value>>): Record<string, unknown>;
}

const CHANGE_TYPES = [
  'CREATE',
  'UPDATE',
  'DELETE',
  'UNDELETE',
  'GAP_CREATE',
  'GAP_UPDATE',
  'GAP_DELETE',
  'GAP_UNDELETE',
  'GAP_OVERFLOW',
];
const STRINGS = { type: 'array', items: 'string' };

const HEADER = {
  type: 'record',
  name: 'ChangeEventHeader',
  fields: [
    { name: 'entityName', type: 'string' },
    { name: 'recordIds', type: STRINGS },
    { name: 'changeType', type: { type: 'enum', name: 'ChangeType', symbols: CHANGE_TYPES } },
    { name: 'changeOrigin', type: 'string' },
    { name: 'transactionKey', type: 'string' },
    { name: 'sequenceNumber', type: 'int' },
    { name: 'commitTimestamp', type: 'long' },
    { name: 'commitNumber', type: 'long' },
    { name: 'commitUser', type: 'string' },
    { name: 'nulledFields', type: STRINGS },
    { name: 'diffFields', type: STRINGS },
    { name: 'changedFields', type: STRINGS },
  ],
};

interface Slot {
  readonly name: string;
  /** One field, or the parts of a compound. */
  readonly fields: readonly Field[];
  readonly isCompound: boolean;
}

export function eventSchema(world: World, object: ObjectName): EventSchema {
  const slots = slotsOf(world.fields[object]);
  const record = {
    type: 'record',
    name: `${object}ChangeEvent`,
    namespace: 'com.sforce.eventbus',
    fields: [{ name: 'ChangeEventHeader', type: HEADER }, ...avroFields(slots)],
  };
  const json = JSON.stringify(record);
  return {
    id: createHash('sha256').update(json).digest('base64url').slice(0, 22),
    json,
    type: avsc.Type.forSchema(record as avsc.Schema, { wrapUnions: false }),
    places: placesOf(slots),
    body: (values) => Object.fromEntries(slots.map((slot) => [slot.name, slotValue(slot, values)])),
  };
}

function slotsOf(fields: readonly Field[]): Slot[] {
  const slots: Slot[] = [];
  for (const field of fields) {
    if (!field.inEvents || (field.name === 'Name' && fields.some(({ compound }) => compound === 'Name'))) continue;
    const { compound } = field;
    const known = slots.find((slot) => slot.isCompound && slot.name === compound);
    if (compound === null) slots.push({ name: field.name, fields: [field], isCompound: false });
    else if (known === undefined) slots.push({ name: compound, fields: [field], isCompound: true });
    else slots[slots.indexOf(known)] = { ...known, fields: [...known.fields, field] };
  }
  return slots;
}

/** A compound's type is named; the second of its kind refers to the first. */
function avroFields(slots: readonly Slot[]): unknown[] {
  const named = new Set<string>();
  return slots.map((slot) => {
    if (!slot.isCompound) return { name: slot.name, type: ['null', typeOf(slot.fields[0]!)], default: null };
    const name = slot.name === 'Name' ? 'Switchable_PersonName' : 'Address';
    if (named.has(name)) return { name: slot.name, type: ['null', name], default: null };
    named.add(name);
    const fields = slot.fields.map((field) => ({ name: field.part, type: ['null', typeOf(field)], default: null }));
    return { name: slot.name, type: ['null', { type: 'record', name, fields }], default: null };
  });
}

/** Dates and datetimes travel as milliseconds. */
function typeOf({ type }: Field): string {
  if (type === 'boolean' || type === 'int') return type;
  if (type === 'double' || type === 'currency' || type === 'percent') return 'double';
  return type === 'date' || type === 'datetime' ? 'long' : 'string';
}

function placesOf(slots: readonly Slot[]): ReadonlyMap<string, FieldPlace> {
  return new Map(
    slots.flatMap((slot, position) =>
      slot.fields.map(
        (field, nested) => [field.name, { index: position + 1, nested: slot.isCompound ? nested : null }] as const,
      ),
    ),
  );
}

function slotValue(slot: Slot, values: Readonly<Record<string, Value>>): unknown {
  if (!slot.isCompound) return wire(slot.fields[0]!, values);
  const parts = slot.fields.map((field) => [field.part, wire(field, values)] as const);
  return parts.every(([, value]) => value === null) ? null : Object.fromEntries(parts);
}

function wire(field: Field, values: Readonly<Record<string, Value>>): Value {
  const value = values[field.name] ?? null;
  return field.type === 'date' && typeof value === 'string' ? Date.parse(value) : value;
}
