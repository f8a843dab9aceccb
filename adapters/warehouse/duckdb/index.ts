/** The embedded warehouse: one DuckDB file, which one process at a time may open. */
import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { Clock } from '#core/clock.ts';
import { openSession } from './session.ts';
import { DuckdbWarehouse } from './warehouse.ts';

export type { DuckdbWarehouse } from './warehouse.ts';

export interface DuckdbWarehouseOptions {
  readonly path: string;
  readonly clock: Clock;
  /** In DuckDB's notation; for writing and queries together. */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Where the tables are, with tombstones and versions. */
  readonly storeSchema?: string;
  /** Where the views are that people use. */
  readonly viewSchema?: string;
}

/** Throws `DependencyDown` if another process holds the file, or if it cannot be opened. */
export async function openDuckdbWarehouse(options: DuckdbWarehouseOptions): Promise<DuckdbWarehouse> {
  const {
    memoryLimit = '256MB',
    threads = 2,
    storeSchema = 'sales_intelligence_store',
    viewSchema = 'sales_intelligence',
    clock,
  } = options;
  const path = resolve(options.path);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const warehouse = { path, memoryLimit, threads, clock, schemas: { store: storeSchema, views: viewSchema } };
  return new DuckdbWarehouse(warehouse, await openSession(warehouse));
}
