/**
 * Every stage in one process, over files in one folder: a SQLite broker, a DuckDB warehouse, checkpoints and parked bytes;
 * or over Google's services in their place, one by one, as the settings say.
 * With two threads the sinks (what consumes canonical topics) run in a second one over the same broker file, and the
 * warehouse is opened there.
 */
import { createExpressWeb } from '#adapters/web/express.ts';
import { systemClock } from '#adapters/clock/system.ts';
import type { BrokerPort } from '#core/ports/broker.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { WebServer } from '#core/ports/web.ts';
import type { Telemetry, TelemetryHub } from '#core/telemetry.ts';
import { DeadLetters } from './dead-letters.ts';
import { erase, type EraseRequest } from './erase.ts';
import { openGround } from './ground.ts';
import type { RuntimeBroker } from './places/broker.ts';
import { ServiceHost, type HostView } from './host.ts';
import { Lifecycle } from './lifecycle.ts';
import { meterUsage } from './meter-usage.ts';
import { Metrics } from './metrics.ts';
import { replayRaw, type ReplayRequest } from './replay.ts';
import { replayArchive, type ArchiveReplayIo, type ArchiveReplayRequest } from './replay-archive.ts';
import { routesOf } from './routes.ts';
import type { Settings } from './settings.ts';
import { startHosts } from './start-hosts.ts';
import { startSinkThread, type SinkThread } from './threads/remote.ts';
import { isSink } from './threads/sinks.ts';

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
  readonly hosts: readonly HostView[];
  readonly broker: RuntimeBroker;
  readonly warehouse: WarehousePort;
  readonly deadLetters: DeadLetters;
  /** Sends retained raw events on a new trip. */
  replay(request: ReplayRequest): ReturnType<typeof replayRaw>;
  /** Sends archived raw events on a new trip. */
  replayArchive(request: ArchiveReplayRequest, io: ArchiveReplayIo): ReturnType<typeof replayArchive>;
  /** Erases records for good. */
  erase(request: EraseRequest): ReturnType<typeof erase>;
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
  const sinks = flowing && settings.runtime.threads > 1 ? await sinkThread(settings, telemetry, lifecycle) : undefined;
  const ground = await openGround(
    { ...options, provision: true, ...(sinks === undefined ? {} : { warehouse: sinks.warehouse }) },
    lifecycle,
  );
  const own = settings.services.filter(({ service }) => sinks === undefined || !isSink(service.declared));
  const local = own.map(({ service, config }) => new ServiceHost(service, config, ground.hostPorts));
  if (flowing) {
    await startHosts(local, lifecycle);
    meterUsage(telemetry, ground.hostPorts, lifecycle);
  }
  const web = flowing ? await listen(settings, local, lifecycle) : undefined;
  const hosts: readonly HostView[] = [...local, ...(sinks?.hosts() ?? [])];
  return {
    settings,
    hosts,
    broker: ground.broker,
    warehouse: ground.warehouse,
    deadLetters: new DeadLetters({ ...ground.hostPorts, objects: ground.hostPorts.ports.objects }),
    replay: (request) => replayRaw({ ...ground.hostPorts, ...ground.hostPorts.ports }, request),
    replayArchive: (request, io) => replayArchive({ ...ground.hostPorts, ...ground.hostPorts.ports }, request, io),
    erase: (request) => erase({ ...ground.hostPorts, ...ground.hostPorts.ports }, request),
    metrics,
    webUrl: web?.url,
    isIdle: () => ground.broker.isIdle() && hosts.every((host) => !host.busy && !host.paused),
    stop: () => lifecycle.stop(),
  };
}

async function sinkThread(settings: Settings, telemetry: Telemetry, lifecycle: Lifecycle): Promise<SinkThread> {
  const thread = await startSinkThread(settings, telemetry);
  lifecycle.onStop('sink thread', () => thread.stop());
  return thread;
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
