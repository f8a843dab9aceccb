/** Google BigQuery behind the warehouse port. */
import type { BigqueryOptions } from './options.ts';
import { openRest } from './rest.ts';
import { BigqueryWarehouse } from './warehouse.ts';
import { Writers, WRITE_TIMEOUT_MS } from './writers.ts';

export type { BigqueryOptions } from './options.ts';
export type { BigqueryWarehouse } from './warehouse.ts';

/** Opens no connection before the first row. `writeTimeoutMs` is the longest silence after a write, for tests. */
export async function openBigqueryWarehouse(
  options: BigqueryOptions & { readonly writeTimeoutMs?: number },
): Promise<BigqueryWarehouse> {
  const rest = openRest(options);
  return new BigqueryWarehouse(options, rest, new Writers({ writeTimeoutMs: WRITE_TIMEOUT_MS, ...options }, rest));
}
