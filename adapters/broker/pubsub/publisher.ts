/**
 * Publishing to one topic: batches as large as a request may be, and no more under way than memory should hold. The
 * client's own flow control is not used: it rejects promises that nobody awaits yet while a caller waits for room. Callbacks
 * instead of a promise a message, and one size instead of three, keep it as fast as the client alone.
 * No ordering keys: they cost a factor of fifteen, and versions make order irrelevant.
 */
import type { Topic } from '@google-cloud/pubsub';
import type { Message } from '#core/ports/broker.ts';

/** Pub/Sub's limit on a request. */
export const REQUEST_MESSAGES = 1_000;
const OUTSTANDING_MESSAGES = 10_000;
const OUTSTANDING_BYTES = 64 * 1024 * 1024;
/** What attributes and bookkeeping of a message take, for the limit on memory. */
const OVERHEAD_BYTES = 1_000;

/** Told of each message that the server has. */
export type Taken = (messageId: string, attributes: Message['attributes']) => void;

/** One call of `publish`: how many messages are not confirmed yet, and the first failure. */
interface Sending {
  left: number;
  failure: unknown;
  readonly done: PromiseWithResolvers<void>;
}

export class Publisher {
  readonly #topic: Topic;
  readonly #taken: Taken;
  #messages = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(topic: Topic, taken: Taken) {
    this.#topic = topic;
    this.#taken = taken;
  }

  get isBusy(): boolean {
    return this.#messages > 0;
  }

  /** Resolves when the server has all; rejects with the first failure once all are settled. */
  async publish(messages: readonly Message[]): Promise<void> {
    if (messages.length === 0) return;
    const sending: Sending = { left: messages.length, failure: undefined, done: Promise.withResolvers() };
    for (const message of messages) {
      while (this.#isFull(message)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      this.#send(message, sending);
    }
    await sending.done.promise;
    if (sending.failure !== undefined) throw sending.failure as Error;
  }

  #isFull({ body }: Message): boolean {
    if (this.#messages === 0) return false;
    return this.#messages >= OUTSTANDING_MESSAGES || this.#bytes + body.byteLength > OUTSTANDING_BYTES;
  }

  #send({ body, attributes }: Message, sending: Sending): void {
    const bytes = body.byteLength + OVERHEAD_BYTES;
    this.#messages++;
    this.#bytes += bytes;
    const data = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    this.#topic.publishMessage({ data, attributes }, (error: unknown, messageId) => {
      this.#messages--;
      this.#bytes -= bytes;
      if (error) sending.failure ??= error;
      else if (typeof messageId === 'string') this.#taken(messageId, attributes);
      if (--sending.left === 0) sending.done.resolve();
      this.#wake();
    });
  }

  #wake(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const look of waiting) look();
  }

  async flush(): Promise<void> {
    await this.#topic.flush();
  }
}
