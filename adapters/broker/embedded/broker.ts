/**
 * The broker of the embedded runtime: the port over one SQLite file. It owns the parts and the order in which they act:
 *
 *     publish ─▶ limits ─▶ room ─▶ journal (one transaction a turn) ─▶ frames ─▶ cursors ─▶ intake ─▶ handler
 *                                     ▲                                                        │
 *                                     └──────────────── acks, in the next transaction ◀────────┘
 *
 * Several threads or processes may open the same file; one of them consumes a given shared subscription at a time.
 */
import type { DatabaseSync } from 'node:sqlite';
import { MICROS_PER_MS } from '#core/clock.ts';
import { Misconfigured, Transient } from '#core/errors.ts';
import type { BatchHandler, Consumer, Message, SubscriptionSpec, Survives } from '#core/ports/broker.ts';
import { laneScheduler } from '../lanes.ts';
import { checkMessages } from '../limits.ts';
import { Backlog, type SubscriptionBacklog } from './backlog.ts';
import { EmbeddedConsumer } from './consumer.ts';
import { CursorStore, type SubscriptionRow } from './cursor-store.ts';
import { openDatabase } from './database.ts';
import { Frames } from './frames.ts';
import { Housekeeping, INSTANCE_EXPIRES_MS } from './housekeeping.ts';
import { Journal } from './journal.ts';
import { Neighbours, type News } from './neighbours.ts';
import { DEFAULTS, type EmbeddedBroker, type EmbeddedBrokerOptions } from './options.ts';
import type { PublishJob } from './pack.ts';
import { Partitions, type Partition } from './partitions.ts';
import { BulkRoom } from './room.ts';
import { Subscription } from './subscription.ts';
import { brokerError, transaction } from './transaction.ts';
import { WalSync } from './wal-sync.ts';

export type { BrokerFault, EmbeddedBroker, EmbeddedBrokerOptions } from './options.ts';

const HOUSEKEEPING_MS = 1_000;
const BURIAL_MS = 60_000;

export async function openEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  try {
    return new FileBroker({ ...DEFAULTS, ...options });
  } catch (error) {
    throw brokerError(error);
  }
}

class FileBroker implements EmbeddedBroker {
  readonly #options: Required<EmbeddedBrokerOptions>;
  readonly #database: DatabaseSync;
  readonly #partitions: Partitions;
  readonly #store: CursorStore;
  readonly #backlog: Backlog;
  readonly #room: BulkRoom;
  readonly #housekeeping: Housekeeping;
  readonly #walSync: WalSync;
  readonly #journal: Journal;
  readonly #neighbours: Neighbours;
  readonly #lanes = laneScheduler();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #consumers = new Set<EmbeddedConsumer>();
  #cancelHousekeeping: (() => void) | undefined;
  #buriedMs = -Infinity;
  #isClosed = false;

  constructor(options: Required<EmbeddedBrokerOptions>) {
    this.#options = options;
    const { clock, path } = options;
    this.#database = openDatabase(path, options.diskLimitBytes);
    this.#partitions = new Partitions(this.#database);
    const frames = new Frames(this.#database, options.cacheBytes, (message, error) => this.#fault(message, error));
    this.#store = new CursorStore(this.#database, frames, clock);
    this.#backlog = new Backlog(this.#database, clock);
    this.#room = new BulkRoom(this.#backlog, options.bulkBacklogLimitMessages);
    this.#housekeeping = new Housekeeping(this.#database, clock, options);
    this.#walSync = new WalSync(this.#database, path);
    const parts = { store: this.#store, frames, walSync: this.#walSync, clock, compress: options.compress };
    this.#journal = new Journal(this.#database, parts, {
      published: (partitions) => this.#published(partitions),
      progressed: () => this.#room.check(),
      outdated: (subscription) => this.#reload(subscription),
      fault: (message, error) => this.#fault(message, error),
    });
    this.#neighbours = new Neighbours(this.#database, path, clock, options.watchMs, (news) => this.#heard(news));
    this.#keepHouse();
  }

  async publish(topic: string, messages: readonly Message[], survives: Survives): Promise<void> {
    checkMessages(messages);
    this.#mustBeOpen();
    try {
      const topicId = this.#partitions.topicId(topic);
      const live = messages.filter((message) => message.attributes.lane !== 'bulk');
      const bulk = live.length === 0 ? messages : messages.filter((message) => message.attributes.lane === 'bulk');
      await Promise.all([
        this.#publishLane(topicId, live, survives, false),
        this.#publishLane(topicId, bulk, survives, true),
      ]);
    } catch (error) {
      throw brokerError(error);
    }
  }

