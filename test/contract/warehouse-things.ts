/** A table with every type of column, and rows for it. */
import type { Column, Row, Table } from '#core/ports/warehouse.ts';
import type { Version } from '#core/version.ts';

export const column = (name: string, type: Column['type'], nullable = true): Column => {
  return { name, type, nullable, description: `The ${name}.`, pii: false };
};

export const THINGS: Table = {
  name: 'things',
  description: 'Things of every type.',
  partitionBy: null,
  columns: [
    column('label', 'string', false),
    column('note', 'string'),
    column('amount', 'numeric'),
    column('count', 'int64'),
    column('ratio', 'float64'),
    column('flag', 'bool'),
    column('happened_at', 'timestamp'),
    column('day', 'date'),
    column('extra', 'json'),
  ],
};

export const EMPTY = Object.fromEntries(THINGS.columns.map(({ name }) => [name, null]));

export function thing(id: string, changes: Partial<Row> & { readonly version?: Version } = {}): Row {
  return {
    key: { source: 'salesforce', instance: 'org', object: 'Thing', id },
    version: version(1),
    deleted: false,
    observedAtMicros: 1_767_700_000_000_000,
    runId: null,
    trace: 'trace',
    values: { ...EMPTY, label: id },
    ...changes,
  };
}

export function version(sourceSequence: number, issuedMicros = 0, generation = 0, epoch = 0): Version {
  return { epoch, sourceSequence, issuedMicros, generation };
}
