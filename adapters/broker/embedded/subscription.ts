/**
 * One subscription as this thread knows it: its cursors, in as many partitions as its filter takes, shared by all of its
 * consumers here. One thread consumes a given shared subscription at a time: a second one would get everything as well,
 * because leases are in memory (nothing would be lost).
 */
import type { Clock } from '#core/clock.ts';
import type { Disposition } from '#core/disposition.ts';
import type { Lane, SubscriptionSpec } from '#core/ports/broker.ts';
import { laneOf, wantsPartition } from '../filter.ts';
import type { LogEntry, PartitionCursor } from './cursor.ts';
import type { CursorStore } from './cursor-store.ts';
import type { SubscriptionRow } from './rows.ts';
import type { Partitions } from './partitions.ts';

export interface SubscriptionEvents {
  /** Something is to be stored: soon, and before a batch is handed if `mustStore`. */
  changed(subscription: Subscription): void;
  wake(): void;
}

/** Pub/Sub's longest back-off. */
const LONGEST_RETRY_MS = 600_000;
/** A message retried again and again without a delay comes back a little later each time. */
const LONGEST_SELF_DELAY_MS = 1_000;

export class Subscription {
  readonly row: SubscriptionRow;
  readonly #store: CursorStore;
  readonly #partitions: Partitions;
  readonly #clock: Clock;
  readonly #events: SubscriptionEvents;
  #cursors: Record<Lane, PartitionCursor[]> = { live: [], bulk: [] };
  #known = new Set<number>();
  #partitionsVersion = -1;
  #turn = 0;
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  /** Frames were read that the file does not know to be handed yet. */
  mustStore = false;

  constructor(
    row: SubscriptionRow,
    store: CursorStore,
    partitions: Partitions,
    clock: Clock,
    events: SubscriptionEvents,
  ) {
    this.row = row;
    this.#store = store;
    this.#partitions = partitions;
    this.#clock = clock;
    this.#events = events;
  }

  get wanted(): Pick<SubscriptionSpec, 'lane' | 'service'> {
    return this.row;
  }

  cursors(): readonly PartitionCursor[] {
    return [...this.#cursors.live, ...this.#cursors.bulk];
  }

  pull(lane: Lane, messages: number): readonly LogEntry[] {
    this.#sync();
    const cursors = this.#cursors[lane];
    if (!cursors.some((cursor) => cursor.hasMore())) return [];
    const entries: LogEntry[] = [];
    this.#turn++;
    for (let step = 0; step < cursors.length && entries.length < messages; step++) {
      (cursors[(this.#turn + step) % cursors.length] as PartitionCursor).pull(entries, messages);
    }
    this.mustStore = true;
    this.#events.changed(this);
    return entries;
  }

  /** A partition made since is read from its start: whatever is in it was published after this subscription existed. */
  #sync(): void {
    if (this.#partitionsVersion === this.#partitions.version) return;
    this.#partitionsVersion = this.#partitions.version;
    for (const partition of this.#partitions.inTopic(this.row.topic)) {
      if (this.#known.has(partition.id) || !wantsPartition(this.row, partition.lane, partition.addressee)) continue;
      this.#known.add(partition.id);
      this.#cursors[laneOf(partition.lane)].push(this.#store.load(this.row.id, partition));
    }
  }

  answered(entries: readonly LogEntry[], dispositions: readonly Disposition[]): void {
    for (let at = 0; at < entries.length; at++) {
      const entry = entries[at] as LogEntry;
      const disposition = dispositions[at] as Disposition;
      if (disposition.kind === 'retry') this.#retry(entry, disposition.afterMs);
      else entry.cursor.ack(entry.acks, entry.index, entry.bytes);
    }
    this.#events.changed(this);
  }

  #retry(entry: LogEntry, afterMs: number): void {
    const selfDelayMs = Math.min(5 * 2 ** entry.acks.attempts(entry.index), LONGEST_SELF_DELAY_MS);
    const delayMs = Math.min(Math.max(afterMs, selfDelayMs), LONGEST_RETRY_MS);
    const dueMs = this.#clock.monotonicMs() + delayMs;
    entry.cursor.giveBack(entry.acks, entry.index, dueMs, true);
    this.#wakeAt(dueMs);
  }

  #wakeAt(dueMs: number): void {
    if (this.#timer && this.#timer.atMs <= dueMs) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(dueMs - this.#clock.monotonicMs(), () => {
      this.#timer = undefined;
      this.#events.wake();
      const firstDueMs = Math.min(...this.cursors().map((cursor) => cursor.firstDueMs ?? Infinity));
      if (firstDueMs < Infinity) this.#wakeAt(Math.max(firstDueMs, this.#clock.monotonicMs() + 1));
    });
    this.#timer = { atMs: dueMs, cancel };
  }

  released(entries: readonly LogEntry[], wasHanded: boolean): void {
    const nowMs = this.#clock.monotonicMs();
    for (const { cursor, acks, index } of entries) cursor.giveBack(acks, index, nowMs, wasHanded);
    this.#events.wake();
  }

  /** After a seek: what is under way no longer counts, and the place is read from the file. */
  reload(generation: number): void {
    for (const cursor of this.cursors()) cursor.drop();
    this.row.generation = generation;
    this.#cursors = { live: [], bulk: [] };
    this.#known = new Set();
    this.#partitionsVersion = -1;
    this.mustStore = false;
    this.#events.wake();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
