/** Counts what is under way, so that closing can wait for it, and ends what takes too long. */
import type { Clock } from '#core/clock.ts';
import { DependencyDown } from '#core/errors.ts';

export class Drain {
  readonly #clock: Clock;
  readonly #over = new AbortController();
  readonly #idle = Promise.withResolvers<void>();
  #underWay = 0;
  #isClosing = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Aborted, with a `DependencyDown`, when waiting is over: nothing more is begun. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#isClosing) throw closed();
    this.#underWay += 1;
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      if (this.#isClosing && this.#underWay === 0) this.#idle.resolve();
    }
  }

  /** Resolves when nothing is under way, or after `limitMs`. */
  async close(limitMs: number): Promise<void> {
    this.#isClosing = true;
    const cancel = this.#clock.after(limitMs, () => this.#idle.resolve());
    if (this.#underWay === 0) this.#idle.resolve();
    await this.#idle.promise;
    cancel();
    this.#over.abort(closed());
  }
}

function closed(): DependencyDown {
  return new DependencyDown('warehouse', 'The writer to BigQuery was closed: what it had is delivered again.');
}
