/** One consumer of an embedded subscription: its intake, fed from the shared cursors. */
import type { Clock } from '#core/clock.ts';
import type { BatchHandler, Consumer, Lane, SubscriptionSpec } from '#core/ports/broker.ts';
import { Intake, type Supply } from '../intake.ts';
import type { LaneScheduler } from '../lanes.ts';
import type { LogEntry } from './cursor.ts';
import type { Journal } from './journal.ts';
import type { Subscription } from './subscription.ts';
import { brokerError } from './transaction.ts';

const READ_AGAIN_MS = 1_000;

export interface ConsumerParts {
  readonly subscription: Subscription;
  readonly journal: Journal;
  readonly lanes: LaneScheduler;
  readonly clock: Clock;
  readonly fault: (message: string, error: unknown) => void;
  /** The consumer holds nothing any more and takes nothing. */
  ended(consumer: EmbeddedConsumer): void;
}

export class EmbeddedConsumer implements Consumer {
  readonly started: Promise<void> = Promise.resolve();
  readonly ended: Promise<void>;
  readonly subscription: Subscription;
  readonly #parts: ConsumerParts;
  readonly #intake: Intake<LogEntry>;
  readonly #end = Promise.withResolvers<void>();
  #isOver = false;

  constructor(spec: SubscriptionSpec, handler: BatchHandler, parts: ConsumerParts) {
    this.#parts = parts;
    this.subscription = parts.subscription;
    this.ended = this.#end.promise;
    this.ended.catch(() => undefined);
    this.#intake = new Intake(spec.flow, handler, parts.clock, this.#supply(spec.name));
    parts.lanes.add(this.#intake);
    parts.lanes.wake();
  }

  #supply(name: string): Supply<LogEntry> {
    const { subscription, journal, lanes, fault } = this.#parts;
    return {
      pull: (lane, messages) => this.#pull(lane, messages),
      // So that a message that kills the process is known to have been handed, and is counted when it comes again.
      handing: () => void (subscription.mustStore && journal.flush()),
      answered: (entries, dispositions) => subscription.answered(entries, dispositions),
      released: (entries, wasHanded) => subscription.released(entries, wasHanded),
      failed: (error) => fault(`The handler of ${name} threw: its batch is delivered again.`, error),
      wake: () => lanes.wake(),
    };
  }

  /** A file that cannot be read now stops this consumer for a while, never the process. */
  #pull(lane: Lane, messages: number): readonly LogEntry[] {
    try {
      return this.subscription.pull(lane, messages);
    } catch (error) {
      const { fault, clock, lanes } = this.#parts;
      fault(`Messages of ${this.subscription.row.name} could not be read; it is tried again.`, brokerError(error));
      clock.after(READ_AGAIN_MS, () => lanes.wake());
      return [];
    }
  }

  async pause(): Promise<void> {
    this.#intake.pause();
    this.#parts.journal.flush();
  }

  resume(): void {
    this.#intake.resume();
  }

  async drain(timeoutMs: number): Promise<void> {
    if (this.#isOver) return;
    await this.#intake.drain(timeoutMs);
    this.#finish();
    this.#end.resolve();
  }

  /** The subscription is gone: somebody deleted it, or it expired. */
  fail(error: Error): void {
    if (this.#isOver) return;
    this.#intake.pause();
    this.#finish();
    this.#end.reject(error);
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#parts.lanes.remove(this.#intake);
    this.#parts.ended(this);
  }
}
