/** Every stage in one process, over files in one folder: a SQLite broker, a DuckDB warehouse, checkpoints and parked bytes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { VIEWS, TABLES } from '#schemas/generated/tables.ts';
import { openEmbeddedBroker, type EmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { openFileObjects } from '#adapters/objects/files.ts';
import { openSqliteStore } from '#adapters/store/sqlite.ts';
import { createVendor } from '#adapters/vendor/index.ts';
import { openDuckdbWarehouse, type DuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import { createExpressWeb } from '#adapters/web/express.ts';
import { Codec } from '#core/codec.ts';
import { messageOf } from '#core/errors.ts';
import { factMessage, type Fact, type OpsEntity } from '#core/facts.ts';
import type { BrokerPort } from '#core/ports/broker.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { WebServer } from '#core/ports/web.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { DeadLetters } from './dead-letters.ts';
import { ServiceHost } from './host.ts';
import type { HostPorts } from './host-ports.ts';
import { Lifecycle } from './lifecycle.ts';
import { Metrics } from './metrics.ts';
import { createParking } from './park.ts';
import { createPublisher } from './publisher.ts';
import { replayRaw, type ReplayRequest } from './replay.ts';
import { routesOf } from './routes.ts';
import type { Settings } from './settings.ts';
import { topologyOf } from './topology.ts';
import { UsageMeter } from './usage.ts';

const USAGE_EVERY_MS = 10_000;
const DRAIN_MS = 3_000;

export interface EmbeddedOptions {
  readonly settings: Settings;
  readonly telemetry: TelemetryHub;
  /** Consume, receive and poll; otherwise only what commands need is open. */
  readonly flowing: boolean;
  /** Wraps the broker or the warehouse: for chaos and outages in tests. */
  readonly wrapBroker?: (broker: BrokerPort) => BrokerPort;
  readonly wrapWarehouse?: (warehouse: WarehousePort) => WarehousePort;
}

export interface EmbeddedRuntime {
  readonly settings: Settings;
  readonly hosts: readonly ServiceHost[];
  readonly broker: EmbeddedBroker;
  readonly warehouse: DuckdbWarehouse;
  readonly deadLetters: DeadLetters;
  /** Sends retained raw events on a new trip. */
  replay(request: ReplayRequest): ReturnType<typeof replayRaw>;
  readonly metrics: Metrics;
  /** Where vendors push to; undefined where no route is declared. */
  readonly webUrl: string | undefined;
  /** No stage has anything to do. */
  isIdle(): boolean;
  /** Drains and closes everything in reverse order; what could not be finished is done at the next start. */
  stop(): Promise<void>;
}

/** Throws what the first part that cannot start throws, after closing those that had started. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedRuntime> {
  const lifecycle = new Lifecycle();
  try {
    return await start(options, lifecycle);
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function start(options: EmbeddedOptions, lifecycle: Lifecycle): Promise<EmbeddedRuntime> {
  const { settings, telemetry, flowing } = options;
  const metrics = new Metrics();
  telemetry.listen(metrics.listener);
  const ground = await openGround(options, lifecycle);
  const hosts = settings.services.map(({ service, config }) => new ServiceHost(service, config, ground.hostPorts));
  if (flowing) await startHosts(hosts, lifecycle);
  if (flowing) meterUsage(telemetry, ground.hostPorts, lifecycle);
  const web = flowing ? await listen(settings, hosts, lifecycle) : undefined;
  return {
    settings,
    hosts,
    broker: ground.broker,
    warehouse: ground.warehouse,
    deadLetters: new DeadLetters({ ...ground.hostPorts, objects: ground.hostPorts.ports.objects }),
    replay: (request) => replayRaw({ ...ground.hostPorts, store: ground.hostPorts.ports.store }, request),
    metrics,
    webUrl: web?.url,
    isIdle: () => ground.broker.isIdle() && hosts.every((host) => !host.busy && !host.paused),
    stop: () => lifecycle.stop(),
  };
}

interface Ground {
  readonly broker: EmbeddedBroker;
  readonly warehouse: DuckdbWarehouse;
  readonly hostPorts: HostPorts;
}

async function openGround(options: EmbeddedOptions, lifecycle: Lifecycle): Promise<Ground> {
  const { settings, telemetry, wrapBroker = same, wrapWarehouse = same } = options;
  const folder = settings.runtime['state.folder'];
  const installation = settings.runtime.installation;
  const [clock, random, codec] = [systemClock, systemRandom, new Codec()];
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const warehouse = await openDuckdbWarehouse({
    path: join(folder, 'warehouse.duckdb'),
    memoryLimit: settings.runtime['warehouse.memoryLimit'],
    clock,
  });
  lifecycle.onStop('warehouse', () => warehouse.close());
  await warehouse.apply(Object.values(TABLES), VIEWS);
  const embedded = await openEmbeddedBroker({
    path: join(folder, 'broker.sqlite'),
    clock,
    random,
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

function same<T>(value: T): T {
  return value;
}

async function startHosts(hosts: readonly ServiceHost[], lifecycle: Lifecycle): Promise<void> {
  for (const host of downstreamFirst(hosts)) {
    await host.start();
    lifecycle.onStop(host.declared.name, () => host.stop(DRAIN_MS));
  }
}

/** Consumers before those that publish to them, so that stopping in reverse order closes the springs first. */
function downstreamFirst(hosts: readonly ServiceHost[]): readonly ServiceHost[] {
  const depth = (host: ServiceHost): number =>
    host.declared.source !== null ? 0 : host.declared.publishes.length > 0 ? 1 : 2;
  return [...hosts].sort((a, b) => depth(b) - depth(a));
}

function meterUsage(telemetry: TelemetryHub, ports: HostPorts, lifecycle: Lifecycle): void {
  const meter = new UsageMeter(ports.clock, ports.owner.slice(0, 8), ports.factPublisher);
  telemetry.listen(meter.listener);
  const stopping = new AbortController();
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      await ports.clock.sleep(USAGE_EVERY_MS, stopping.signal).catch(() => undefined);
      await meter.flush();
    }
  })();
  lifecycle.onStop('usage', async () => {
    stopping.abort();
    await loop;
  });
}

async function listen(
  settings: Settings,
  hosts: readonly ServiceHost[],
  lifecycle: Lifecycle,
): Promise<WebServer | undefined> {
  const routes = routesOf(hosts);
  if (routes.length === 0) return undefined;
  const server = await createExpressWeb({ clock: systemClock }).listen(
    { host: settings.runtime['web.host'], port: settings.runtime['web.port'] },
    routes,
  );
  lifecycle.onStop('web', () => server.close(DRAIN_MS));
  return server;
}
