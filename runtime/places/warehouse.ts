/** The warehouse that the settings name. */
import { join } from 'node:path';
import { VIEWS, TABLES } from '#schemas/generated/tables.ts';
import { systemClock } from '#adapters/clock/system.ts';
import type { BigqueryOptions } from '#adapters/warehouse/bigquery/index.ts';
import { messageOf, Misconfigured } from '#core/errors.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { projectOf, type RuntimeConfig } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';

export async function openWarehouse(
  config: RuntimeConfig,
  telemetry: Telemetry,
  lifecycle: Lifecycle,
): Promise<WarehousePort> {
  const warehouse = config.warehouse === 'duckdb' ? await duckdb(config) : await bigquery(config, telemetry);
  lifecycle.onStop('warehouse', () => warehouse.close());
  return warehouse;
}

/** Makes the tables and views what the schemas say. */
export function applySchemas(warehouse: WarehousePort): Promise<void> {
  return warehouse.apply(Object.values(TABLES), VIEWS);
}

/** Throws `Misconfigured` where the tables are not what the schemas say: rows would be refused one by one. */
export async function verifySchemas(warehouse: WarehousePort): Promise<void> {
  const differences = await warehouse.plan(Object.values(TABLES), VIEWS);
  if (differences.length > 0)
    throw new Misconfigured(
      'warehouse_drift',
      `The warehouse is not what the schemas say: run «tributary warehouse apply».\n- ${differences.join('\n- ')}`,
    );
}

type Closable = WarehousePort & { close(): Promise<void> };

async function duckdb(config: RuntimeConfig): Promise<Closable> {
  // Its native module is no part of a process that writes elsewhere.
  const { openDuckdbWarehouse } = await import('#adapters/warehouse/duckdb/index.ts');
  const { 'state.folder': folder, 'warehouse.memoryLimit': memoryLimit } = config;
  return openDuckdbWarehouse({ path: join(folder, 'warehouse.duckdb'), memoryLimit, clock: systemClock });
}

async function bigquery(config: RuntimeConfig, telemetry: Telemetry): Promise<Closable> {
  const { openBigqueryWarehouse } = await import('#adapters/warehouse/bigquery/index.ts');
  return openBigqueryWarehouse({
    ...bigqueryOptions(config),
    onFault: ({ message, error }) =>
      telemetry.emit('faultSeen', {
        service: 'warehouse',
        code: 'warehouse_fault',
        message: `${message}: ${messageOf(error)}`,
      }),
  });
}

export function bigqueryOptions(config: RuntimeConfig): BigqueryOptions {
  const { 'bigquery.restUrl': restUrl, 'bigquery.grpcEndpoint': grpcEndpoint } = config;
  return {
    projectId: projectOf(config),
    location: config['google.location'],
    dataset: config['bigquery.dataset'],
    writes: config['bigquery.writes'] === 'insert-all' ? 'insert-all' : 'storage-write',
    maxStalenessSeconds: config['bigquery.maxStalenessSeconds'],
    policyTag: config['bigquery.policyTag'],
    clock: systemClock,
    ...(restUrl === null || grpcEndpoint === null ? {} : { simulator: { restUrl, grpcEndpoint } }),
  };
}
