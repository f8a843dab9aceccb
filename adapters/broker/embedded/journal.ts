/**
 * Group commit: all publishes and acks of one turn of the event loop share one transaction, and the messages of one
 * partition one frame. Encoding and compression happen before the transaction, so that it is short for other threads.
 * Acks alone may wait `ACKS_WAIT_MS`: losing them in a crash only means that messages come again.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { MICROS_PER_MS, type Clock } from '#core/clock.ts';
import type { CursorStore } from './cursor-store.ts';
import { brokerError, transaction } from './transaction.ts';
import type { Frames } from './frames.ts';
import { pack, type PackedFrame, type PublishJob } from './pack.ts';
import { frameId, type Partition } from './partitions.ts';
import type { Subscription } from './subscription.ts';
import type { WalSync } from './wal-sync.ts';

export interface JournalEvents {
  /** Frames were published: per partition its next frame number. */
  published(partitions: ReadonlySet<Partition>): void;
  /** Acks are in the file: a backlog may have shrunk. */
  progressed(): void;
  /** A seek elsewhere made what this thread knows of the subscription void. */
  outdated(subscription: Subscription): void;
  fault(message: string, error: unknown): void;
}

const ACKS_WAIT_MS = 10;
const RETRY_MS = 1_000;
/** One turn's transaction takes no more than this (and at least one publish), or it would hold up the thread. */
const TURN_BYTES = 8 * 1024 * 1024;

export class Journal {
  readonly #database: DatabaseSync;
  readonly #store: CursorStore;
  readonly #frames: Frames;
  readonly #walSync: WalSync;
  readonly #clock: Clock;
  readonly #compress: boolean;
  readonly #events: JournalEvents;
  readonly #selectPartition: StatementSync;
  readonly #updatePartition: StatementSync;
  readonly #insertFrame: StatementSync;
  readonly #jobs: { readonly live: PublishJob[]; bulk: PublishJob[] } = { live: [], bulk: [] };
  readonly #changed = new Set<Subscription>();
  #isScheduled = false;
  /** The last attempt to store acks failed: not every batch that is handed tries again, only the timer. */
  #isRefused = false;
  #cancelTimer: (() => void) | undefined;

