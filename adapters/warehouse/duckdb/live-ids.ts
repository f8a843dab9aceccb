/** Pages through the ids of one object in order, so that no snapshot is held while the caller works on a page. */
import type { RecordKey } from '#core/key.ts';
import type { Table } from '#core/ports/warehouse.ts';
import { queryError } from './errors.ts';
import type { Reader } from './reader.ts';
import { quoted } from './sql.ts';

const PAGE_IDS = 20_000;

export async function* liveIdPages(
  reader: Reader,
  schema: string,
  table: Table,
  object: Omit<RecordKey, 'id'>,
  beforeSequence: number,
): AsyncGenerator<readonly string[]> {
  const sql = `SELECT id FROM ${quoted(schema)}.${quoted(table.name)}
    WHERE source = $1 AND instance = $2 AND object = $3 AND NOT deleted AND source_sequence < $4 AND id > $5
    ORDER BY id LIMIT ${PAGE_IDS}`;
  let after = '';
  for (;;) {
    const ids = await page(reader, sql, [object.source, object.instance, object.object, BigInt(beforeSequence), after]);
    if (ids.length > 0) yield ids;
    if (ids.length < PAGE_IDS) return;
    after = ids.at(-1) as string;
  }
}

async function page(reader: Reader, sql: string, values: (string | bigint)[]): Promise<string[]> {
  try {
    const found = await reader.run((connection) => connection.runAndReadAll(sql, values));
    return (found.getColumns()[0] ?? []) as string[];
  } catch (error) {
    throw queryError(error);
  }
}
