/**
 * How one object's records are decoded: its fields in order with their kinds, and where the facts that make key, version
 * and deletion are. Built from the field list and the describe, once.
 */
import { Misconfigured } from '#core/errors.ts';
import type { ObjectName } from '../objects.ts';
import type { FieldKind } from './value.ts';

export interface PlannedField {
  readonly name: string;
  readonly kind: FieldKind;
}

export interface RecordPlan {
  readonly object: ObjectName;
  readonly fields: readonly PlannedField[];
  /** The JSON text before each field's value: `{"Id":`, `,"Name":`, … */
  readonly prefixes: readonly string[];
  readonly idIndex: number;
  readonly modifiedIndex: number;
  /** -1 where the object has no such field. */
  readonly deletedIndex: number;
}

/** A record decoded: its JSON text in field-list order, and the facts taken from it. */
export interface DecodedRecord {
  readonly id: string;
  readonly json: string;
  /** `SystemModstamp`, of the source. */
  readonly modifiedMicros: number;
  readonly deleted: boolean;
}

export function recordPlan(object: ObjectName, fields: readonly PlannedField[]): RecordPlan {
  const indexOf = (name: string): number => fields.findIndex((field) => field.name === name);
  const plan: RecordPlan = {
    object,
    fields,
    prefixes: fields.map(({ name }, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`),
    idIndex: indexOf('Id'),
    modifiedIndex: indexOf('SystemModstamp'),
    deletedIndex: indexOf('IsDeleted'),
  };
  if (plan.idIndex < 0 || plan.modifiedIndex < 0)
    throw new Misconfigured(
      'no_key_fields',
      `${object} cannot be read without Id and SystemModstamp: let the integration user see them.`,
    );
  return plan;
}

export function fieldNames(plan: RecordPlan): readonly string[] {
  return plan.fields.map(({ name }) => name);
}
