import { describe } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import {
  openBigqueryWarehouse,
  type BigqueryOptions,
  type BigqueryWarehouse,
} from '#adapters/warehouse/bigquery/index.ts';
import { startBigquerySimulator } from '#tools/simulators/bigquery/index.ts';
import { describeWarehouseContract, type WarehouseUnderTest } from './warehouse.ts';

async function make(writes: BigqueryOptions['writes']): Promise<WarehouseUnderTest> {
  const simulator = await startBigquerySimulator();
  const open = (): Promise<BigqueryWarehouse> =>
    openBigqueryWarehouse({
      projectId: 'acme-sales',
      location: 'US',
      dataset: 'sales_intelligence',
      writes,
      maxStalenessSeconds: 0,
      policyTag: null,
      clock: systemClock,
      simulator,
    });
  const opened = [await open()];
  return {
    warehouse: opened[0] as BigqueryWarehouse,
    stored: (table) => `sales_intelligence_store.${table}`,
    viewed: (view) => `sales_intelligence.${view}`,
    reopen: async () => {
      const again = await open();
      opened.push(again);
      return again;
    },
    close: async () => {
      for (const warehouse of opened) await warehouse.close();
      await simulator.stop();
    },
  };
}

process.env['METADATA_SERVER_DETECTION'] = 'none';

describe.each(['storage-write', 'insert-all'] as const)('BigQuery, written by %s', (writes) => {
  describeWarehouseContract(`bigquery (${writes}) on the simulator`, () => make(writes), { histories: 20 });
});
