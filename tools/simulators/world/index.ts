/**
 * The simulated company every vendor serves. Salesforce's side: `tables`, `find`, `commit`, `onCommit`, `readable`. The
 * telephone system's side: `calls` (`at`, `count`, `historicCount`, `onCall`, `truthOf`) and `staff`. Its life: `startChanges`.
 */
export { createWorld, World } from './world.ts';
export type { Commit, Transaction, WorldOptions } from './model.ts';
export { startChanges, type Changes, type ChangesOptions } from './changes.ts';
export { Life } from './life.ts';
export { DEFAULT_MIX, type Mix } from './mix.ts';
export type { Change, Committed } from './commit.ts';
export type { CallTruth, PhoneCall } from './calls.ts';
export type { Field, FieldType } from './fields.ts';
export type { Staff } from './generate/user.ts';
export {
  OBJECT_NAMES,
  PREFIXES,
  isObjectName,
  idWithPrefix,
  objectOfPrefix,
  parseId,
  recordId,
  type ObjectName,
} from './ids.ts';
export type { Generate, Shape, Value } from './row.ts';
export { Cursor, Table, type Patch, type Version } from './table.ts';
export { Dice, mix32 } from './random.ts';
export { keepJournal } from './journal.ts';
