/** What the tests of the Pub/Sub adapter share: the official emulator, a raw client beside the adapter, and conditions. */
import { PubSub } from '@google-cloud/pubsub';
import { afterAll, afterEach, describe, it } from 'vitest';
import { openPubsubBroker, type PubsubBroker, type PubsubBrokerOptions } from '#adapters/broker/pubsub/broker.ts';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { ack, type Disposition } from '#core/disposition.ts';
import type { BatchHandler, Delivered, Flow, Message, SubscriptionSpec } from '#core/ports/broker.ts';
import { findPubsubEmulator, startPubsubEmulator, type PubsubEmulator } from '#tools/emulators/pubsub.ts';

export const PROJECT = 'adapter';
const LIMIT_MS = 50_000;
let names = 0;

export const FLOW: Flow = {
  batchMessages: 50,
  batchBytes: 1e6,
  lingerMs: 0,
  outstandingMessages: 500,
  outstandingBytes: 50e6,
};

export interface World {
  readonly emulator: () => Promise<PubsubEmulator>;
  broker(options?: Partial<PubsubBrokerOptions>): Promise<PubsubBroker>;
  /** A client as anybody might use it, to look at what the adapter made. */
  client(): Promise<PubSub>;
}

/** Runs tests on an emulator of their own; skips them, with the reason, where there is none. */
export async function describeOnEmulator(title: string, tests: (world: World) => void): Promise<void> {
  // The emulator needs no credentials: do not look for a metadata server.
  process.env.METADATA_SERVER_DETECTION = 'none';
  const found = await findPubsubEmulator();
  if ('missing' in found) {
    describe.skip(`${title} (skipped: ${found.missing})`, () => it('needs the official emulator', () => undefined));
    return;
  }
  let starting: Promise<PubsubEmulator> | undefined;
  const emulator = (): Promise<PubsubEmulator> => (starting ??= startPubsubEmulator(found.launcher));
  const closing: (() => Promise<unknown>)[] = [];
  describe(title, () => {
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close().catch(() => undefined);
    });
    afterAll(async () => (await starting)?.stop());
    tests({
      emulator,
      async broker(options = {}) {
        const { address } = await emulator();
        const parts = { projectId: PROJECT, clock: systemClock, random: systemRandom, emulator: address };
        const broker = await openPubsubBroker({ ...parts, ...options });
        closing.push(() => broker.close());
        return broker;
      },
      async client() {
        const { address } = await emulator();
        const client = new PubSub({ projectId: PROJECT, apiEndpoint: address, emulatorMode: true });
        closing.push(() => client.close());
        return client;
      },
    });
  });
}

/** A name nobody has used. */
export function unused(prefix: string): string {
  return `${prefix}-${++names}`;
}

export function spec(topic: string, part: Partial<SubscriptionSpec> = {}): SubscriptionSpec {
  return {
    name: unused('subscription'),
    service: 'reader',
    topic,
    lane: 'live',
    sharing: 'shared',
    ackDeadlineSeconds: 60,
    flow: FLOW,
    ...part,
  };
}

export function live(text: string, attributes: Readonly<Record<string, string>> = {}): Message {
  return { body: Buffer.from(text), attributes: { lane: 'live', ...attributes } };
}

export function many(count: number, prefix = 'm'): readonly Message[] {
  return Array.from({ length: count }, (_, index) => live(`${prefix}${index}`));
}

export function text(message: Message): string {
  return Buffer.from(message.body).toString();
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = systemClock.monotonicMs() + LIMIT_MS;
  while (!(await condition())) {
    if (systemClock.monotonicMs() > endMs) throw new Error('The condition did not hold in time.');
    await systemClock.sleep(10);
  }
}

/** Remembers what it was handed, and answers as told. */
export function remembering(decide: (message: Delivered) => Disposition = () => ack): {
  readonly seen: Delivered[];
  readonly handler: BatchHandler;
} {
  const seen: Delivered[] = [];
  return {
    seen,
    handler: async (batch) => {
      seen.push(...batch);
      return batch.map(decide);
    },
  };
}
