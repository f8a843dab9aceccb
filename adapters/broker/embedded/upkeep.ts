/** When housekeeping is done: every second, in slices between which other work gets its turn. */
import type { Clock } from '#core/clock.ts';
import type { Housekeeping } from './housekeeping.ts';

export interface UpkeepEvents {
  /** Ids of the instances of broadcasts that run in this thread. */
  instances(): readonly number[];
  /** Before unread messages are deleted, what was acked must be stored. */
  burying(): void;
  buried(): void;
  failed(error: unknown): void;
}

const EVERY_MS = 1_000;
/** A burial makes every subscription that loses messages start anew, so it is rare. */
const BURY_EVERY_MS = 60_000;

export class Upkeep {
  readonly #housekeeping: Housekeeping;
  readonly #clock: Clock;
  readonly #events: UpkeepEvents;
  #buriedMs = -Infinity;
  #isClosed = false;
  #cancel: (() => void) | undefined;

  constructor(housekeeping: Housekeeping, clock: Clock, events: UpkeepEvents) {
    this.#housekeeping = housekeeping;
    this.#clock = clock;
    this.#events = events;
    this.#wait();
  }

  #wait(): void {
    this.#cancel = this.#clock.after(EVERY_MS, () => {
      this.#try(() => this.#run());
      this.#wait();
    });
  }

  #run(): void {
    this.#housekeeping.renewInstances(this.#events.instances());
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#buriedMs >= BURY_EVERY_MS) {
      this.#buriedMs = nowMs;
      this.#events.burying();
      if (this.#housekeeping.bury()) this.#events.buried();
    }
    this.#sweep();
  }

  #sweep(): void {
    if (this.#isClosed || !this.#housekeeping.sweep()) return;
    setImmediate(() => this.#try(() => this.#sweep()));
  }

  #try(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#events.failed(error);
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }
}
