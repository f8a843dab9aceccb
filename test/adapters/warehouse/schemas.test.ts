import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { openDuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { rowsOf } from '#test/contract/warehouse.ts';

it('every generated table and view can be made in DuckDB, and is then as planned', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-duckdb-'));
  const warehouse = await openDuckdbWarehouse({ path: join(folder, 'warehouse.duckdb'), clock: systemClock });
  const tables = Object.values(TABLES);
  await warehouse.apply(tables, VIEWS);
  expect(await warehouse.plan(tables, VIEWS)).toEqual([]);
  for (const { name } of VIEWS) {
    expect(await rowsOf(warehouse, `SELECT * FROM sales_intelligence.${name}`)).toEqual([]);
  }
  await warehouse.close();
  rmSync(folder, { recursive: true });
});
