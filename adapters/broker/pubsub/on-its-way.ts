/**
 * Messages that will be delivered to a consumer of this process: given back to the server, or published by this process to
 * the consumer's topic. The server tells nobody what waits, so this is what a process can know of it.
 */
import type { Clock } from '#core/clock.ts';
import { LONGEST_BACKOFF_SECONDS } from './resources.ts';

/** After that somebody else has it, or had it. */
const FORGOTTEN_AFTER_MS = (LONGEST_BACKOFF_SECONDS + 10) * 1_000;
/** Of more than this the oldest are forgotten: a full sync publishes faster than it is consumed. */
const MOST_KNOWN = 50_000;
/** A message may be delivered before its publish is confirmed. */
const MOST_RECENT = 5_000;

export class OnItsWay {
  readonly #clock: Clock;
  /** By message id, in the order in which they went. */
  readonly #wentAtMs = new Map<string, number>();
  readonly #recent = new Set<string>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Given back. */
  went(messageId: string): void {
    this.#forget();
    this.#wentAtMs.delete(messageId);
    this.#wentAtMs.set(messageId, this.#clock.monotonicMs());
  }

  /** Published, for the first time. */
  published(messageId: string): void {
    if (!this.#recent.delete(messageId)) this.went(messageId);
  }

  came(messageId: string): void {
    if (this.#wentAtMs.delete(messageId)) return;
    this.#recent.add(messageId);
    if (this.#recent.size > MOST_RECENT) this.#recent.delete(first(this.#recent));
  }

  get isAny(): boolean {
    this.#forget();
    return this.#wentAtMs.size > 0;
  }

  #forget(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [messageId, wentAtMs] of this.#wentAtMs) {
      if (nowMs - wentAtMs <= FORGOTTEN_AFTER_MS && this.#wentAtMs.size < MOST_KNOWN) return;
      this.#wentAtMs.delete(messageId);
    }
  }
}

function first(ids: ReadonlySet<string>): string {
  const { value } = ids.values().next();
  return value ?? '';
}
