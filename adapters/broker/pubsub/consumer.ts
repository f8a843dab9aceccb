/**
 * One streaming pull. The client leases, extends leases and holds back what exceeds the flow limits; the intake batches
 * and hands. `retry(after)` holds the message, still leased, and nacks it then: Pub/Sub has no delay of its own for one
 * message. `pause` closes the stream, which nacks all that is held; `resume` opens it again.
 */
import type { Message as PubsubMessage, Subscription } from '@google-cloud/pubsub';
import type { Clock } from '#core/clock.ts';
import type { Disposition } from '#core/disposition.ts';
import type { BatchHandler, Consumer, Lane, SubscriptionSpec } from '#core/ports/broker.ts';
import { laneOf, wants } from '../filter.ts';
import { Intake, type Entry } from '../intake.ts';
import type { LaneScheduler } from '../lanes.ts';
import { pubsubError, statusOf } from './errors.ts';

interface PubsubEntry extends Entry {
  readonly message: PubsubMessage;
  readonly lane: Lane;
}

export interface PubsubConsumerParts {
  /** Resolves with the subscription once it exists: a broadcast's is made first. */
  readonly subscription: Promise<Subscription>;
  readonly lanes: LaneScheduler;
  readonly clock: Clock;
  readonly fault: (message: string, error: unknown) => void;
  /** Nothing is held or taken any more: what was made for this consumer can go. */
  readonly ended: () => Promise<void>;
}

/** The longest back-off a Pub/Sub subscription can have. */
const LONGEST_RETRY_MS = 600_000;
const REOPEN_MS = 1_000;
/** NOT_FOUND, PERMISSION_DENIED: the client has closed the stream and will not come back by itself. */
const GONE = new Set([5, 7]);

export class PubsubConsumer implements Consumer {
  readonly ended: Promise<void>;
  readonly #spec: SubscriptionSpec;
  readonly #parts: PubsubConsumerParts;
  readonly #intake: Intake<PubsubEntry>;
  readonly #end = Promise.withResolvers<void>();
  readonly #held = new Map<PubsubMessage, () => void>();
  /** Opening and closing take time: they follow each other. */
  #steps: Promise<void>;
  #isOver = false;

  constructor(spec: SubscriptionSpec, handler: BatchHandler, parts: PubsubConsumerParts) {
    this.#spec = spec;
    this.#parts = parts;
    this.ended = this.#end.promise;
    this.ended.catch(() => undefined);
    this.#intake = new Intake<PubsubEntry>(spec.flow, handler, parts.clock, {
      pull: () => [],
      handing: () => undefined,
      answered: (entries, dispositions) => this.#answered(entries, dispositions),
      released: (entries) => {
        for (const { message } of entries) message.nack();
      },
      failed: (error) => parts.fault(`The handler of ${spec.name} threw: its batch is delivered again.`, error),
      wake: () => parts.lanes.wake(),
    });
    parts.lanes.add(this.#intake);
    this.#steps = this.#listen();
  }

  async #listen(): Promise<void> {
    try {
      const subscription = await this.#parts.subscription;
      subscription.on('error', (error: unknown) => this.#failed(error));
      if (!this.#isOver) subscription.on('message', (message: PubsubMessage) => this.#took(message));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** The emulator ignores filters, and a filter cannot be changed on the server: the adapter applies it too. */
  #took(message: PubsubMessage): void {
    if (!wants(this.#spec, message.attributes)) return message.ack();
    const delivered = {
      body: message.data,
      attributes: message.attributes,
      messageId: message.id,
      publishedAt: new Date(message.publishTime.getTime()),
      deliveryAttempts: message.deliveryAttempt,
    };
    this.#intake.offer({ delivered, bytes: message.data.length, lane: laneOf(message.attributes.lane), message });
  }

  #answered(entries: readonly PubsubEntry[], dispositions: readonly Disposition[]): void {
    entries.forEach(({ message }, at) => {
      const disposition = dispositions[at] as Disposition;
      if (disposition.kind === 'retry') this.#hold(message, Math.min(disposition.afterMs, LONGEST_RETRY_MS));
      else message.ack();
    });
  }

  #hold(message: PubsubMessage, afterMs: number): void {
    const cancel = this.#parts.clock.after(afterMs, () => {
      this.#held.delete(message);
      message.nack();
    });
    this.#held.set(message, cancel);
  }

  #letGo(): void {
    for (const [message, cancel] of this.#held) {
      cancel();
      message.nack();
    }
    this.#held.clear();
  }

  #failed(error: unknown): void {
    if (GONE.has(statusOf(error) ?? 0)) return this.#gone(error);
    this.#parts.fault(
      `The stream of ${this.#spec.name} failed; it is opened again.`,
      pubsubError(error, this.#spec.name),
    );
    this.#parts.clock.after(REOPEN_MS, () => {
      if (this.#intake.isTaking) this.#then(async (subscription) => subscription.open());
    });
  }

  #gone(error: unknown): void {
    if (this.#isOver) return;
    this.#intake.pause();
    this.#finish();
    this.#end.reject(pubsubError(error, `subscription ${this.#spec.name}`));
  }

  #then(step: (subscription: Subscription) => Promise<void>): void {
    this.#steps = this.#steps.then(async () => {
      try {
        await step(await this.#parts.subscription);
      } catch (error) {
        this.#parts.fault(
          `The stream of ${this.#spec.name} could not be changed.`,
          pubsubError(error, this.#spec.name),
        );
      }
    });
  }

  async pause(): Promise<void> {
    this.#intake.pause();
    this.#letGo();
    this.#then((subscription) => subscription.close());
    await this.#steps;
  }

  resume(): void {
    if (this.#isOver) return;
    this.#then(async (subscription) => {
      subscription.open();
      this.#intake.resume();
    });
  }

  async drain(timeoutMs: number): Promise<void> {
    if (this.#isOver) return;
    await this.#intake.drain(timeoutMs);
    this.#letGo();
    this.#finish();
    this.#then((subscription) => subscription.close());
    await this.#steps;
    await this.#parts.ended();
    this.#end.resolve();
  }

  #finish(): void {
    this.#isOver = true;
    this.#parts.lanes.remove(this.#intake);
  }
}
