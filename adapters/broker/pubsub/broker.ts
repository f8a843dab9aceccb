/**
 * The broker of the cloud runtime: Google Pub/Sub. The port was written from what Pub/Sub promises, so this is thin:
 * limits and filters are applied here as well, because not every server does (the emulator does neither). Schemas and
 * dead-letter policies belong to `ensure`, in `topology.ts`, when they come.
 */
import { PubSub, type Subscription, type Topic } from '@google-cloud/pubsub';
import type { Clock, Random } from '#core/clock.ts';
import { DependencyDown, Misconfigured } from '#core/errors.ts';
import type { BatchHandler, BrokerPort, Consumer, Message, SubscriptionSpec, Survives } from '#core/ports/broker.ts';
import { laneScheduler } from '../lanes.ts';
import { checkMessages } from '../limits.ts';
import { PubsubConsumer } from './consumer.ts';
import { pubsubError } from './errors.ts';
import { Publisher, REQUEST_MESSAGES } from './publisher.ts';
import { seekTo } from './seek.ts';
import { ensureSubscription, ensureTopic, makeInstance, type Keeping } from './topology.ts';

export interface PubsubBrokerOptions extends Partial<Keeping> {
  readonly projectId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** `host:port` of an emulator, reached without credentials. Left out: Google's own, with the ambient credentials. */
  readonly emulator?: string;
  readonly onFault?: (fault: { readonly message: string; readonly error: unknown }) => void;
}

export interface PubsubBroker extends BrokerPort {
  /** Sends what waits, releases what is held, closes the connections. */
  close(): Promise<void>;
}

/** How long a part-filled request waits for more. */
const PUBLISH_LINGER_MS = 5;
const REQUEST_BYTES = 4 * 1024 * 1024;
const HOUR_MS = 3_600_000;

const KEEPING: Keeping = {
  retentionMs: 7 * 24 * HOUR_MS,
  retainMs: (topic) => (topic.startsWith('raw.') ? 24 * HOUR_MS : 0),
};

export async function openPubsubBroker(options: PubsubBrokerOptions): Promise<PubsubBroker> {
  const { projectId, emulator } = options;
  const client = new PubSub(
    emulator === undefined ? { projectId } : { projectId, apiEndpoint: emulator, emulatorMode: true },
  );
  return new GoogleBroker(client, options);
}

class GoogleBroker implements PubsubBroker {
  readonly #client: PubSub;
  readonly #options: PubsubBrokerOptions;
  readonly #keeping: Keeping;
  readonly #lanes = laneScheduler();
  readonly #publishers = new Map<string, Publisher>();
  readonly #consumers = new Set<PubsubConsumer>();
  readonly #instances = new Map<string, Set<Subscription>>();

  constructor(client: PubSub, options: PubsubBrokerOptions) {
    this.#client = client;
    this.#options = options;
    this.#keeping = { ...KEEPING, ...options };
  }

  /** What Pub/Sub has confirmed survives anything: `kill` and `power` are one. */
  async publish(topic: string, messages: readonly Message[], _survives: Survives): Promise<void> {
    checkMessages(messages);
    try {
      await this.#publisher(topic).publish(messages);
    } catch (error) {
      throw pubsubError(error, `topic ${topic}`);
    }
  }

  #publisher(name: string): Publisher {
    const known = this.#publishers.get(name);
    if (known) return known;
    const batching = { maxMessages: REQUEST_MESSAGES, maxBytes: REQUEST_BYTES, maxMilliseconds: PUBLISH_LINGER_MS };
    const publisher = new Publisher(this.#topic(name, batching));
    this.#publishers.set(name, publisher);
    return publisher;
  }

  #topic(name: string, batching: NonNullable<Parameters<PubSub['topic']>[1]>['batching'] = {}): Topic {
    return this.#client.topic(name, { batching });
  }

  consume(spec: SubscriptionSpec, handler: BatchHandler): Consumer {
    const instance = spec.sharing === 'broadcast' ? this.#makeInstance(spec) : undefined;
    const consumer = new PubsubConsumer(spec, handler, {
      subscription: instance ?? Promise.resolve(this.#open(spec, spec.name)),
      lanes: this.#lanes,
      clock: this.#options.clock,
      fault: (message, error) => this.#options.onFault?.({ message, error }),
      ended: async () => {
        this.#consumers.delete(consumer);
        if (instance) await this.#forgetInstance(spec, await instance);
      },
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  #open(spec: SubscriptionSpec, name: string): Subscription {
    return this.#client.subscription(name, {
      flowControl: {
        maxMessages: spec.flow.outstandingMessages,
        maxBytes: spec.flow.outstandingBytes,
        allowExcessMessages: false,
      },
      streamingOptions: { maxStreams: 1 },
    });
  }

  async #makeInstance(spec: SubscriptionSpec): Promise<Subscription> {
    const name = `${spec.name}.${this.#options.random.id()}`;
    await makeInstance(this.#topic(spec.topic), spec, name, this.#keeping);
    const subscription = this.#open(spec, name);
    const instances = this.#instances.get(spec.name) ?? new Set();
    this.#instances.set(spec.name, instances.add(subscription));
    return subscription;
  }

  /** Deleted when its instance ends in order; else it expires. */
  async #forgetInstance(spec: SubscriptionSpec, subscription: Subscription): Promise<void> {
    this.#instances.get(spec.name)?.delete(subscription);
    await subscription.delete().catch(() => undefined);
  }

  /** Of a broadcast: the instances of this process. */
  async seek(name: string, time: Date): Promise<void> {
    const instances = this.#instances.get(name) ?? [this.#client.subscription(name)];
    try {
      for (const subscription of instances) await seekTo(subscription, time);
    } catch (error) {
      throw pubsubError(error, `subscription ${name}`);
    }
  }

  async ensure(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<void> {
    for (const topic of topics) await ensureTopic(this.#topic(topic), this.#keeping);
    for (const spec of subscriptions) {
      if (spec.sharing === 'shared') await ensureSubscription(this.#topic(spec.topic), spec, this.#keeping);
      else await this.#mustExist(spec.topic);
    }
  }

  /** A broadcast has nothing of its own before an instance runs, but its topic must be there. */
  async #mustExist(topic: string): Promise<void> {
    const [exists] = await this.#topic(topic).exists();
    if (!exists)
      throw new Misconfigured('topic_missing', `There is no topic ${topic}: declare it, so that it is made.`);
  }

  async close(): Promise<void> {
    for (const consumer of this.#consumers) await consumer.drain(0);
    try {
      for (const publisher of this.#publishers.values()) await publisher.flush();
    } catch (error) {
      throw new DependencyDown('broker', 'Pub/Sub did not take what was still to be sent.', { cause: error });
    } finally {
      await this.#client.close();
    }
  }
}
