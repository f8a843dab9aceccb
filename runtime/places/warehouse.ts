/** The warehouse that the settings name. */
import { join } from 'node:path';
import { VIEWS, TABLES } from '#schemas/generated/tables.ts';
import { systemClock } from '#adapters/clock/system.ts';
import { openDuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { RuntimeConfig } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';

export async function openWarehouse(config: RuntimeConfig, lifecycle: Lifecycle): Promise<WarehousePort> {
  const { 'state.folder': folder, 'warehouse.memoryLimit': memoryLimit } = config;
  const warehouse = await openDuckdbWarehouse({
    path: join(folder, 'warehouse.duckdb'),
    memoryLimit,
    clock: systemClock,
  });
  lifecycle.onStop('warehouse', () => warehouse.close());
  return warehouse;
}

/** Makes the tables and views what the schemas say. */
export function applySchemas(warehouse: WarehousePort): Promise<void> {
  return warehouse.apply(Object.values(TABLES), VIEWS);
}
