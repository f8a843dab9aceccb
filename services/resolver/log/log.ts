/**
 * The resolver's log: what changed, in segments, and a promise for everything handed in so far. Several batches share a
 * segment; one is stored at a time, so they become durable in order. A segment that could not be stored is kept and goes
 * first at the next attempt: what is in memory is never ahead of the log for good.
 */
import type { Clock } from '#core/clock.ts';
import { Stale } from '#core/errors.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { Entry, EntryCodec } from './entries.ts';
import type { Fence } from './fence.ts';
import { segmentName, type Position } from './names.ts';
import { SegmentWriter, type SegmentHeader } from './segment.ts';

export interface LogOptions {
  readonly objects: ObjectsPort;
  readonly clock: Clock;
  readonly codec: EntryCodec;
  readonly fence: Fence;
  readonly epoch: number;
  /** Of a segment, when it is stored. */
  readonly header: () => SegmentHeader;
  /** How long a segment waits for more, unless it is full. */
  readonly lingerMs: number;
  readonly segmentEntries: number;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

interface Sealed {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export class Log {
  readonly #options: LogOptions;
  readonly #open: SegmentWriter;
  #waiters: Waiter[] = [];
  #unstored: Sealed | undefined;
  /** Stored, and not yet known whether a newer owner has begun. */
  #unchecked = false;
  #stale: Stale | undefined;
  #wasSettled = false;
  #number = 0;
  #storedNumber = 0;
  #storedBytes = 0;
  #storing = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: LogOptions) {
    this.#options = options;
    this.#open = new SegmentWriter(options.codec);
  }

  /** The last segment stored, and with it everything before. */
  get position(): Position {
    return { epoch: this.#options.epoch, number: this.#storedNumber };
  }

  /** Compressed bytes stored by this owner. */
  get storedBytes(): number {
    return this.#storedBytes;
  }

  get isBusy(): boolean {
    return this.#storing || this.#open.entries > 0 || this.#unstored !== undefined || this.#unchecked;
  }

  append(entry: Entry): void {
    this.#open.add(entry);
  }

  /** Resolves when everything appended so far is durable and no newer owner has begun. Rejects when storing failed. */
  durable(): Promise<void> {
    if (this.#stale !== undefined) return Promise.reject(this.#stale);
    if (!this.isBusy) return Promise.resolve();
    const waiting = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.#schedule();
    return waiting;
  }

  /** Stores what is there without a linger; an empty segment too, if only it can say that all is decided. */
  async close(): Promise<void> {
    while (this.isBusy) {
      const stored = this.durable();
      this.#begin();
      await stored;
    }
    if (!this.#wasSettled && this.#options.header().isSettled) await this.#put(await this.#seal());
  }

  #schedule(): void {
    if (this.#storing) return;
    const { clock, lingerMs, segmentEntries } = this.#options;
    if (this.#open.entries >= segmentEntries) this.#begin();
    else this.#cancelTimer ??= clock.after(lingerMs, () => this.#begin());
  }

  #begin(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    if (!this.#storing) void this.#store();
  }

  async #store(): Promise<void> {
    this.#storing = true;
    const waiters = this.#waiters;
    this.#waiters = [];
    try {
      if (this.#unstored !== undefined) await this.#put(this.#unstored);
      if (this.#open.entries > 0) await this.#put(await this.#seal());
      await this.#check();
      for (const { resolve } of waiters) resolve();
    } catch (error) {
      for (const { reject } of waiters) reject(error);
    } finally {
      this.#storing = false;
      if (this.#waiters.length > 0) this.#schedule();
    }
  }

  async #check(): Promise<void> {
    try {
      await this.#options.fence.check();
      this.#unchecked = false;
    } catch (error) {
      if (error instanceof Stale) this.#stale = error;
      throw error;
    }
  }

  async #seal(): Promise<Sealed> {
    this.#number += 1;
    const name = segmentName({ epoch: this.#options.epoch, number: this.#number });
    const header = this.#options.header();
    this.#wasSettled = header.isSettled;
    return (this.#unstored = { name, bytes: await this.#open.seal(header) });
  }

  async #put({ name, bytes }: Sealed): Promise<void> {
    await this.#options.objects.put(name, bytes);
    this.#storedNumber = this.#number;
    this.#storedBytes += bytes.length;
    this.#unstored = undefined;
    this.#unchecked = true;
  }
}
