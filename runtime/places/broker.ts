/** The broker that the settings name, with what the runtime shows of it. */
import { join } from 'node:path';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { openEmbeddedBroker, type SubscriptionBacklog } from '#adapters/broker/embedded/broker.ts';
import { messageOf } from '#core/errors.ts';
import type { BrokerPort } from '#core/ports/broker.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { projectOf, type RuntimeConfig } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { definitionOf } from './schemas.ts';

export interface RuntimeBroker {
  readonly port: BrokerPort;
  /** What each subscription has still to do; null where the broker has no such figure. */
  backlog(): readonly SubscriptionBacklog[] | null;
  /** Nothing waits, as far as this process can know. */
  isIdle(): boolean;
}

/** Bulk publishers wait beyond this: what waits in the file costs disk, what was just published costs memory too. */
const BULK_BACKLOG_MESSAGES = 20_000;
const FRAME_CACHE_BYTES = 16 * 1024 * 1024;
/** Pub/Sub has no figure of what waits. What this process published or gave back is known of; this is for the rest. */
const QUIET_MS = 1_000;

export async function openBroker(
  config: RuntimeConfig,
  telemetry: Telemetry,
  lifecycle: Lifecycle,
): Promise<RuntimeBroker> {
  const parts = { clock: systemClock, random: systemRandom, onFault: faultTeller(telemetry) };
  return config.broker === 'embedded' ? embedded(config, parts, lifecycle) : pubsub(config, parts, lifecycle);
}

interface Parts {
  readonly clock: typeof systemClock;
  readonly random: typeof systemRandom;
  readonly onFault: (fault: { readonly message: string; readonly error: unknown }) => void;
}

async function embedded(config: RuntimeConfig, parts: Parts, lifecycle: Lifecycle): Promise<RuntimeBroker> {
  const broker = await openEmbeddedBroker({
    ...parts,
    path: join(config['state.folder'], 'broker.sqlite'),
    bulkBacklogLimitMessages: BULK_BACKLOG_MESSAGES,
    cacheBytes: FRAME_CACHE_BYTES,
  });
  lifecycle.onStop('broker', () => broker.close());
  return { port: broker, backlog: () => broker.backlog(), isIdle: () => broker.isIdle() };
}

async function pubsub(config: RuntimeConfig, parts: Parts, lifecycle: Lifecycle): Promise<RuntimeBroker> {
  // A client of Google's costs a second of start-up and tens of megabytes: only who uses it pays.
  const { openPubsubBroker } = await import('#adapters/broker/pubsub/broker.ts');
  const emulator = config['pubsub.emulator'];
  const broker = await openPubsubBroker({
    ...parts,
    projectId: projectOf(config),
    schemas: definitionOf,
    ...(emulator === null ? {} : { emulator }),
  });
  lifecycle.onStop('broker', () => broker.close());
  return { port: broker, backlog: () => null, isIdle: () => broker.quietForMs() >= QUIET_MS };
}

function faultTeller(telemetry: Telemetry): Parts['onFault'] {
  return ({ message, error }) =>
    telemetry.emit('faultSeen', {
      service: 'broker',
      code: 'broker_fault',
      message: `${message}: ${messageOf(error)}`,
    });
}
