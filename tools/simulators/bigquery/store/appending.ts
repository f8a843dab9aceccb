/** Puts rows of one DuckDB table in, value by value, in the order of its columns: the fastest way DuckDB's client has. */
import {
  type DuckDBAppender,
  type DuckDBDateValue,
  type DuckDBDecimalValue,
  type DuckDBListType,
  DuckDBListValue,
  type DuckDBStructType,
  type DuckDBStructValue,
  type DuckDBTimeValue,
  type DuckDBTimestampTZValue,
  type DuckDBTimestampValue,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api';
import type { Field } from '../catalog/fields.ts';

/** One row as DuckDB takes it: a value a column, in the order of the table's fields; null stands for NULL. */
export type Values = readonly (DuckDBValue | undefined)[];

/** A change of a row by its key; `sequence` sorts as text in the order of the change sequence numbers. */
export interface Change {
  readonly kind: 'UPSERT' | 'DELETE';
  readonly sequence: string;
}

export interface Row {
  readonly values: Values;
  readonly change: Change | null;
}

type Put = (appender: DuckDBAppender, value: DuckDBValue) => void;

/** Hidden columns of every stored table, before the user's: arrival number, sequence, tombstone, time of arrival in ms. */
export const HIDDEN = ['__ROOT__n BIGINT', '__ROOT__s VARCHAR', '__ROOT__d BOOLEAN', '__ROOT__t BIGINT'];

export class Appending {
  readonly #appender: DuckDBAppender;
  readonly #puts: readonly Put[];
  /** A missing REPEATED value is an empty array: the service has no NULL arrays in tables. */
  readonly #missing: readonly (DuckDBValue | null)[];
  #unflushed = 0;

  constructor(appender: DuckDBAppender, fields: readonly Field[]) {
    this.#appender = appender;
    this.#puts = fields.map((field, at) => putOf(field, appender.columnType(at + HIDDEN.length)));
    this.#missing = fields.map((field) => (field.mode === 'REPEATED' ? new DuckDBListValue([]) : null));
  }

  add(row: Row, arrival: number, nowMs: number): void {
    const appender = this.#appender;
    appender.appendBigInt(BigInt(arrival));
    if (row.change === null) appender.appendNull();
    else appender.appendVarchar(row.change.sequence);
    appender.appendBoolean(row.change?.kind === 'DELETE');
    appender.appendBigInt(BigInt(nowMs));
    for (let at = 0; at < this.#puts.length; at++) {
      const value = row.values[at] ?? this.#missing[at];
      if (value === null || value === undefined) appender.appendNull();
      else (this.#puts[at] as Put)(appender, value);
    }
    appender.endRow();
    if (++this.#unflushed >= 5_000) this.flush();
  }

  /** Makes what was added visible to others. */
  flush(): void {
    if (this.#unflushed === 0) return;
    this.#unflushed = 0;
    this.#appender.flushSync();
  }

  close(): void {
    this.flush();
    this.#appender.closeSync();
  }
}

function putOf(field: Field, type: DuckDBType): Put {
  if (field.mode === 'REPEATED')
    return (appender, value) => appender.appendList(value as DuckDBListValue, type as DuckDBListType);
  switch (field.type) {
    case 'INTEGER':
      return (appender, value) => appender.appendBigInt(value as bigint);
    case 'FLOAT':
      return (appender, value) => appender.appendDouble(value as number);
    case 'BOOLEAN':
      return (appender, value) => appender.appendBoolean(value as boolean);
    case 'TIMESTAMP':
      return (appender, value) => appender.appendTimestampTZ(value as DuckDBTimestampTZValue);
    case 'DATETIME':
      return (appender, value) => appender.appendTimestamp(value as DuckDBTimestampValue);
    case 'DATE':
      return (appender, value) => appender.appendDate(value as DuckDBDateValue);
    case 'TIME':
      return (appender, value) => appender.appendTime(value as DuckDBTimeValue);
    case 'NUMERIC':
    case 'BIGNUMERIC':
      return (appender, value) => appender.appendDecimal(value as DuckDBDecimalValue);
    case 'BYTES':
      return (appender, value) => appender.appendBlob((value as { bytes: Uint8Array }).bytes);
    case 'RECORD':
      return (appender, value) => appender.appendStruct(value as DuckDBStructValue, type as DuckDBStructType);
    case 'STRING':
    case 'JSON':
    case 'GEOGRAPHY':
      return (appender, value) => appender.appendVarchar(value as string);
  }
}
