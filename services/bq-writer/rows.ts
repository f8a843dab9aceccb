/**
 * Canonical event to warehouse row, pure. Columns follow from the table; a repeated field becomes JSON text; a tombstone
 * without an image keeps its key and version, and neutral values where a column may not be null.
 */
import { TABLES } from '#schemas/generated/tables.ts';
import type { Entities, EntityName } from '#schemas/generated/types.ts';
import type { Event } from '#core/envelope.ts';
import type { Column, ColumnType, Row, Table } from '#core/ports/warehouse.ts';

type Values = Readonly<Record<string, unknown>>;

/** What makes the rows of one entity. */
export interface RowMaker {
  readonly table: Table;
  rowOf(event: Event<Entities[EntityName]>): Row;
}

/** What a column that may not be null holds on a tombstone without an image. Views hide such rows. */
const NEUTRAL: Readonly<Record<ColumnType, unknown>> = {
  string: '',
  int64: 0,
  float64: 0,
  numeric: '0',
  bool: false,
  timestamp: 0,
  date: '1970-01-01',
  json: '[]',
};

export function rowMaker(entity: EntityName): RowMaker {
  const table: Table = TABLES[entity];
  const jsonColumns = table.columns.filter((column) => column.type === 'json').map((column) => column.name);
  const withoutImage = Object.fromEntries(table.columns.map((column) => [column.name, neutral(column)]));

  function valuesOf(record: Entities[EntityName] | null): Values {
    if (record === null) return withoutImage;
    const values: Record<string, unknown> = { ...record };
    for (const name of jsonColumns) {
      const value = values[name];
      if (typeof value === 'object' && value !== null) values[name] = JSON.stringify(value);
    }
    return values;
  }

  return {
    table,
    rowOf({ envelope, record }) {
      const { source, instance, object, id } = envelope;
      return {
        key: { source, instance, object, id },
        version: envelope.version,
        deleted: envelope.operation === 'delete',
        observedAtMicros: envelope.observedAtMicros,
        runId: envelope.runId,
        trace: envelope.trace,
        values: valuesOf(record),
      };
    },
  };
}

function neutral(column: Column): unknown {
  return column.nullable ? null : NEUTRAL[column.type];
}
