import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '#adapters/clock/system.ts';
import { openDuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import { describeWarehouseContract } from '#test/contract/warehouse.ts';

describeWarehouseContract(
  'duckdb',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tributary-duckdb-'));
    const options = { path: join(folder, 'warehouse.duckdb'), clock: systemClock };
    let warehouse = await openDuckdbWarehouse(options);
    return {
      warehouse,
      stored: (table) => `sales_intelligence_store.${table}`,
      viewed: (view) => `sales_intelligence.${view}`,
      reopen: async () => {
        await warehouse.close();
        warehouse = await openDuckdbWarehouse(options);
        return warehouse;
      },
      close: async () => {
        await warehouse.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
  { histories: 40 },
);
