/**
 * What waits to be written to one table in one lane. Batches form across handler calls, by rows, bytes and age; at most one
 * write of a queue is under way.
 *
 *     empty ──add──▶ lingering ──full, or the linger is over──▶ writing ──nothing left──▶ empty
 *                        ▲                                        └─────rows came meanwhile┐
 *                        └─────────────────────────────────────────────────────────────────┘
 */
import type { Clock } from '#core/clock.ts';
import type { Row } from '#core/ports/warehouse.ts';
import type { Delivery } from './delivery.ts';

export interface Pending {
  readonly row: Row;
  readonly bytes: number;
  readonly changedAtMicros: number | null;
  readonly delivery: Delivery;
  /** Of its message in the delivery. */
  readonly index: number;
}

export interface BatchLimits {
  readonly rows: number;
  readonly bytes: number;
  readonly lingerMs: number;
}

export interface QueueOptions {
  readonly limits: BatchLimits;
  readonly clock: Clock;
  /** Writes and settles every one it is given, except those it answers: they take the next turn. */
  readonly write: (batch: readonly Pending[]) => Promise<readonly Pending[]>;
}

export class TableQueue {
  readonly #options: QueueOptions;
  #pending: Pending[] = [];
  #bytes = 0;
  #dueMs = 0;
  #cancelTimer: (() => void) | undefined;
  #writing = false;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#writing || this.#pending.length > 0;
  }

  /** `lingerMs`: how long this row may wait for others. */
  add(pending: Pending, lingerMs: number): void {
    const dueMs = this.#options.clock.monotonicMs() + lingerMs;
    const isSooner = this.#pending.length === 0 || dueMs < this.#dueMs;
    if (isSooner) {
      this.#dueMs = dueMs;
      this.#disarm();
    }
    this.#pending.push(pending);
    this.#bytes += pending.bytes;
    this.#arm();
  }

  /** Releases everything that waits. */
  fail(error: unknown): void {
    for (const { delivery } of this.#pending) delivery.fail(error);
    this.#pending = [];
    this.#bytes = 0;
    this.#disarm();
  }

  #arm(): void {
    if (this.#writing) return;
    if (this.#isFull()) {
      void this.#drain();
    } else {
      const { clock } = this.#options;
      this.#cancelTimer ??= clock.after(this.#dueMs - clock.monotonicMs(), () => void this.#drain());
    }
  }

  #disarm(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #isFull(): boolean {
    return this.#pending.length >= this.#options.limits.rows || this.#bytes >= this.#options.limits.bytes;
  }

  async #drain(): Promise<void> {
    this.#disarm();
    this.#writing = true;
    do {
      const batch = this.#take();
      const again = batch.length === 0 ? [] : await this.#write(batch);
      for (const pending of again) this.#bytes += pending.bytes;
      this.#pending.unshift(...again);
    } while (this.#isDue());
    this.#writing = false;
    if (this.#pending.length > 0) this.#arm();
  }

  async #write(batch: readonly Pending[]): Promise<readonly Pending[]> {
    try {
      return await this.#options.write(batch);
    } catch (error) {
      for (const { delivery } of batch) delivery.fail(error);
      return [];
    }
  }

  #isDue(): boolean {
    return this.#isFull() || (this.#pending.length > 0 && this.#options.clock.monotonicMs() >= this.#dueMs);
  }

  /** As many as one write may hold, without those that nobody waits for. */
  #take(): Pending[] {
    const { limits, clock } = this.#options;
    const batch: Pending[] = [];
    let bytes = 0;
    let taken = 0;
    for (const pending of this.#pending) {
      if (batch.length >= limits.rows || bytes >= limits.bytes) break;
      taken += 1;
      this.#bytes -= pending.bytes;
      if (pending.delivery.isOver) continue;
      batch.push(pending);
      bytes += pending.bytes;
    }
    this.#pending = taken === this.#pending.length ? [] : this.#pending.slice(taken);
    this.#dueMs = clock.monotonicMs() + limits.lingerMs;
    return batch;
  }
}
