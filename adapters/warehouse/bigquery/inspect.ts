/** What this account may do with a stored table, without doing it. */
import type { Table } from '#core/ports/warehouse.ts';
import { restError, statusOf } from './errors.ts';
import { storeDataset, type BigqueryOptions } from './options.ts';
import { openRest } from './rest.ts';

/** https://cloud.google.com/bigquery/docs/reference/rest/v2/tables/testIamPermissions */
const WRITE = 'bigquery.tables.updateData';
const UNSEEN: ReadonlySet<number | undefined> = new Set([400, 404, 405, 501]);

/** Undefined where it cannot be seen: there is no such table, or a simulator knows no rights. */
export async function mayWrite(options: BigqueryOptions, table: Table): Promise<boolean | undefined> {
  const uri = `/datasets/${storeDataset(options)}/tables/${table.name}:testIamPermissions`;
  try {
    const { permissions } = await openRest(options).request('POST', uri, { body: { permissions: [WRITE] } });
    return Array.isArray(permissions) && permissions.includes(WRITE);
  } catch (error) {
    const status = statusOf(error);
    if (UNSEEN.has(status)) return undefined;
    if (status === 403) return false;
    throw restError(error, 'looking at rights on a table');
  }
}
