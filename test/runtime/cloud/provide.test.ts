/** Tables at the start of a process, on the BigQuery simulator. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { openBigqueryWarehouse, type BigqueryWarehouse } from '#adapters/warehouse/bigquery/index.ts';
import { DependencyDown } from '#core/errors.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { provide, type Providing } from '#runtime/cloud/provide.ts';
import type { Ground } from '#runtime/ground.ts';
import { parseSettings } from '#runtime/settings.ts';
import { startBigquerySimulator, type BigquerySimulator } from '#tools/simulators/bigquery/index.ts';
import { service } from './kit.ts';

process.env['METADATA_SERVER_DETECTION'] ??= 'none';

const WRITER = service({ name: 'writer', uses: ['warehouse'] });
const ASKER = service({ name: 'asker', uses: ['warehouse'], source: 'salesforce' });

let simulator: BigquerySimulator;
const opened: BigqueryWarehouse[] = [];
beforeAll(async () => {
  simulator = await startBigquerySimulator();
});
afterAll(async () => {
  await Promise.all(opened.map((warehouse) => warehouse.close()));
  await simulator.stop();
});

async function open(projectId: string): Promise<BigqueryWarehouse> {
  const warehouse = await openBigqueryWarehouse({
    projectId,
    location: 'US',
    dataset: 'sales_intelligence',
    writes: 'storage-write',
    maxStalenessSeconds: 0,
    policyTag: null,
    clock: systemClock,
    simulator,
  });
  opened.push(warehouse);
  return warehouse;
}

function providing(
  warehouse: WarehousePort,
  parts: Partial<Providing> & { readonly own: boolean },
): Providing & { readonly said: string[] } {
  const said: string[] = [];
  const telemetry = new TelemetryHub();
  telemetry.listen((_name, fields) => void said.push((fields as { message: string }).message));
  const simulated = { 'bigquery.restUrl': simulator.restUrl, 'bigquery.grpcEndpoint': simulator.grpcEndpoint };
  const values = { broker: 'pubsub', warehouse: 'bigquery', 'google.project': 'p', ...(parts.own ? simulated : {}) };
  return {
    config: parseSettings([], values).runtime,
    ground: { warehouse, broker: {}, hostPorts: {} } as unknown as Ground,
    services: [],
    running: [WRITER.declared],
    onWait: () => undefined,
    clock: systemClock,
    random: systemRandom,
    telemetry,
    signal: new AbortController().signal,
    ...parts,
    said,
  };
}

/** A warehouse of which only what is looked at is there. */
function planned(plan: WarehousePort['plan']): WarehousePort {
  return { plan } as WarehousePort;
}

describe('tables that the service must have', () => {
  it('are refused with what is missing where nobody has made them, and nothing is made', async () => {
    const warehouse = await open('bare');
    await expect(provide(providing(warehouse, { own: false }))).rejects.toMatchObject({
      code: 'warehouse_drift',
      message: expect.stringContaining('make table calls') as string,
    });
    expect((await warehouse.plan(Object.values(TABLES), VIEWS)).length).toBeGreaterThan(20);
  });

  it('are not looked at for who may only ask which ids are held', async () => {
    const refusing = planned(() => Promise.reject(new Error('denied')));
    await provide(providing(refusing, { own: false, running: [ASKER.declared] }));
  });

  it('are made once by processes that start together on a simulator', async () => {
    const warehouses = await Promise.all(Array.from({ length: 4 }, () => open('together')));
    await Promise.all(warehouses.map((warehouse) => provide(providing(warehouse, { own: true }))));
    expect(await warehouses[0]?.plan(Object.values(TABLES), VIEWS)).toEqual([]);
  });
});

describe('what differs without harm to a write', () => {
  it.each([
    [
      'a description',
      async (_tables: unknown, views: readonly unknown[]) =>
        views.length === 0 ? ['set options of table calls'] : ['set options of table calls'],
    ],
    [
      'a view',
      async (_tables: unknown, views: readonly unknown[]) =>
        views.length === 0 ? [] : ['make again view sf_contacts'],
    ],
    [
      'a view that may not be seen',
      async (_tables: unknown, views: readonly unknown[]) =>
        views.length === 0 ? [] : Promise.reject(new Error('denied')),
    ],
  ])('%s is told, and the service starts: a version that is rolled back to must run', async (_, plan) => {
    const some = providing(planned(plan), { own: false });
    await provide(some);
    expect(some.said).toEqual([expect.stringMatching(/differ from the schemas; rows are written all the same/)]);
  });
});

it('a warehouse that is down at the start is waited for, and told of', async () => {
  let asked = 0;
  const plan = async (): Promise<readonly string[]> => {
    if ((asked += 1) < 3) throw new DependencyDown('warehouse', 'BigQuery does not answer.');
    return [];
  };
  const some = providing(planned(plan), { own: false });
  await provide(some);
  expect(some.said).toHaveLength(2);
  expect(some.said[0]).toBe('The start waits for the warehouse: BigQuery does not answer.');
});