  async #publishLane(topic: number, messages: readonly Message[], survives: Survives, isBulk: boolean): Promise<void> {
    if (messages.length === 0) return;
    if (isBulk && this.#room.isFull(topic)) {
      await this.#room.wait(topic);
      this.#mustBeOpen();
    }
    const { parts, bytes } = this.#partition(topic, messages);
    return new Promise((resolve, reject) => {
      const job: PublishJob = { parts, bytes, isBulk, survives, resolve, reject };
      this.#journal.publish(job);
    });
  }

  #partition(topic: number, messages: readonly Message[]): Pick<PublishJob, 'parts' | 'bytes'> {
    const parts = new Map<Partition, Message[]>();
    let bytes = 0;
    let part: Message[] | undefined;
    let lane: string | undefined;
    let addressee: string | undefined;
    for (const message of messages) {
      const { attributes } = message;
      if (!part || attributes.lane !== lane || attributes.to !== addressee) {
        ({ lane, to: addressee } = attributes);
        const partition = this.#partitions.of(topic, lane ?? '', addressee ?? '');
        part = parts.get(partition);
        if (!part) parts.set(partition, (part = []));
      }
      part.push(message);
      bytes += message.body.byteLength;
    }
    return { parts, bytes };
  }

  #published(partitions: ReadonlySet<Partition>): void {
    this.#lanes.wake();
    this.#neighbours.tell([...partitions].map(({ id, next }) => [id, next] as const));
  }

  #heard(news: News): void {
    const isKnown = news?.every(([id, next]) => this.#partitions.hear(id, next)) ?? false;
    if (!isKnown) this.#refresh();
    this.#room.check();
    this.#lanes.wake();
  }

  #refresh(): void {
    this.#partitions.refresh();
    for (const subscription of this.#subscriptions.values()) {
      if (this.#store.generation(subscription.row.id) !== subscription.row.generation) this.#reload(subscription);
    }
  }

  #reload(subscription: Subscription): void {
    const generation = this.#store.generation(subscription.row.id);
    if (generation !== undefined) return subscription.reload(generation);
    const gone = missing(subscription.row.name);
    for (const consumer of this.#consumers) if (consumer.subscription === subscription) consumer.fail(gone);
  }

  consume(spec: SubscriptionSpec, handler: BatchHandler): Consumer {
    this.#mustBeOpen();
    const subscription = this.#subscribe(spec);
    if (subscription instanceof Error) return endedConsumer(subscription);
    const consumer = new EmbeddedConsumer(spec, handler, {
      subscription,
      journal: this.#journal,
      lanes: this.#lanes,
      clock: this.#options.clock,
      fault: (message, error) => this.#fault(message, error),
      ended: (ended) => this.#ended(ended),
    });
    this.#consumers.add(consumer);
    return consumer;
  }

  #subscribe(spec: SubscriptionSpec): Subscription | Error {
    const declared = this.#store.find(spec.name);
    const fault = declared ? this.#difference(spec, declared) : missing(spec.name);
    if (fault) return fault;
    const name = spec.sharing === 'broadcast' ? this.#makeInstance(spec) : spec.name;
    const known = this.#subscriptions.get(name);
    if (known) return known;
    const row = this.#store.find(name) as SubscriptionRow;
    const subscription = new Subscription(row, this.#store, this.#partitions, this.#options.clock, {
      changed: (changed) => this.#journal.touch(changed),
      wake: () => this.#lanes.wake(),
    });
    this.#subscriptions.set(name, subscription);
    return subscription;
  }

  #difference(spec: SubscriptionSpec, stored: SubscriptionRow): Misconfigured | undefined {
    const isSame =
      stored.topic === this.#partitions.topicId(spec.topic) &&
      stored.lane === spec.lane &&
      stored.service === spec.service &&
      stored.sharing === spec.sharing;
    if (isSame) return undefined;
    const text = `Subscription ${spec.name} exists with another topic, lane, service or sharing: give the new one another name.`;
    return new Misconfigured('subscription_differs', text);
  }

  #makeInstance(spec: SubscriptionSpec): string {
    this.#journal.flush();
    const name = `${spec.name}#${this.#options.random.id()}`;
    const expiresMs = Math.floor(this.#options.clock.nowMicros() / MICROS_PER_MS) + INSTANCE_EXPIRES_MS;
    transaction(this.#database, () => this.#store.make(spec, name, this.#partitions.topicId(spec.topic), expiresMs));
    return name;
  }

  #ended(consumer: EmbeddedConsumer): void {
    const { subscription } = consumer;
    this.#consumers.delete(consumer);
    if ([...this.#consumers].some((other) => other.subscription === subscription)) return;
    this.#journal.touch(subscription);
    this.#journal.flush(subscription);
    subscription.close();
    this.#subscriptions.delete(subscription.row.name);
    if (subscription.row.sharing === 'broadcast') this.#housekeeping.forget(subscription.row.id);
  }

  async seek(name: string, time: Date): Promise<void> {
    this.#mustBeOpen();
    this.#journal.flush();
    try {
      const row = this.#store.find(name);
      if (!row) throw missing(name);
      const rows = row.sharing === 'shared' ? [row] : this.#store.instances(name);
      this.#partitions.refresh();
      const partitions = this.#partitions.inTopic(row.topic).map(({ id }) => id);
      transaction(this.#database, () => {
        for (const { id } of rows) this.#housekeeping.seek(id, partitions, time.getTime());
      });
    } catch (error) {
      throw brokerError(error);
    }
    this.#refresh();
    this.#lanes.wake();
    this.#neighbours.tell(undefined);
  }

  async ensure(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<void> {
    this.#mustBeOpen();
    this.#journal.flush();
    try {
      transaction(this.#database, () => {
        for (const topic of topics) this.#partitions.ensureTopic(topic);
        for (const spec of subscriptions) this.#ensureSubscription(spec);
      });
    } catch (error) {
      throw brokerError(error);
    }
    this.#neighbours.tell(undefined);
  }

  #ensureSubscription(spec: SubscriptionSpec): void {
    const topic = this.#partitions.topicId(spec.topic);
    this.#store.make(spec, spec.name, topic, null);
    const stored = this.#store.find(spec.name);
    const difference = stored && this.#difference(spec, stored);
    if (difference) throw difference;
  }

  backlog(): readonly SubscriptionBacklog[] {
    this.#mustBeOpen();
    this.#journal.flush();
    return this.#backlog.all();
  }

  isIdle(): boolean {
    this.#mustBeOpen();
    if (!this.#journal.isEmpty) return false;
    this.#journal.flush();
    return this.#backlog.isEmpty();
  }

  #keepHouse(): void {
    this.#cancelHousekeeping = this.#options.clock.after(HOUSEKEEPING_MS, () => {
      try {
        this.#tidy();
      } catch (error) {
        this.#fault('The broker could not tidy its file; it tries again.', brokerError(error));
      }
      this.#keepHouse();
    });
  }

  #tidy(): void {
    const instances = [...this.#subscriptions.values()].filter(({ row }) => row.sharing === 'broadcast');
    this.#housekeeping.renewInstances(instances.map(({ row }) => row.id));
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#buriedMs >= BURIAL_MS) {
      this.#buriedMs = nowMs;
      this.#bury();
    }
    this.#sweep();
  }

  #bury(): void {
    this.#journal.flush();
    if (!this.#housekeeping.bury()) return;
    this.#fault('Unread messages were deleted: they were older than the retention.', undefined);
    this.#refresh();
    this.#neighbours.tell(undefined);
  }

  #sweep(): void {
    if (!this.#isClosed && this.#housekeeping.sweep()) setImmediate(() => this.#sweep());
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    for (const consumer of this.#consumers) await consumer.drain(0);
    while (!this.#journal.isEmpty) this.#journal.flush();
    await this.#walSync.settled();
    this.#isClosed = true;
    this.#room.close();
    this.#journal.close();
    this.#cancelHousekeeping?.();
    this.#neighbours.close();
    this.#walSync.close();
    this.#database.close();
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new Transient('broker_closed', 'The broker was closed: open it again.');
  }

  #fault(message: string, error: unknown): void {
    this.#options.onFault({ message, error });
  }
}

function missing(name: string): Misconfigured {
  return new Misconfigured(
    'subscription_missing',
    `There is no subscription ${name}: declare it, so that it is made at start.`,
  );
}

function endedConsumer(error: Error): Consumer {
  const ended = Promise.reject(error);
  ended.catch(() => undefined);
  return { ended, pause: async () => undefined, resume: () => undefined, drain: async () => undefined };
}
