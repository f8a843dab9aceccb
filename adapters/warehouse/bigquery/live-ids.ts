/** The ids held of one object, page by page from one answer, which the service keeps as it was when asked. */
import type { RecordKey } from '#core/key.ts';
import type { Table } from '#core/ports/warehouse.ts';
import { quotedName, storeDataset, type Places } from './options.ts';
import { pagesOf, type QueryOptions } from './query.ts';

const LIMITS = { rows: Number.MAX_SAFE_INTEGER, timeoutMs: 600_000 };

export async function* liveIdPages(
  options: QueryOptions & { readonly dataset: string },
  table: Table,
  { source, instance, object }: Omit<RecordKey, 'id'>,
  beforeSequence: number,
): AsyncGenerator<readonly string[]> {
  const parameters = [
    { name: 'source', type: 'STRING', value: source },
    { name: 'instance', type: 'STRING', value: instance },
    { name: 'object', type: 'STRING', value: object },
    { name: 'before', type: 'INT64', value: String(beforeSequence) },
  ] as const;
  for await (const rows of pagesOf(options, liveIdsSql(options, table), parameters, LIMITS))
    yield rows.map(({ id }) => String(id));
}

export function liveIdsSql(places: Places, table: Pick<Table, 'name'>): string {
  return `SELECT id FROM ${quotedName(places.projectId, storeDataset(places), table.name)}
WHERE source = @source AND instance = @instance AND object = @object AND NOT deleted AND source_sequence < @before
ORDER BY id`;
}
