/** What every thread of the embedded runtime stands on: adapters over the files of one folder. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { VIEWS, TABLES } from '#schemas/generated/tables.ts';
import { openEmbeddedBroker, type EmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { openFileObjects } from '#adapters/objects/files.ts';
import { openSqliteStore } from '#adapters/store/sqlite.ts';
import { createVendor } from '#adapters/vendor/index.ts';
import { openDuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import type { Clock } from '#core/clock.ts';
import { Codec } from '#core/codec.ts';
import { messageOf } from '#core/errors.ts';
import { factMessage, type Fact, type OpsEntity } from '#core/facts.ts';
import { endLeases } from '#core/lease.ts';
import type { BrokerPort } from '#core/ports/broker.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { Telemetry } from '#core/telemetry.ts';
import type { HostPorts } from './host-ports.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createParking } from './park.ts';
import { createPublisher } from './publisher.ts';
import type { Settings } from './settings.ts';
import { topologyOf } from './topology.ts';

/** Bulk publishers wait beyond this: what waits in the file costs disk, what was just published costs memory too. */
const BULK_BACKLOG_MESSAGES = 20_000;
const FRAME_CACHE_BYTES = 16 * 1024 * 1024;

export interface GroundOptions {
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  /** The warehouse, where another thread has its file open. */
  readonly warehouse?: WarehousePort;
  /** Wraps the broker or the warehouse: for chaos and outages in tests. */
  readonly wrapBroker?: (broker: BrokerPort) => BrokerPort;
  readonly wrapWarehouse?: (warehouse: WarehousePort) => WarehousePort;
}

export interface Ground {
  readonly broker: EmbeddedBroker;
  readonly warehouse: WarehousePort;
  readonly hostPorts: HostPorts;
}

/** Opens every adapter; the warehouse too, unless another thread has it open. */
export async function openGround(options: GroundOptions, lifecycle: Lifecycle): Promise<Ground> {
  const { settings, telemetry, wrapBroker = same, wrapWarehouse = same } = options;
  const folder = settings.runtime['state.folder'];
  const installation = settings.runtime.installation;
  const [clock, random, codec] = [systemClock, systemRandom, new Codec()];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const warehouse = options.warehouse ?? (await openWarehouse(settings, clock, lifecycle));
  const embedded = await openEmbeddedBroker({
    path: join(folder, 'broker.sqlite'),
    clock,
    random,
    bulkBacklogLimitMessages: BULK_BACKLOG_MESSAGES,
    cacheBytes: FRAME_CACHE_BYTES,
    onFault: ({ message, error }) =>
      telemetry.emit('faultSeen', {
        service: 'broker',
        code: 'broker_fault',
        message: `${message}: ${messageOf(error)}`,
      }),
  });
  lifecycle.onStop('broker', () => embedded.close());
  const broker = wrapBroker(embedded);
  const { topics, subscriptions } = topologyOf(settings.services.map(({ service }) => service));
  await broker.ensure(topics, subscriptions);
  const store = openSqliteStore(join(folder, 'store.sqlite'));
  lifecycle.onStop('store', async () => store.close());
  // Who opens the warehouse is the folder's only process, since DuckDB lets in no other: leases are a dead one's.
  if (options.warehouse === undefined) await endLeases(store);
  const objects = await openFileObjects(join(folder, 'objects'));
  const vendor = createVendor({ clock, caFile: settings.runtime['vendor.caFile'] });
  lifecycle.onStop('vendor', () => vendor.close());
  const publisher = createPublisher({ broker, clock, random, telemetry });
  const factPublisher = <E extends OpsEntity>(fact: Fact<E>): Promise<void> =>
    publisher.publish('ops.event', [factMessage(codec, installation, fact)], 'kill');
  const parking = createParking({ objects, publisher, codec, installation });
  const ports = { store, objects, vendor, warehouse: wrapWarehouse(warehouse) };
  const owner = random.id();
  return {
    broker: embedded,
    warehouse,
    hostPorts: {
      broker,
      publisher,
      parking,
      leaseStore: store,
      ports,
      codec,
      clock,
      random,
      telemetry,
      installation,
      owner,
      factPublisher,
    },
  };
}

async function openWarehouse(settings: Settings, clock: Clock, lifecycle: Lifecycle): Promise<WarehousePort> {
  const { 'state.folder': folder, 'warehouse.memoryLimit': memoryLimit } = settings.runtime;
  const warehouse = await openDuckdbWarehouse({ path: join(folder, 'warehouse.duckdb'), memoryLimit, clock });
  lifecycle.onStop('warehouse', () => warehouse.close());
  await warehouse.apply(Object.values(TABLES), VIEWS);
  return warehouse;
}

function same<T>(value: T): T {
  return value;
}
