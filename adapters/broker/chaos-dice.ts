/** The chances of a broker under chaos, and the dice that are thrown for them. */
import type { Clock, Random } from '#core/clock.ts';
import { retry, type Disposition } from '#core/disposition.ts';
import type { Delivered } from '#core/ports/broker.ts';

/** Each between 0 and 1. */
export interface ChaosChances {
  /** A publish fails, and nothing or only some of it is kept. */
  readonly publishFailsBefore: number;
  /** A publish is kept, and reported failed. */
  readonly publishFailsAfter: number;
  /** A message is kept twice, under two ids. */
  readonly publishesTwice: number;
  /** A message is delivered twice, at about the same time. */
  readonly deliversTwice: number;
  /** A message is delivered later than those published after it. */
  readonly holdsBack: number;
  /** A message is delivered again some time after it was acked. */
  readonly redeliversAcked: number;
  /** An ack gets lost: the message comes again. */
  readonly losesAck: number;
  /** A batch is handed in two parts. */
  readonly splitsBatch: number;
  /** Delivery attempts are unknown or wrong. */
  readonly liesAboutAttempts: number;
}

export interface ChaosOptions extends Partial<ChaosChances> {
  readonly clock: Clock;
  readonly random: Random;
  /** The longest that a message is held back. Default 500 ms. */
  readonly holdBackMs?: number;
  /** The longest time from an ack to a redelivery. Default 5 s. */
  readonly redeliverWithinMs?: number;
}

const CHANCES: ChaosChances = {
  publishFailsBefore: 0.05,
  publishFailsAfter: 0.05,
  publishesTwice: 0.03,
  deliversTwice: 0.1,
  holdsBack: 0.1,
  redeliversAcked: 0.05,
  losesAck: 0.05,
  splitsBatch: 0.3,
  liesAboutAttempts: 0.3,
};

/** The dice, and what they are about. */
export class Chaos {
  readonly clock: Clock;
  readonly #random: Random;
  readonly #chances: ChaosChances;
  readonly #holdBackMs: number;
  readonly #redeliverWithinMs: number;

  constructor(options: ChaosOptions) {
    this.clock = options.clock;
    this.#random = options.random;
    this.#chances = { ...CHANCES, ...options };
    this.#holdBackMs = options.holdBackMs ?? 500;
    this.#redeliverWithinMs = options.redeliverWithinMs ?? 5_000;
  }

  happens(what: keyof ChaosChances): boolean {
    return this.#random.unit() < this.#chances[what];
  }

  /** 0 for most messages. */
  delayMs(): number {
    return this.happens('holdsBack') ? this.#random.unit() * this.#holdBackMs : 0;
  }

  redeliveryMs(): number {
    return this.#random.unit() * this.#redeliverWithinMs;
  }

  shuffled<T>(items: readonly T[]): T[] {
    return items
      .map((item) => ({ item, at: this.#random.unit() }))
      .sort((one, other) => one.at - other.at)
      .map(({ item }) => item);
  }

  some<T>(items: readonly T[]): T[] {
    return items.filter(() => this.#random.unit() < 0.5);
  }

  disguise(message: Delivered): Delivered {
    if (!this.happens('liesAboutAttempts')) return message;
    const deliveryAttempts =
      this.#random.unit() < 0.5 ? 0 : message.deliveryAttempts + Math.floor(this.#random.unit() * 3);
    return { ...message, deliveryAttempts };
  }

  /** A message whose ack is lost comes again. */
  distort(disposition: Disposition): Disposition {
    if (disposition.kind === 'retry' || !this.happens('losesAck')) return disposition;
    return retry(0, 'chaos: the ack was lost');
  }
}