  constructor(
    database: DatabaseSync,
    parts: {
      readonly store: CursorStore;
      readonly frames: Frames;
      readonly walSync: WalSync;
      readonly clock: Clock;
      readonly compress: boolean;
    },
    events: JournalEvents,
  ) {
    this.#database = database;
    this.#store = parts.store;
    this.#frames = parts.frames;
    this.#walSync = parts.walSync;
    this.#clock = parts.clock;
    this.#compress = parts.compress;
    this.#events = events;
    this.#selectPartition = database.prepare('SELECT next, messages, bytes, published_ms FROM partitions WHERE id = ?');
    this.#updatePartition = database.prepare(
      'UPDATE partitions SET next = ?, messages = ?, bytes = ?, published_ms = ? WHERE id = ?',
    );
    this.#insertFrame = database.prepare(
      'INSERT INTO frames (id, published_ms, count, bytes, messages_before, bytes_before, compressed, crc, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    );
  }

  get isEmpty(): boolean {
    return this.#jobs.live.length === 0 && this.#jobs.bulk.length === 0;
  }

  publish(job: PublishJob): void {
    this.#jobs[job.isBulk ? 'bulk' : 'live'].push(job);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** The subscription has acks to store, some time soon. */
  touch(subscription: Subscription): void {
    this.#changed.add(subscription);
    this.#cancelTimer ??= this.#clock.after(ACKS_WAIT_MS, () => this.#timedOut());
  }

  /**
   * Commits what waits. Never throws: publishers are told by their promise, acks stay and are tried again. `closing` is a
   * subscription nobody here reads any more: what it has not acked counts as never handed.
   */
  flush(closing?: Subscription): void {
    const jobs = this.#takeJobs();
    if (jobs.length === 0 && (this.#changed.size === 0 || (this.#isRefused && !closing))) return;
    try {
      const packed = pack(jobs, this.#compress);
      this.#commit(packed, closing);
      for (const job of jobs) this.#kept(job);
    } catch (error) {
      for (const job of jobs) job.reject(brokerError(error));
      if (jobs.length > 0) this.#commitAcksAlone(closing);
      else this.#acksFailed(error);
    }
    if (!this.isEmpty) this.#schedule();
  }

  #takeJobs(): readonly PublishJob[] {
    const taken = this.#jobs.live.splice(0);
    let bytes = 0;
    let count = 0;
    for (; count < this.#jobs.bulk.length && bytes < TURN_BYTES; count++)
      bytes += (this.#jobs.bulk[count] as PublishJob).bytes;
    taken.push(...this.#jobs.bulk.splice(0, count));
    return taken;
  }

  #kept(job: PublishJob): void {
    if (job.survives === 'power') this.#walSync.add(job);
    else job.resolve();
  }

  #commit(packed: ReadonlyMap<Partition, readonly PackedFrame[]>, closing: Subscription | undefined): void {
    const outdated: Subscription[] = [];
    const kept: (() => void)[] = [];
    transaction(this.#database, () => {
      for (const [partition, frames] of packed) kept.push(this.#write(partition, frames));
      for (const subscription of this.#changed) {
        if (!this.#store.write(subscription, subscription === closing)) outdated.push(subscription);
      }
    });
    for (const keep of kept) keep();
    this.#stored();
    for (const subscription of outdated) this.#events.outdated(subscription);
    if (packed.size > 0) this.#events.published(new Set(packed.keys()));
  }

  #stored(): void {
    if (this.#changed.size === 0) return;
    for (const subscription of this.#changed) {
      for (const cursor of subscription.cursors()) cursor.stored();
      subscription.mustStore = false;
    }
    this.#changed.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#events.progressed();
  }

  /** With a full disk no publish is possible, but acks are: they make room. */
  #commitAcksAlone(closing: Subscription | undefined): void {
    try {
      if (this.#changed.size > 0) this.#commit(new Map(), closing);
    } catch (error) {
      this.#acksFailed(error);
    }
  }

  #acksFailed(error: unknown): void {
    this.#events.fault('Acks could not be stored; they are tried again.', brokerError(error));
    this.#isRefused = true;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(RETRY_MS, () => this.#timedOut());
  }

  #timedOut(): void {
    this.#cancelTimer = undefined;
    this.#isRefused = false;
    this.flush();
  }

  close(): void {
    this.#cancelTimer?.();
    this.#changed.clear();
  }

  /** Answers what to remember once the transaction is committed. */
  #write(partition: Partition, frames: readonly PackedFrame[]): () => void {
    const row = this.#selectPartition.get(partition.id);
    let next = Number(row?.next);
    let messages = Number(row?.messages);
    let bytes = Number(row?.bytes);
    // Never less than the frame before, whatever the wall clock does: seek and retention search by time.
    const publishedMs = Math.max(Math.floor(this.#clock.nowMicros() / MICROS_PER_MS), Number(row?.published_ms));
    const first = next;
    for (const { count, bodyBytes, stored } of frames) {
      const id = frameId(partition.id, next);
      this.#insertFrame.run(
        id,
        publishedMs,
        count,
        bodyBytes,
        messages,
        bytes,
        stored.isCompressed ? 1 : 0,
        stored.crc,
        stored.data,
      );
      next++;
      messages += count;
      bytes += bodyBytes;
    }
    this.#updatePartition.run(next, messages, bytes, publishedMs, partition.id);
    return () => {
      partition.next = next;
      frames.forEach((frame, at) => {
        const facts = { publishedMs, count: frame.count, bytes: frame.bodyBytes };
        this.#frames.keep(frameId(partition.id, first + at), facts, frame.raw);
      });
    };
  }
}
