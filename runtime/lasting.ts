/**
 * A consumer whose subscription may be gone and come back: deleted and made again, or forbidden and granted again, by who
 * looks after the project meanwhile. It is consumed anew now and then, or the process would be silent for ever.
 */
import type { Clock } from '#core/clock.ts';
import type { Consumer } from '#core/ports/broker.ts';

export interface LastingOptions {
  readonly clock: Clock;
  /** Told of each loss. */
  readonly onLost: (error: unknown) => void;
}

const AGAIN_MS = 10_000;

export class LastingConsumer implements Consumer {
  readonly started: Promise<void>;
  readonly ended: Promise<void>;
  readonly #consume: () => Consumer;
  readonly #options: LastingOptions;
  readonly #start = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<void>();
  #current: Consumer;
  #cancel = (): void => undefined;
  #isPaused = false;
  #isOver = false;

  constructor(consume: () => Consumer, options: LastingOptions) {
    this.#consume = consume;
    this.#options = options;
    this.started = this.#start.promise;
    this.ended = this.#end.promise;
    this.#current = this.#begin();
  }

  #begin(): Consumer {
    const consumer = this.#consume();
    consumer.started.then(
      () => this.#start.resolve(),
      () => undefined,
    );
    consumer.ended.catch((error: unknown) => this.#lost(error));
    return consumer;
  }

  #lost(error: unknown): void {
    if (this.#isOver) return;
    this.#options.onLost(error);
    this.#cancel = this.#options.clock.after(AGAIN_MS, () => {
      this.#current = this.#begin();
      if (this.#isPaused) void this.#current.pause();
    });
  }

  async pause(): Promise<void> {
    this.#isPaused = true;
    await this.#current.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#current.resume();
  }

  async drain(timeoutMs: number): Promise<void> {
    this.#isOver = true;
    this.#cancel();
    await this.#current.drain(timeoutMs);
    this.#start.resolve();
    this.#end.resolve();
  }
}
