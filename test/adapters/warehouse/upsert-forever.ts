/**
 * A child process for tests: upserts batches without end, prints the number of each once it has resolved, and tries again
 * what failed.
 *
 *     node upsert-forever.ts <file>
 */
import { systemClock } from '#adapters/clock/system.ts';
import { openDuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import { codeOf } from '#core/errors.ts';
import type { Row } from '#core/ports/warehouse.ts';
import { THINGS, thing, version } from '#test/contract/warehouse-things.ts';

const BATCH_ROWS = 500;
/** Keys come back after this many batches, as updates. */
const BATCHES_OF_KEYS = 20;

const warehouse = await openDuckdbWarehouse({ path: process.argv[2] ?? '', clock: systemClock });
await warehouse.apply([THINGS], []);
for (let batch = 1; ; batch++) {
  const first = (batch % BATCHES_OF_KEYS) * BATCH_ROWS;
  const rows = Array.from({ length: BATCH_ROWS }, (_, index) =>
    thing(String(first + index), { version: version(batch) }),
  );
  while (!(await written(rows))) await systemClock.sleep(50);
  process.stdout.write(`${batch}\n`);
}

async function written(rows: readonly Row[]): Promise<boolean> {
  try {
    return (await warehouse.upsert(THINGS, rows)).length === 0;
  } catch (error) {
    process.stdout.write(`failed ${codeOf(error)}\n`);
    return false;
  }
}
