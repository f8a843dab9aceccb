/** What every process and thread of the runtime stands on: the adapters that the settings name, and what is built over them. */
import { mkdirSync } from 'node:fs';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { createVendor } from '#adapters/vendor/index.ts';
import { Codec } from '#core/codec.ts';
import { factMessage, type Fact, type OpsEntity } from '#core/facts.ts';
import { endLeases } from '#core/lease.ts';
import type { BrokerPort } from '#core/ports/broker.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { usesFolder } from './config.ts';
import type { HostPorts } from './host-ports.ts';
import type { Lifecycle } from './lifecycle.ts';
import { createParking } from './park.ts';
import { parkingWhole } from './park-whole.ts';
import { openBroker, type RuntimeBroker } from './places/broker.ts';
import { openStorage } from './places/storage.ts';
import { applySchemas, openWarehouse } from './places/warehouse.ts';
import { createPublisher } from './publisher.ts';
import type { Settings } from './settings.ts';
import { topologyOf } from './topology.ts';

export interface GroundOptions {
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  /** Make topics, subscriptions, tables and views. Not where they are an operator's to make, as in the cloud. */
  readonly provision: boolean;
  /** The warehouse, where another thread has its file open. */
  readonly warehouse?: WarehousePort;
  /** Wraps the broker or the warehouse: for chaos and outages in tests. */
  readonly wrapBroker?: (broker: BrokerPort) => BrokerPort;
  readonly wrapWarehouse?: (warehouse: WarehousePort) => WarehousePort;
}

export interface Ground {
  readonly broker: RuntimeBroker;
  readonly warehouse: WarehousePort;
  readonly hostPorts: HostPorts;
}

/** Opens every adapter; the warehouse too, unless another thread has it open. */
export async function openGround(options: GroundOptions, lifecycle: Lifecycle): Promise<Ground> {
  const { settings, telemetry, provision, wrapBroker = same, wrapWarehouse = same } = options;
  const config = settings.runtime;
  const [clock, random, codec, installation] = [systemClock, systemRandom, new Codec(), config.installation];
  if (usesFolder(config)) mkdirSync(config['state.folder'], { recursive: true, mode: 0o700 });
  const opened = options.warehouse ?? (await openWarehouse(config, telemetry, lifecycle));
  if (provision && options.warehouse === undefined) await applySchemas(opened);
  const runtimeBroker = await openBroker(config, telemetry, lifecycle);
  const broker = wrapBroker(runtimeBroker.port);
  if (provision) await ensureTopology(broker, settings);
  const { store, objects } = await openStorage(config, lifecycle);
  // Who opens DuckDB is the folder's only process, since it lets in no other: leases in the folder are a dead one's.
  if (options.warehouse === undefined && config.warehouse === 'duckdb' && config.storage === 'files')
    await endLeases(store);
  const vendor = createVendor({ clock, caFile: config['vendor.caFile'] });
  lifecycle.onStop('vendor', () => vendor.close());
  const publisher = createPublisher({ broker, clock, random, telemetry, objects });
  const factPublisher = <E extends OpsEntity>(fact: Fact<E>): Promise<void> =>
    publisher.publish('ops.event', [factMessage(codec, installation, fact)], 'kill');
  const common = { broker, publisher, codec, clock, random, telemetry, installation, factPublisher };
  return {
    broker: runtimeBroker,
    warehouse: opened,
    hostPorts: {
      ...common,
      parking: parkingWhole(createParking({ objects, publisher, codec, installation }), objects),
      leaseStore: store,
      ports: { store, objects, vendor, warehouse: wrapWarehouse(opened) },
      owner: random.id(),
    },
  };
}

async function ensureTopology(broker: BrokerPort, { services }: Settings): Promise<void> {
  const { topics, subscriptions } = topologyOf(services.map(({ service }) => service));
  await broker.ensure(topics, subscriptions);
}

function same<T>(value: T): T {
  return value;
}
