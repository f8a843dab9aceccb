/**
 * One streaming pull. The client leases, extends leases and holds back what exceeds the flow limits; the intake batches
 * and hands. `retry(after)` holds the message, still leased, and nacks it then: Pub/Sub has no delay of its own for one
 * message. An ack is a wish: the client promises nothing about it, so it may be lost and the message come again.
 *
 *     opening ──▶ open ──▶ closed (pause) ──▶ opening (resume)
 *        ▲          └─▶ failed: all is released; a second later ──▶ opening, or over where the subscription is gone
 *        └──────────────────────┘
 *
 * Every opening takes a new subscription object of the client's: one whose stream failed may still be closing, and would
 * then close the ack queues of the stream opened after it, whose acks go nowhere without a word.
 */
import type { Message as PubsubMessage, Subscription } from '@google-cloud/pubsub';
import type { Clock } from '#core/clock.ts';
import type { Disposition } from '#core/disposition.ts';
import type { BatchHandler, Consumer, Flow, Lane, Message, SubscriptionSpec } from '#core/ports/broker.ts';
import { laneOf, wants } from '../filter.ts';
import { Intake, type Entry } from '../intake.ts';
import type { LaneScheduler } from '../lanes.ts';
import { deliveredFrom } from './delivered.ts';
import { GONE, pubsubError, statusOf } from './errors.ts';
import { OnItsWay } from './on-its-way.ts';
import { streamOptions } from './stream.ts';

interface PubsubEntry extends Entry {
  readonly message: PubsubMessage;
  readonly lane: Lane;
}

export interface PubsubConsumerParts {
  /** Resolves with the subscription's name once it exists: a broadcast's is made first. Asked again after it failed. */
  readonly name: () => Promise<string>;
  readonly open: (name: string, options: ReturnType<typeof streamOptions>) => Subscription;
  readonly lanes: LaneScheduler;
  readonly clock: Clock;
  /** Something was delivered or answered. */
  readonly active: () => void;
  readonly fault: (message: string, error: unknown) => void;
  /** Nothing is held or taken any more: what was made for this consumer can go. */
  readonly ended: () => Promise<void>;
}

/** The longest back-off a Pub/Sub subscription can have. */
const LONGEST_RETRY_MS = 600_000;
const REOPEN_MS = 1_000;

export class PubsubConsumer implements Consumer {
  readonly spec: SubscriptionSpec;
  readonly started: Promise<void>;
  readonly ended: Promise<void>;
  readonly #parts: PubsubConsumerParts;
  readonly #intake: Intake<PubsubEntry>;
  readonly #start = Promise.withResolvers<void>();
  readonly #end = Promise.withResolvers<void>();
  readonly #held = new Map<PubsubMessage, () => void>();
  readonly #onItsWay: OnItsWay;
  #flow: Flow;
  #stream: Subscription | undefined;
  #isWanted = true;
  #isOpening = false;
  #isOver = false;
  /** Opening and closing take time: they follow each other. */
  #steps: Promise<void> = Promise.resolve();

