/**
 * What waits to be archived of one source and lane. Files form across handler calls, by bytes, messages and age; a call is
 * answered when the file that holds its messages is durable, so what is not stored yet is the broker's to keep.
 *
 *     empty ──add──▶ lingering ──full, due, or stopping──▶ storing ──▶ answered: ack
 *                                                             └─ storage is down ──▶ released: comes again
 */
import type { Clock } from '#core/clock.ts';
import { ack, type Disposition } from '#core/disposition.ts';
import type { Delivered } from '#core/ports/broker.ts';

export interface ShelfLimits {
  readonly bytes: number;
  readonly messages: number;
  readonly lingerMs: number;
}

export interface ShelfOptions {
  readonly limits: ShelfLimits;
  readonly clock: Clock;
  /** Resolves when the messages are durable. */
  readonly store: (messages: readonly Delivered[]) => Promise<void>;
}

interface Call {
  readonly batch: readonly Delivered[];
  readonly signal: AbortSignal;
  readonly settled: PromiseWithResolvers<readonly Disposition[]>;
}

export class Shelf {
  readonly #options: ShelfOptions;
  #calls: Call[] = [];
  #messages = 0;
  #bytes = 0;
  #storing = 0;
  #isStopping = false;
  #cancelTimer: (() => void) | undefined;

  constructor(options: ShelfOptions) {
    this.#options = options;
  }

  get isBusy(): boolean {
    return this.#storing > 0 || this.#calls.length > 0;
  }

  add(batch: readonly Delivered[], signal: AbortSignal): Promise<readonly Disposition[]> {
    const { limits, clock } = this.#options;
    const settled = Promise.withResolvers<readonly Disposition[]>();
    this.#calls.push({ batch, signal, settled });
    this.#messages += batch.length;
    this.#bytes += batch.reduce((sum, { body }) => sum + body.byteLength, 0);
    const isFull = this.#bytes >= limits.bytes || this.#messages >= limits.messages;
    if (isFull || this.#isStopping) void this.#flush();
    else this.#cancelTimer ??= clock.after(limits.lingerMs, () => void this.#flush());
    return settled.promise;
  }

  /** Nothing lingers any more. */
  stop(): void {
    this.#isStopping = true;
    void this.#flush();
  }

  /** Without the calls that nobody waits for: their messages come again. */
  async #flush(): Promise<void> {
    const calls = this.#take();
    if (calls.length === 0) return;
    this.#storing += 1;
    try {
      await this.#options.store(calls.flatMap(({ batch }) => batch));
      for (const { batch, settled } of calls) settled.resolve(batch.map(() => ack));
    } catch (error) {
      for (const { settled } of calls) settled.reject(error);
    } finally {
      this.#storing -= 1;
    }
  }

  #take(): readonly Call[] {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const calls = this.#calls;
    [this.#calls, this.#messages, this.#bytes] = [[], 0, 0];
    return calls.filter(({ signal, settled }) => {
      if (signal.aborted) settled.reject(signal.reason);
      return !signal.aborted;
    });
  }
}
