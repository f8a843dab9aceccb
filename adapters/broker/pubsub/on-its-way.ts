/** Messages given back that will be delivered again: the server keeps them for a while, and tells nobody. */
import type { Clock } from '#core/clock.ts';
import { LONGEST_BACKOFF_SECONDS } from './resources.ts';

/** After that somebody else has it, or had it. */
const FORGOTTEN_AFTER_MS = (LONGEST_BACKOFF_SECONDS + 10) * 1_000;

export class Returning {
  readonly #clock: Clock;
  /** By message id, in the order in which they went. */
  readonly #wentAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  went(messageId: string): void {
    this.#forget();
    this.#wentAtMs.delete(messageId);
    this.#wentAtMs.set(messageId, this.#clock.monotonicMs());
  }

  came(messageId: string): void {
    if (this.#wentAtMs.size > 0) this.#wentAtMs.delete(messageId);
  }

  get isAny(): boolean {
    this.#forget();
    return this.#wentAtMs.size > 0;
  }

  #forget(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [messageId, wentAtMs] of this.#wentAtMs) {
      if (nowMs - wentAtMs <= FORGOTTEN_AFTER_MS) return;
      this.#wentAtMs.delete(messageId);
    }
  }
}
