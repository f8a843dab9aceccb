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
import { Transient } from '#core/errors.ts';
import type { BatchHandler, Consumer, Message, SubscriptionSpec, Survives } from '#core/ports/broker.ts';
import { laneScheduler } from '../lanes.ts';
import { checkMessages } from '../limits.ts';
import { Backlog, type SubscriptionBacklog } from './backlog.ts';
import { CursorStore } from './cursor-store.ts';
import { openDatabase } from './database.ts';
import { Frames } from './frames.ts';
import { Housekeeping } from './housekeeping.ts';
import { Journal } from './journal.ts';
import { Neighbours, type News } from './neighbours.ts';
import { DEFAULTS, type EmbeddedBroker, type EmbeddedBrokerOptions } from './options.ts';
import { splitByPartition } from './pack.ts';
import { Partitions, type Partition } from './partitions.ts';
import { Registry } from './registry.ts';
import { BulkRoom } from './room.ts';
import { brokerError } from './transaction.ts';
import { Upkeep } from './upkeep.ts';
import { WalSync } from './wal-sync.ts';

export type { SubscriptionBacklog } from './backlog.ts';
export type { BrokerFault, EmbeddedBroker, EmbeddedBrokerOptions } from './options.ts';

/** Opens the file, made if there is none. Throws `DependencyDown` if it cannot be read or written. */
export async function openEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const complete = { ...DEFAULTS, ...options };
  try {
    return new FileBroker(openDatabase(complete.path, complete.diskLimitBytes), complete);
  } catch (error) {
    throw brokerError(error);
  }
}

class FileBroker implements EmbeddedBroker {
  readonly #options: Required<EmbeddedBrokerOptions>;
  readonly #database: DatabaseSync;
  readonly #partitions: Partitions;
  readonly #backlog: Backlog;
  readonly #room: BulkRoom;
  readonly #walSync: WalSync;
  readonly #journal: Journal;
  readonly #registry: Registry;
  readonly #upkeep: Upkeep;
  readonly #neighbours: Neighbours;
  readonly #lanes = laneScheduler();
  #closing: Promise<void> | undefined;

  constructor(database: DatabaseSync, options: Required<EmbeddedBrokerOptions>) {
    const { clock, random, path, compress } = options;
    const fault = (message: string, error: unknown): void => options.onFault({ message, error });
    this.#options = options;
    this.#database = database;
    this.#partitions = new Partitions(database);
    this.#backlog = new Backlog(database, clock);
    this.#room = new BulkRoom(this.#backlog, options.bulkBacklogLimitMessages);
    this.#walSync = new WalSync(database, path);
    const frames = new Frames(database, options.cacheBytes, fault);
    const store = new CursorStore(database, frames, clock);
    const housekeeping = new Housekeeping(database, clock, options);
    this.#journal = new Journal(
      database,
      { store, frames, walSync: this.#walSync, clock, compress },
      {
        published: (partitions) => this.#published(partitions),
        progressed: () => this.#room.check(),
        outdated: (subscription) => this.#registry.reload(subscription),
        fault,
      },
    );
    this.#registry = new Registry({
      ...{ database, partitions: this.#partitions, store, housekeeping, journal: this.#journal },
      ...{ lanes: this.#lanes, clock, random, fault },
    });
    this.#neighbours = new Neighbours(database, path, clock, options.watchMs, (news) => this.#heard(news));
    this.#upkeep = this.#startUpkeep(housekeeping);
  }

  #startUpkeep(housekeeping: Housekeeping): Upkeep {
    const { clock, onFault } = this.#options;
    return new Upkeep(housekeeping, clock, {
      instances: () => this.#registry.instances(),
      burying: () => this.#journal.flush(),
      buried: () => {
        onFault({ message: 'Unread messages were deleted: they were older than the retention.', error: undefined });
        this.#registry.refresh();
        this.#neighbours.tell(undefined);
      },
      failed: (error) =>
        onFault({ message: 'The broker could not tidy its file; it tries again.', error: brokerError(error) }),
    });
  }

  async publish(topic: string, messages: readonly Message[], survives: Survives): Promise<void> {
    checkMessages(messages);
    this.#mustBeOpen();
    try {
      const topicId = this.#partitions.topicId(topic);
      const live = messages.filter((message) => message.attributes.lane !== 'bulk');
      const bulk = live.length === 0 ? messages : messages.filter((message) => message.attributes.lane === 'bulk');
      if (live.length === 0 || bulk.length === 0)
        return await this.#publishLane(topicId, messages, survives, live.length === 0);
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
    const { parts, bytes } = splitByPartition(messages, (lane, addressee) =>
      this.#partitions.of(topic, lane, addressee),
    );
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#journal.publish({ parts, bytes, isBulk, survives, resolve, reject });
    return promise;
  }

  #published(partitions: ReadonlySet<Partition>): void {
    this.#lanes.wake();
    this.#neighbours.tell([...partitions].map(({ id, next }) => [id, next] as const));
  }

  #heard(news: News): void {
    if (this.#closing) return;
    try {
      const isKnown = news?.every(([id, next]) => this.#partitions.hear(id, next)) ?? false;
      if (!isKnown) this.#registry.refresh();
      this.#room.check();
    } catch (error) {
      this.#options.onFault({
        message: 'The broker could not read its file; it tries again.',
        error: brokerError(error),
      });
    }
    this.#lanes.wake();
  }

  consume(spec: SubscriptionSpec, handler: BatchHandler): Consumer {
    this.#mustBeOpen();
    return this.#registry.consume(spec, handler);
  }

  async seek(name: string, time: Date): Promise<void> {
    this.#change(() => this.#registry.seek(name, time.getTime()));
  }

  async ensure(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<void> {
    this.#change(() => this.#registry.ensure(topics, subscriptions));
  }

  #change(change: () => void): void {
    this.#mustBeOpen();
    try {
      change();
    } catch (error) {
      throw brokerError(error);
    }
    this.#neighbours.tell(undefined);
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

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#room.close();
    await this.#registry.close();
    while (!this.#journal.isEmpty) this.#journal.flush();
    await this.#walSync.settled();
    this.#journal.close();
    this.#upkeep.close();
    this.#neighbours.close();
    this.#walSync.close();
    this.#database.close();
  }

  #mustBeOpen(): void {
    if (this.#closing) throw new Transient('broker_closed', 'The broker was closed: open it again.');
  }
}
