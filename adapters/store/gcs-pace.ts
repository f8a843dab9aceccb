/**
 * Writes of one key one after the other, a second apart: Cloud Storage takes one write a second for a name
 * (https://cloud.google.com/storage/quotas#objects). Of this process only; who is throttled for another's writes waits
 * and tries again.
 */
import type { Clock } from '#core/clock.ts';

export const WRITES_APART_MS = 1_000;

export class Pace {
  readonly #clock: Clock;
  readonly #closed: AbortSignal;
  readonly #apartMs: number;
  /** When the key may be written next, once its writes before are done. As many keys as there are checkpoints and leases. */
  readonly #free = new Map<string, Promise<number>>();

  constructor(clock: Clock, closed: AbortSignal, apartMs: number) {
    this.#clock = clock;
    this.#closed = closed;
    this.#apartMs = apartMs;
  }

  /** `changed`: whether that answer means that the key was written; a refused write is none. A failed one may be. */
  run<T>(key: string, write: () => Promise<T>, changed: (answer: T) => boolean): Promise<T> {
    const before = this.#free.get(key) ?? Promise.resolve(Number.NEGATIVE_INFINITY);
    const turn = before.then(async (freeMs) => {
      const waitMs = freeMs - this.#clock.monotonicMs();
      if (waitMs > 0) await this.#clock.sleep(waitMs, this.#closed);
      return write();
    });
    const next = (): number => this.#clock.monotonicMs() + this.#apartMs;
    this.#free.set(
      key,
      turn.then(async (answer) => (changed(answer) ? next() : before), next),
    );
    return turn;
  }
}
