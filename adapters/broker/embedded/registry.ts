/** The subscriptions this thread reads, and who consumes them: made, shared, reloaded after a seek, let go. */
import type { DatabaseSync } from 'node:sqlite';
import { MICROS_PER_MS, type Clock, type Random } from '#core/clock.ts';
import { Misconfigured } from '#core/errors.ts';
import type { BatchHandler, Consumer, SubscriptionSpec } from '#core/ports/broker.ts';
import type { LaneScheduler } from '../lanes.ts';
import { EmbeddedConsumer } from './consumer.ts';
import type { CursorStore } from './cursor-store.ts';
import type { SubscriptionRow } from './rows.ts';
import { INSTANCE_EXPIRES_MS, type Housekeeping } from './housekeeping.ts';
import type { Journal } from './journal.ts';
import type { Partitions } from './partitions.ts';
import { Subscription } from './subscription.ts';
import { brokerError, transaction } from './transaction.ts';

export interface RegistryParts {
  readonly database: DatabaseSync;
  readonly partitions: Partitions;
  readonly store: CursorStore;
  readonly housekeeping: Housekeeping;
  readonly journal: Journal;
  readonly lanes: LaneScheduler;
  readonly clock: Clock;
  readonly random: Random;
  readonly fault: (message: string, error: unknown) => void;
}

export class Registry {
  readonly #parts: RegistryParts;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #consumers = new Set<EmbeddedConsumer>();

  constructor(parts: RegistryParts) {
    this.#parts = parts;
  }

  consume(spec: SubscriptionSpec, handler: BatchHandler): Consumer {
    let subscription: Subscription;
    try {
      subscription = this.#subscribe(spec);
    } catch (error) {
      return endedConsumer(brokerError(error));
    }
    const parts = { ...this.#parts, subscription, ended: (ended: EmbeddedConsumer) => this.#ended(ended) };
    const consumer = new EmbeddedConsumer(spec, handler, parts);
    this.#consumers.add(consumer);
    return consumer;
  }

  #subscribe(spec: SubscriptionSpec): Subscription {
    this.#refuseDifference(spec, this.#stored(spec.name));
    const name = spec.sharing === 'broadcast' ? this.#makeInstance(spec) : spec.name;
    const known = this.#subscriptions.get(name);
    if (known) return known;
    const { store, partitions, clock, journal, lanes } = this.#parts;
    const subscription = new Subscription(this.#stored(name), store, partitions, clock, {
      changed: (changed) => journal.touch(changed),
      wake: () => lanes.wake(),
    });
    this.#subscriptions.set(name, subscription);
    return subscription;
  }

  #stored(name: string): SubscriptionRow {
    const row = this.#parts.store.find(name);
    if (!row) throw missing(name);
    return row;
  }

  #refuseDifference(spec: SubscriptionSpec, stored: SubscriptionRow): void {
    const isSame =
      stored.topic === this.#parts.partitions.topicId(spec.topic) &&
      stored.lane === spec.lane &&
      stored.service === spec.service &&
      stored.sharing === spec.sharing;
    if (isSame) return;
    const text = `Subscription ${spec.name} exists with another topic, lane, service or sharing: give the new one another name.`;
    throw new Misconfigured('subscription_differs', text);
  }

  /** A broadcast's instance has a subscription of its own; it starts at the end of what is published by now. */
  #makeInstance(spec: SubscriptionSpec): string {
    const { journal, random, clock, database, store, partitions } = this.#parts;
    journal.flush();
    const name = `${spec.name}#${random.id()}`;
    const expiresMs = Math.floor(clock.nowMicros() / MICROS_PER_MS) + INSTANCE_EXPIRES_MS;
    transaction(database, () => store.make(spec, name, partitions.topicId(spec.topic), expiresMs));
    return name;
  }

  #ended(consumer: EmbeddedConsumer): void {
    const { subscription } = consumer;
    this.#consumers.delete(consumer);
    if ([...this.#consumers].some((other) => other.subscription === subscription)) return;
    const { journal, housekeeping } = this.#parts;
    journal.touch(subscription);
    journal.flush(subscription);
    subscription.close();
    this.#subscriptions.delete(subscription.row.name);
    if (subscription.row.sharing === 'broadcast') housekeeping.forget(subscription.row.id);
  }

  /** Reads anew what a seek, here or elsewhere, has changed. */
  refresh(): void {
    this.#parts.partitions.refresh();
    for (const subscription of this.#subscriptions.values()) {
      if (this.#parts.store.generation(subscription.row.id) !== subscription.row.generation) this.reload(subscription);
    }
  }

  reload(subscription: Subscription): void {
    const generation = this.#parts.store.generation(subscription.row.id);
    if (generation !== undefined) return subscription.reload(generation);
    const gone = missing(subscription.row.name);
    for (const consumer of [...this.#consumers]) if (consumer.subscription === subscription) consumer.fail(gone);
  }

  seek(name: string, timeMs: number): void {
    const { journal, database, store, partitions, housekeeping, lanes } = this.#parts;
    journal.flush();
    const row = this.#stored(name);
    const rows = row.sharing === 'shared' ? [row] : store.instances(name);
    partitions.refresh();
    const ids = partitions.inTopic(row.topic).map(({ id }) => id);
    transaction(database, () => {
      for (const { id } of rows) housekeeping.seek(id, ids, timeMs);
    });
    this.refresh();
    lanes.wake();
  }

  ensure(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): void {
    const { journal, database, partitions, store } = this.#parts;
    journal.flush();
    transaction(database, () => {
      for (const topic of topics) partitions.ensureTopic(topic);
      for (const spec of subscriptions) {
        store.make(spec, spec.name, partitions.topicId(spec.topic), null);
        this.#refuseDifference(spec, this.#stored(spec.name));
      }
    });
  }

  /** Ids of the instances of broadcasts that this thread runs. */
  instances(): readonly number[] {
    const rows = [...this.#subscriptions.values()].map(({ row }) => row);
    return rows.filter(({ sharing }) => sharing === 'broadcast').map(({ id }) => id);
  }

  async close(): Promise<void> {
    for (const consumer of [...this.#consumers]) await consumer.drain(0);
  }
}

function missing(name: string): Misconfigured {
  return new Misconfigured(
    'subscription_missing',
    `There is no subscription ${name}: declare it, so that it is made at start.`,
  );
}

function endedConsumer(error: Error): Consumer {
  const ended = Promise.reject<void>(error);
  ended.catch(() => undefined);
  return { started: ended, ended, pause: async () => undefined, resume: () => undefined, drain: async () => undefined };
}
