/**
 * Turns rows into columns of values a warehouse takes, row by row checked: what is wrong with a row becomes its refusal and
 * touches no other. Works in slices and lets the event loop turn between them, because a large batch would otherwise
 * hold up live messages for longer than a bulk batch may (30 ms).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { InvalidMessage } from '#core/errors.ts';
import { keyText } from '#core/key.ts';
import {
  SYSTEM_COLUMNS,
  type Column,
  type ColumnType,
  type RefusedRow,
  type Row,
  type Table,
} from '#core/ports/warehouse.ts';
import { Fault, type ColumnKind } from './checks.ts';

/** Also DuckDB's vector size: a data chunk has at most this many rows. */
export const SLICE_ROWS = 2_048;

export type ColumnKinds<V> = Readonly<Record<ColumnType, ColumnKind<V>>>;

export interface PreparedRows<V> {
  /** The rows to write, as indexes into the batch; refused ones are left out. */
  readonly accepted: readonly number[];
  readonly refused: readonly RefusedRow[];
  /** By index of the row in the batch; empty text for a refused row. */
  readonly keyTexts: readonly string[];
  /** `columns[c][row]`, system columns first. */
  readonly columns: readonly (readonly (V | null)[])[];
}

/** Where a column's value is in a row, and what it may be. */
interface Reading<V> {
  readonly name: string;
  readonly read: (row: Row) => unknown;
  readonly convert: (value: unknown) => V | Fault;
  readonly mayBeNull: (row: Row) => boolean;
}

const MISSING = new Fault('missing_column', 'given, if only as null');
const NOT_NULL = new Fault('null_not_allowed', 'given: only a tombstone may leave it null');
const NOT_EMPTY = new Fault('invalid_key', 'text that is not empty');
const NEGATIVE = new Fault('invalid_version', 'a whole number that is not negative');

const SYSTEM_READS: Readonly<Record<string, (row: Row) => unknown>> = {
  source: (row) => row.key.source,
  instance: (row) => row.key.instance,
  object: (row) => row.key.object,
  id: (row) => row.key.id,
  epoch: (row) => row.version.epoch,
  source_sequence: (row) => row.version.sourceSequence,
  issued_micros: (row) => row.version.issuedMicros,
  generation: (row) => row.version.generation,
  deleted: (row) => row.deleted,
  observed_at: (row) => row.observedAtMicros,
  run_id: (row) => row.runId,
  trace: (row) => row.trace,
};
const KEY_PARTS = ['source', 'instance', 'object', 'id'];
const VERSION_PARTS = ['epoch', 'source_sequence', 'issued_micros', 'generation'];

export async function prepareRows<V>(
  kinds: ColumnKinds<V>,
  table: Table,
  rows: readonly Row[],
): Promise<PreparedRows<V>> {
  const refused = new Map<number, RefusedRow>();
  const refuse = (index: number, name: string, fault: Fault): void => {
    if (refused.has(index)) return;
    refused.set(index, { index, code: fault.code, reason: `Column ${name} must be ${fault.must}.` });
  };
  const readings = [
    ...SYSTEM_COLUMNS.map((column) => systemReading(kinds, column)),
    ...table.columns.map((column) => entityReading(kinds, column)),
  ];
  const columns = readings.map((): (V | null)[] => []);
  for (let from = 0; from < rows.length; from += SLICE_ROWS) {
    if (from > 0) await nextTurn();
    const to = Math.min(from + SLICE_ROWS, rows.length);
    readings.forEach((reading, c) => {
      readColumn(reading, rows, from, to, columns[c] as (V | null)[], refuse);
    });
    unknownColumns(table, rows, from, to, refused);
  }
  const accepted = rows.map((_, index) => index).filter((index) => !refused.has(index));
  const keyTexts = keysOf(rows, refused);
  return { accepted, refused: [...refused.values()].sort((a, b) => a.index - b.index), keyTexts, columns };
}

/** Much of a batch is the same down a column (instance, run, country): a value equal to the one above is not converted again. */
function readColumn<V>(
  { name, read, convert, mayBeNull }: Reading<V>,
  rows: readonly Row[],
  from: number,
  to: number,
  into: (V | null)[],
  refuse: (index: number, name: string, fault: Fault) => void,
): void {
  let above: unknown;
  let converted: V | null | Fault = MISSING;
  for (let index = from; index < to; index++) {
    const row = rows[index] as Row;
    const value = read(row);
    if (value !== above) {
      above = value;
      converted = value === undefined ? MISSING : value === null ? null : convert(value);
    }
    if (converted instanceof Fault) refuse(index, name, converted);
    else if (converted === null && !mayBeNull(row)) refuse(index, name, NOT_NULL);
    into.push(converted instanceof Fault ? null : converted);
  }
}

function systemReading<V>(kinds: ColumnKinds<V>, { name, type, nullable }: Column): Reading<V> {
  const { convert } = kinds[type];
  const read = SYSTEM_READS[name] ?? (() => undefined);
  const mayBeNull = (): boolean => nullable;
  if (KEY_PARTS.includes(name)) {
    return { name, read, mayBeNull, convert: (value) => (value === '' ? NOT_EMPTY : convert(value)) };
  }
  if (VERSION_PARTS.includes(name)) {
    return { name, read, mayBeNull, convert: (value) => ((value as number) < 0 ? NEGATIVE : convert(value)) };
  }
  return { name, read, mayBeNull, convert };
}

function entityReading<V>(kinds: ColumnKinds<V>, { name, type, nullable }: Column): Reading<V> {
  const read = (row: Row): unknown => row.values[name];
  return { name, read, convert: kinds[type].convert, mayBeNull: (row) => nullable || row.deleted };
}

/** All known columns are present where none was missing, so a different count means an unknown one. */
function unknownColumns(
  table: Table,
  rows: readonly Row[],
  from: number,
  to: number,
  refused: Map<number, RefusedRow>,
): void {
  for (let index = from; index < to; index++) {
    const names = Object.keys((rows[index] as Row).values);
    if (names.length === table.columns.length || refused.has(index)) continue;
    const unknown = names.find((name) => !table.columns.some((column) => column.name === name));
    const reason = `Column ${unknown} is not in table ${table.name}: add it to the schema, or leave it out.`;
    refused.set(index, { index, code: 'unknown_column', reason });
  }
}

function keysOf(rows: readonly Row[], refused: ReadonlyMap<number, RefusedRow>): string[] {
  const seen = new Set<string>();
  return rows.map((row, index) => {
    if (refused.has(index)) return '';
    const text = keyText(row.key);
    if (seen.has(text)) {
      throw new InvalidMessage(
        'duplicate_key',
        'One upsert has two rows of the same key: keep only the newest version of each before writing.',
      );
    }
    seen.add(text);
    return text;
  });
}
