/**
 * The broker of the cloud runtime: Google Pub/Sub. The port was written from what Pub/Sub promises, so this is thin:
 * limits and filters are applied here as well, because not every server does (the emulator does neither).
 */
import { PubSub, type Subscription } from '@google-cloud/pubsub';
import { DependencyDown } from '#core/errors.ts';
import type { BatchHandler, Consumer, Message, SubscriptionSpec, Survives } from '#core/ports/broker.ts';
import { laneScheduler } from '../lanes.ts';
import { checkMessages } from '../limits.ts';
import { PubsubConsumer } from './consumer.ts';
import { pubsubError } from './errors.ts';
import { Instances } from './instances.ts';
import { DEFAULTS, type Budget, type Keeping, type PubsubBroker, type PubsubBrokerOptions } from './options.ts';
import { Publisher, REQUEST_MESSAGES } from './publisher.ts';
import { seekTo } from './seek.ts';
import { shares } from './shares.ts';
import { Topology } from './topology.ts';

export type { PubsubBroker, PubsubBrokerOptions } from './options.ts';

/** How long a part-filled request waits for more. */
const PUBLISH_LINGER_MS = 5;
const REQUEST_BYTES = 4 * 1024 * 1024;
/** The client would try ten minutes; who publishes decides when to give up. */
const PUBLISH_TIMEOUT_MS = 30_000;
const FLUSH_WITHIN_MS = 2_000;

export async function openPubsubBroker(options: PubsubBrokerOptions): Promise<PubsubBroker> {
  const { projectId, emulator } = options;
  const client = new PubSub(
    emulator === undefined ? { projectId } : { projectId, apiEndpoint: emulator, emulatorMode: true },
  );
  return new GoogleBroker(client, options);
}

class GoogleBroker implements PubsubBroker {
  readonly #client: PubSub;
  readonly #options: PubsubBrokerOptions & Keeping & Budget;
  readonly #topology: Topology;
  readonly #instances: Instances;
  readonly #lanes = laneScheduler();
  readonly #publishers = new Map<string, Publisher>();
  readonly #consumers = new Set<PubsubConsumer>();
  #activeMs: number;

  constructor(client: PubSub, options: PubsubBrokerOptions) {
    this.#client = client;
    this.#options = { ...DEFAULTS, ...options };
    this.#topology = new Topology(client, this.#options);
    this.#instances = new Instances(client, this.#topology, options.random);
    this.#activeMs = options.clock.monotonicMs();
  }

  /** What Pub/Sub has confirmed survives anything: `kill` and `power` are one. */
  async publish(topic: string, messages: readonly Message[], _survives: Survives): Promise<void> {
    checkMessages(messages);
    try {
      await this.#publisher(topic).publish(messages);
    } catch (error) {
      throw pubsubError(error, `topic ${topic}`);
    } finally {
      this.#active();
    }
  }

  #publisher(name: string): Publisher {
    const known = this.#publishers.get(name);
    if (known) return known;
    const batching = { maxMessages: REQUEST_MESSAGES, maxBytes: REQUEST_BYTES, maxMilliseconds: PUBLISH_LINGER_MS };
    const topic = this.#client.topic(name, { batching, gaxOpts: { timeout: PUBLISH_TIMEOUT_MS } });
    const publisher = new Publisher(topic, (messageId, attributes) => {
      for (const consumer of this.#consumers) if (consumer.spec.topic === name) consumer.expect(messageId, attributes);
    });
    this.#publishers.set(name, publisher);
    return publisher;
  }

  consume(spec: SubscriptionSpec, handler: BatchHandler): Consumer {
    const name = spec.sharing === 'broadcast' ? this.#instances.reserve(spec) : undefined;
    const consumer = new PubsubConsumer(spec, handler, {
      name: async () => (name === undefined ? spec.name : this.#instances.make(spec, name)),
      open: (full, options): Subscription => this.#client.subscription(full, options),
      lanes: this.#lanes,
      clock: this.#options.clock,
      active: () => this.#active(),
      fault: (message, error) => this.#options.onFault?.({ message, error }),
      ended: async () => {
        this.#consumers.delete(consumer);
        this.#share(spec.service);
        if (name !== undefined) await this.#instances.forget(spec, name);
      },
    });
    this.#consumers.add(consumer);
    this.#share(spec.service);
    return consumer;
  }

  #share(service: string): void {
    const consumers = [...this.#consumers].filter(({ spec }) => spec.service === service);
    const flows = shares(
      consumers.map(({ spec }) => spec.flow),
      this.#options,
    );
    consumers.forEach((consumer, at) => {
      const flow = flows[at];
      if (flow) consumer.limit(flow);
    });
  }

  /** Of a broadcast: the instances of this process. */
  async seek(name: string, time: Date): Promise<void> {
    const subscriptions = this.#instances.of(name) ?? [name];
    try {
      for (const subscription of subscriptions) await seekTo(this.#client.subscription(subscription), time);
    } catch (error) {
      throw pubsubError(error, `subscription ${name}`);
    }
  }

  ensure(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<void> {
    return this.#topology.ensure(topics, subscriptions);
  }

  quietForMs(): number {
    const isBusy =
      [...this.#consumers].some((consumer) => consumer.isBusy) ||
      [...this.#publishers.values()].some((publisher) => publisher.isBusy);
    if (!isBusy) return this.#options.clock.monotonicMs() - this.#activeMs;
    this.#active();
    return 0;
  }

  #active(): void {
    this.#activeMs = this.#options.clock.monotonicMs();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#consumers].map((consumer) => consumer.drain(0)));
    try {
      await this.#flush();
    } finally {
      await this.#client.close();
    }
  }

  async #flush(): Promise<void> {
    const late = Promise.withResolvers<never>();
    const cancel = this.#options.clock.after(FLUSH_WITHIN_MS, () => late.reject(new Error('No answer in time.')));
    try {
      const flushes = [...this.#publishers.values()].filter(({ isBusy }) => isBusy).map((one) => one.flush());
      await Promise.race([Promise.all(flushes), late.promise]);
    } catch (cause) {
      throw new DependencyDown('broker', 'Pub/Sub did not take what was still to be sent.', { cause });
    } finally {
      cancel();
    }
  }
}
