/**
 * Turns rows into columns of values DuckDB takes, row by row checked: what is wrong with a row becomes its refusal and
 * touches no other. Works in slices and lets the event loop turn between them, because a large batch would otherwise
 * hold up live messages for longer than a bulk batch may (30 ms).
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DuckDBValue } from '@duckdb/node-api';
import { InvalidMessage } from '#core/errors.ts';
import { keyText } from '#core/key.ts';
import { SYSTEM_COLUMNS, type Column, type RefusedRow, type Row, type Table } from '#core/ports/warehouse.ts';
import { COLUMN_KINDS, Fault } from './columns.ts';

/** DuckDB's vector size: a data chunk has at most this many rows. */
export const SLICE_ROWS = 2_048;

export interface PreparedRows {
  /** The rows to write, as indexes into the batch; refused ones are left out. */
  readonly accepted: readonly number[];
  readonly refused: readonly RefusedRow[];
  /** By index of the row in the batch; empty text for a refused row. */
  readonly keyTexts: readonly string[];
  /** `columns[c][row]`, system columns first. */
  readonly columns: readonly (readonly DuckDBValue[])[];
}

type Refuse = (index: number, column: string, fault: Fault) => void;

const MISSING = new Fault('missing_column', 'given, if only as null');
const NOT_NULL = new Fault('null_not_allowed', 'given: only a tombstone may leave it null');
const NOT_EMPTY = new Fault('invalid_key', 'text that is not empty');
const NEGATIVE = new Fault('invalid_version', 'a whole number that is not negative');

export async function prepareRows(table: Table, rows: readonly Row[]): Promise<PreparedRows> {
  const refused = new Map<number, RefusedRow>();
  const refuse: Refuse = (index, column, fault) => {
    if (!refused.has(index)) {
      refused.set(index, { index, code: fault.code, reason: `Column ${column} must be ${fault.must}.` });
    }
  };
  const columns = [...SYSTEM_COLUMNS, ...table.columns].map(() => new Array<DuckDBValue>(rows.length).fill(null));
  for (let from = 0; from < rows.length; from += SLICE_ROWS) {
    if (from > 0) await nextTurn();
    const to = Math.min(from + SLICE_ROWS, rows.length);
    systemColumns(rows, from, to, columns, refuse);
    table.columns.forEach((column, c) => {
      entityColumn(column, rows, from, to, columns[SYSTEM_COLUMNS.length + c] as DuckDBValue[], refuse);
    });
    unknownColumns(table, rows, from, to, refused);
  }
  const accepted = rows.map((_, index) => index).filter((index) => !refused.has(index));
  const keyTexts = keysOf(rows, refused);
  return { accepted, refused: [...refused.values()].sort((a, b) => a.index - b.index), keyTexts, columns };
}

function entityColumn(
  column: Column,
  rows: readonly Row[],
  from: number,
  to: number,
  into: DuckDBValue[],
  refuse: Refuse,
): void {
  const { convert } = COLUMN_KINDS[column.type];
  const { name, nullable } = column;
  for (let index = from; index < to; index++) {
    const row = rows[index] as Row;
    const value = row.values[name];
    if (value === null) {
      if (!nullable && !row.deleted) refuse(index, name, NOT_NULL);
      continue;
    }
    const converted = value === undefined ? MISSING : convert(value);
    if (converted instanceof Fault) refuse(index, name, converted);
    else into[index] = converted;
  }
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

const KEY_PARTS = ['source', 'instance', 'object', 'id'] as const;
const VERSION_PARTS = ['epoch', 'sourceSequence', 'issuedMicros', 'generation'] as const;

/** In the order of `SYSTEM_COLUMNS`. */
function systemColumns(
  rows: readonly Row[],
  from: number,
  to: number,
  columns: readonly DuckDBValue[][],
  refuse: Refuse,
): void {
  const set = (c: number, index: number, value: unknown): void => {
    const column = SYSTEM_COLUMNS[c] as Column;
    const converted = value === undefined ? MISSING : COLUMN_KINDS[column.type].convert(value);
    if (converted instanceof Fault) refuse(index, column.name, converted);
    else (columns[c] as DuckDBValue[])[index] = converted;
  };
  for (let index = from; index < to; index++) {
    const row = rows[index] as Row;
    KEY_PARTS.forEach((part, c) =>
      row.key[part] === '' ? refuse(index, part, NOT_EMPTY) : set(c, index, row.key[part]),
    );
    VERSION_PARTS.forEach((part, c) =>
      row.version[part] < 0 ? refuse(index, part, NEGATIVE) : set(4 + c, index, row.version[part]),
    );
    set(8, index, row.deleted);
    set(9, index, row.observedAtMicros);
    if (row.runId !== null) set(10, index, row.runId);
    set(11, index, row.trace);
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
