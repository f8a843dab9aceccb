/**
 * One or more services as a process of its own, as a container runs them: several instances may run beside each other, so
 * schedules are under leases; nothing durable is on the own disk but what the settings put there.
 *
 *     listening (alive) ──▶ provided for ──▶ hosts started (ready) ──▶ told to stop (not ready) ──▶ drained, all closed
 */
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { createExpressWeb } from '#adapters/web/express.ts';
import { Misconfigured, Stale } from '#core/errors.ts';
import type { AnyService } from '#core/service.ts';
import type { TelemetryHub } from '#core/telemetry.ts';
import { usesFolder } from '../config.ts';
import { openGround, type Ground } from '../ground.ts';
import type { HostPart } from '../host-view.ts';
import { ServiceHost } from '../host.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { meterUsage } from '../meter-usage.ts';
import { routesOf } from '../routes.ts';
import type { Settings } from '../settings.ts';
import { downstreamFirst } from '../start-hosts.ts';
import { openFirstStream } from './first-stream.ts';
import { Health } from './health.ts';
import { noWarehouse } from './no-warehouse.ts';
import { observe, observedBroker } from './observe.ts';
import { provide, usesWarehouse } from './provide.ts';
import type { Traces } from './traces.ts';

export interface CloudOptions {
  readonly settings: Settings;
  /** All there are. */
  readonly services: readonly AnyService[];
  readonly telemetry: TelemetryHub;
  readonly lifecycle: Lifecycle;
  readonly traces: Traces;
  /** Of the program. */
  readonly version: string;
}

export interface ServeOptions extends CloudOptions {
  readonly part: HostPart;
}

export interface Serving {
  readonly url: string;
  readonly health: Health;
}

/** The platform gives ten seconds in all; what is left after these is given back to the broker. */
const DRAIN_MS = 3_000;
const HOST_STOPS_WITHIN_MS = DRAIN_MS + 1_500;
const WEB_CLOSES_WITHIN_MS = 2_000;

/**
 * Resolves when all runs and is ready; throws what cannot be mended by waiting. Whoever calls stops the lifecycle, whichever
 * way this ended, also while it is under way: then `signal` is aborted before.
 */
export async function serve(options: ServeOptions, signal: AbortSignal): Promise<Serving> {
  const { settings, telemetry, lifecycle, part } = options;
  refuseWithoutRoutes(options);
  const health = new Health();
  signal.addEventListener('abort', () => health.becomes('draining'), { once: true });
  const hosts: ServiceHost[] = [];
  const web = await listen(options, hosts, health);
  lifecycle.onStop('web', web.close);
  warnOfDisk(options);
  const ground = await openAll(options);
  signal.throwIfAborted();
  await provide({ ...options, ...grounded(ground), signal, onWait: (what) => health.waitsFor(what) });
  if (settings.runtime['pubsub.emulator'] !== null) await openFirstStream(ground.broker.port, lifecycle);
  for (const { service, config } of settings.services)
    hosts.push(new ServiceHost(service, config, ground.hostPorts, { part, leasedSchedules: true }));
  health.runs(hosts);
  await startAll(hosts, lifecycle, health, signal);
  meterUsage(telemetry, ground.hostPorts, lifecycle);
  // Once more: what was answered must be published before its host and the broker stop.
  lifecycle.onStop('web', web.close, WEB_CLOSES_WITHIN_MS + 500);
  health.becomes('ready');
  return { url: web.url, health };

  function grounded(opened: Ground) {
    const running = settings.services.map(({ service }) => service.declared);
    return { config: settings.runtime, ground: opened, running, clock: systemClock, random: systemRandom };
  }
}

/** The adapters, observed; the warehouse only if a service uses it. */
export async function openAll(options: CloudOptions): Promise<Ground> {
  const { settings, telemetry, lifecycle, traces } = options;
  const running = settings.services.map(({ service }) => service.declared);
  const names = running.map(({ name }) => name);
  const otel = await observe({ ...options, config: settings.runtime, names, instance: systemRandom.id() });
  const ground = await openGround(
    {
      settings,
      telemetry,
      provision: false,
      ...(running.some(usesWarehouse) ? {} : { warehouse: noWarehouse() }),
      wrapBroker: (broker) => observedBroker(broker, traces, otel),
    },
    lifecycle,
  );
  otel?.observe(() => ground.broker.backlog());
  return ground;
}

async function startAll(
  hosts: readonly ServiceHost[],
  lifecycle: Lifecycle,
  health: Health,
  signal: AbortSignal,
): Promise<void> {
  for (const host of downstreamFirst(hosts)) {
    if (signal.aborted) throw new Stale('stopping', 'The process is stopping.');
    health.waitsFor(host.declared.name);
    // Before it has started: a start may take minutes, and be ended.
    lifecycle.onStop(host.declared.name, () => host.stop(DRAIN_MS), HOST_STOPS_WITHIN_MS);
    await host.start();
  }
  signal.throwIfAborted();
}

/** Routes answer 503 until their service runs, so that vendors send again. */
async function listen({ settings, part }: ServeOptions, hosts: readonly ServiceHost[], health: Health) {
  const { 'web.host': host, 'web.port': port } = settings.runtime;
  const later = settings.services.map(({ service: { declared } }) => ({
    declared,
    get living() {
      return hosts.find((one) => one.declared === declared)?.living;
    },
  }));
  const routes = part === 'work' ? [] : routesOf(later);
  const web = createExpressWeb({ clock: systemClock, probes: health.probes() });
  const server = await web.listen({ host, port }, routes);
  let closing: Promise<void> | undefined;
  return { url: server.url, close: () => (closing ??= server.close(WEB_CLOSES_WITHIN_MS)) };
}

function warnOfDisk({ settings, telemetry }: ServeOptions): void {
  if (usesFolder(settings.runtime))
    telemetry.emit('configurationWarned', { service: 'runtime', code: 'on_own_disk', field: 'state.folder' });
}

/** Throws `Misconfigured` for a service that is off. */
export function refuseOff(names: readonly string[], { services }: Settings): void {
  const off = names.find((name) => !services.some(({ service }) => service.declared.name === name));
  if (off !== undefined)
    throw new Misconfigured(
      'service_off',
      `The service ${off} is not configured: give its source's configuration, or name it in «sources»; the archiver wants storage=gcs or archive.enabled.`,
    );
}

/** Throws `Misconfigured` for a service that lacks the part that is asked for. */
function refuseWithoutRoutes({ part, settings: { services } }: ServeOptions): void {
  const without = services.find(({ service }) => Object.keys(service.declared.routes).length === 0);
  if (part === 'routes' && without !== undefined)
    throw new Misconfigured(
      'no_routes',
      `The service ${without.service.declared.name} has no routes: leave out --part.`,
    );
}
