/** What the embedded broker's tests share: a file in a folder of its own, a virtual clock, specs, and messages. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  openEmbeddedBroker,
  type BrokerFault,
  type EmbeddedBroker,
  type EmbeddedBrokerOptions,
} from '#adapters/broker/embedded/broker.ts';
import { ack } from '#core/disposition.ts';
import type { Delivered, Message, SubscriptionSpec } from '#core/ports/broker.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock, type VirtualClock } from '#test/kit/virtual-clock.ts';

export interface Bench {
  readonly path: string;
  readonly clock: VirtualClock;
  readonly faults: BrokerFault[];
  open(options?: Partial<EmbeddedBrokerOptions>): Promise<EmbeddedBroker>;
  /** Closes what was opened, and deletes the file. */
  end(): Promise<void>;
}

export function makeBench(): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'broker-'));
  const path = join(folder, 'broker.db');
  const clock = virtualClock();
  const random = seededRandom(1);
  const faults: BrokerFault[] = [];
  const brokers: EmbeddedBroker[] = [];
  return {
    path,
    clock,
    faults,
    async open(options = {}) {
      const onFault = (fault: BrokerFault): void => void faults.push(fault);
      const broker = await openEmbeddedBroker({ path, clock, random, watchMs: 0, onFault, ...options });
      brokers.push(broker);
      return broker;
    },
    async end() {
      for (const broker of brokers) await broker.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const FLOW = { batchMessages: 50, batchBytes: 1e7, lingerMs: 0, outstandingMessages: 500, outstandingBytes: 1e8 };

export function spec(part: Partial<SubscriptionSpec> = {}): SubscriptionSpec {
  const service = part.service ?? 'reader';
  const lane = part.lane ?? 'live';
  return {
    name: `${service}.${lane}`,
    service,
    topic: 'work',
    lane,
    sharing: 'shared',
    ackDeadlineSeconds: 60,
    flow: FLOW,
    ...part,
  };
}

export function messages(count: number, prefix = 'm', lane = 'live'): readonly Message[] {
  return Array.from({ length: count }, (_, at) => ({ body: Buffer.from(`${prefix}${at}`), attributes: { lane } }));
}

export function text(message: Message): string {
  return Buffer.from(message.body).toString();
}

/** Acks everything, and remembers it. */
export function read(broker: EmbeddedBroker, subscription: SubscriptionSpec): Delivered[] {
  const seen: Delivered[] = [];
  broker.consume(subscription, async (batch) => {
    seen.push(...batch);
    return batch.map(() => ack);
  });
  return seen;
}