  constructor(spec: SubscriptionSpec, handler: BatchHandler, parts: PubsubConsumerParts) {
    this.spec = spec;
    this.#flow = spec.flow;
    this.#parts = parts;
    this.#onItsWay = new OnItsWay(parts.clock);
    this.started = this.#start.promise;
    this.ended = this.#end.promise;
    for (const promise of [this.started, this.ended]) promise.catch(() => undefined);
    this.#intake = new Intake<PubsubEntry>(spec.flow, handler, parts.clock, {
      pull: () => [],
      handing: () => undefined,
      answered: (entries, dispositions) => this.#answered(entries, dispositions),
      released: (entries) => {
        for (const { message } of entries) this.#nack(message);
      },
      failed: (error) => parts.fault(`The handler of ${spec.name} threw: its batch is delivered again.`, error),
      wake: () => parts.lanes.wake(),
    });
    parts.lanes.add(this.#intake);
    this.#then(() => this.#open());
  }

  /** Something is held or on its way back: it waits, is worked on, or is to be tried again. */
  get isBusy(): boolean {
    return this.#held.size > 0 || this.#intake.heldMessages > 0 || this.#onItsWay.isAny;
  }

  /** A message of its topic was published by this process. */
  expect(messageId: string, attributes: Message['attributes']): void {
    if (this.#isOver || !wants(this.spec, attributes)) return;
    // A broadcast begins with what is published after it has its subscription.
    if (this.spec.sharing === 'shared' || this.#stream) this.#onItsWay.published(messageId);
  }

  /**
   * Other flow limits, from the next opening on. The client's own `setOptions` on an open stream is not to be used: a
   * stream that was stopped at the old limit never learns that the new one leaves room, and one below it is not stopped.
   */
  limit(flow: Flow): void {
    this.#flow = flow;
  }

  async #open(): Promise<void> {
    if (this.#isOver || !this.#isWanted || this.#stream) return;
    this.#isOpening = true;
    try {
      const name = await this.#parts.name();
      if (this.#isOver || !this.#isWanted) return;
      this.#intake.limit(this.#flow);
      const stream = this.#parts.open(name, streamOptions(this.spec, this.#flow));
      this.#stream = stream;
      stream.on('error', (error: unknown) => this.#failed(stream, error));
      stream.on('message', (message: PubsubMessage) => this.#took(message));
      this.#intake.resume();
      this.#start.resolve();
    } catch (error) {
      this.#failed(undefined, error);
    } finally {
      this.#isOpening = false;
    }
  }

  /** The emulator ignores filters, and a filter cannot be changed on the server: the adapter applies it too. */
  #took(message: PubsubMessage): void {
    if (!wants(this.spec, message.attributes)) return message.ack();
    this.#parts.active();
    this.#onItsWay.came(message.id);
    const delivered = deliveredFrom(message);
    this.#intake.offer({ delivered, bytes: message.data.length, lane: laneOf(message.attributes.lane), message });
  }

  #answered(entries: readonly PubsubEntry[], dispositions: readonly Disposition[]): void {
    this.#parts.active();
    entries.forEach(({ message }, at) => {
      const disposition = dispositions[at] as Disposition;
      if (disposition.kind === 'retry') this.#hold(message, Math.min(disposition.afterMs, LONGEST_RETRY_MS));
      else message.ack();
    });
  }

  #nack(message: PubsubMessage): void {
    this.#onItsWay.went(message.id);
    message.nack();
  }

  #hold(message: PubsubMessage, afterMs: number): void {
    const cancel = this.#parts.clock.after(afterMs, () => {
      this.#held.delete(message);
      this.#nack(message);
    });
    this.#held.set(message, cancel);
  }

  #letGo(): void {
    for (const [message, cancel] of this.#held) {
      cancel();
      this.#nack(message);
    }
    this.#held.clear();
  }

  /** What was held of a stream that failed is delivered again: its acks would go nowhere. */
  #failed(stream: Subscription | undefined, error: unknown): void {
    if (stream !== this.#stream || this.#isOver) return;
    this.#stream = undefined;
    this.#intake.pause();
    this.#letGo();
    const failure = pubsubError(error, `subscription ${this.spec.name}`);
    if (GONE.has(statusOf(error))) return this.#gone(failure);
    this.#parts.fault(`The stream of ${this.spec.name} failed; it is opened again.`, failure);
    this.#parts.clock.after(REOPEN_MS, () => this.#then(() => this.#open()));
  }

  #gone(failure: Error): void {
    this.#finish();
    this.#start.reject(failure);
    this.#end.reject(failure);
  }

  async #close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    // A failure of the stream while it closes tells nothing new; without a listener it would end the process.
    await stream?.close();
  }

  /** A subscription that is still being made opens no stream any more: nobody waits for a server that is silent. */
  async #closed(): Promise<void> {
    this.#then(() => this.#close());
    if (!this.#isOpening) await this.#steps;
  }

  #then(step: () => Promise<void>): void {
    this.#steps = this.#steps.then(step).catch((error: unknown) => {
      const failure = pubsubError(error, `subscription ${this.spec.name}`);
      this.#parts.fault(`The stream of ${this.spec.name} could not be changed.`, failure);
    });
  }

  async pause(): Promise<void> {
    this.#isWanted = false;
    this.#intake.pause();
    this.#letGo();
    await this.#closed();
  }

  resume(): void {
    if (this.#isOver) return;
    this.#isWanted = true;
    this.#then(() => this.#open());
  }

  async drain(timeoutMs: number): Promise<void> {
    if (this.#isOver) return;
    await this.#intake.drain(timeoutMs);
    this.#letGo();
    this.#finish();
    await this.#closed();
    await this.#parts.ended();
    this.#start.resolve();
    this.#end.resolve();
  }

  #finish(): void {
    this.#isOver = true;
    this.#parts.lanes.remove(this.#intake);
  }
}
