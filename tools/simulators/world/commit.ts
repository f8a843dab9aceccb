/** Turns what a transaction asks for into versions: stamps, derived fields, and what is reported of each change. */
import { derivedOf } from './generate/index.ts';
import { stageFacts } from './generate/opportunity.ts';
import { recordId, type ObjectName } from './ids.ts';
import type { Value } from './row.ts';
import type { Cursor, Patch, Table } from './table.ts';

export type Change =
  | { readonly kind: 'create'; readonly object: ObjectName; readonly values: Patch }
  | { readonly kind: 'update'; readonly object: ObjectName; readonly id: string; readonly values: Patch }
  | { readonly kind: 'delete'; readonly object: ObjectName; readonly id: string; readonly masterId?: string }
  | { readonly kind: 'undelete' | 'purge'; readonly object: ObjectName; readonly id: string };

/** A change that has been committed, in the order of its transaction. */
export interface Committed {
  readonly kind: Change['kind'];
  readonly object: ObjectName;
  readonly id: string;
  /** Every field whose value is another now, formulas and stamps included, with its new value. */
  readonly changed: Patch;
}

export interface Stamp {
  /** Of the statement: whole seconds, at or before the commit. */
  readonly modifiedMs: number;
  readonly userId: string;
  /** Undeleting has been seen to leave `SystemModstamp` as it was. */
  readonly undeleteKeepsModstamp: boolean;
}

/** What the record will be, and what of it is new. The cursor stands on the record, unless it is created. */
export function apply(
  change: Change,
  table: Table,
  cursor: Cursor,
  index: number,
  stamp: Stamp,
): Committed & { patch: Patch } {
  const asked = askedFor(change, stamp);
  const before = (name: string): Value => (change.kind === 'create' ? emptyOf(table, name) : cursor.get(name));
  const changed: Record<string, Value> = {};
  for (const [name, value] of Object.entries(clean(table, asked))) if (value !== before(name)) changed[name] = value;
  for (const [name, derive] of Object.entries(derivedOf(table.object))) {
    const value = derive((field) => changed[field] ?? (field in changed ? null : before(field)));
    if (value !== before(name)) changed[name] = value;
  }
  const patch = { ...(change.kind === 'create' ? {} : cursor.patch), ...changed };
  return { kind: change.kind, object: change.object, id: recordId(change.object, index), changed, patch };
}

function emptyOf(table: Table, name: string): Value {
  return table.field(name)?.type === 'boolean' ? false : null;
}

function askedFor(change: Change, { modifiedMs, userId, undeleteKeepsModstamp }: Stamp): Record<string, Value> {
  const touch = { LastModifiedDate: modifiedMs, LastModifiedById: userId, SystemModstamp: modifiedMs };
  switch (change.kind) {
    case 'create':
      return {
        OwnerId: userId,
        ...change.values,
        ...implied(change),
        CreatedDate: modifiedMs,
        CreatedById: userId,
        ...touch,
      };
    case 'update':
      return { ...change.values, ...implied(change), ...touch };
    case 'delete':
      return {
        IsDeleted: true,
        ...(change.masterId === undefined ? {} : { MasterRecordId: change.masterId }),
        ...touch,
      };
    case 'undelete':
      return { IsDeleted: false, ...(undeleteKeepsModstamp ? {} : touch) };
    case 'purge':
      return touch;
  }
}

function implied({ object, values }: { readonly object: ObjectName; readonly values: Patch }): Record<string, Value> {
  if (object === 'Opportunity' && typeof values.StageName === 'string') {
    const { Probability, IsClosed, IsWon, ForecastCategory } = stageFacts(values.StageName);
    return { Probability, IsClosed, IsWon, ForecastCategory, ForecastCategoryName: ForecastCategory };
  }
  if (object === 'Task' && values.Status !== undefined) return { IsClosed: values.Status === 'Completed' };
  return {};
}

/** Salesforce knows no empty text: what is empty is null. Throws on a field the object does not have. */
function clean(table: Table, values: Record<string, Value>): Record<string, Value> {
  const cleaned: Record<string, Value> = {};
  for (const [name, value] of Object.entries(values)) {
    const field = table.field(name);
    if (field === undefined) {
      if (table.object === 'User' && name === 'OwnerId') continue;
      throw new Error(`${table.object} has no field ${name}.`);
    }
    const isNumber = ['int', 'double', 'currency', 'percent'].includes(field.type);
    if (typeof value === 'string' && isNumber) throw new Error(`${table.object}.${name} is a number.`);
    cleaned[name] = value === '' ? null : value;
  }
  return cleaned;
}
