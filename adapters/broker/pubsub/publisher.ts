/**
 * Publishing to one topic: batches as large as a request may be, and no more under way than memory should hold. The
 * client's own flow control is not used: it rejects promises that nobody awaits yet while a caller waits for room.
 * No ordering keys: they cost a factor of fifteen, and versions make order irrelevant.
 */
import type { Topic } from '@google-cloud/pubsub';
import type { Message } from '#core/ports/broker.ts';
import { sizeOf } from '../limits.ts';

/** Pub/Sub's limit on a request. */
export const REQUEST_MESSAGES = 1_000;
const OUTSTANDING_MESSAGES = 10_000;
const OUTSTANDING_BYTES = 64 * 1024 * 1024;

export class Publisher {
  readonly #topic: Topic;
  #messages = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  constructor(topic: Topic) {
    this.#topic = topic;
  }

  /** Resolves when the server has all; rejects with the first failure once all are settled. */
  async publish(messages: readonly Message[]): Promise<void> {
    const sent: Promise<unknown>[] = [];
    for (const message of messages) {
      const bytes = sizeOf(message);
      while (this.#isFull(bytes)) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      sent.push(this.#send(message, bytes));
    }
    const failure = (await Promise.all(sent)).find((error) => error !== undefined);
    if (failure !== undefined) throw failure as Error;
  }

  #isFull(bytes: number): boolean {
    if (this.#messages === 0) return false;
    return this.#messages >= OUTSTANDING_MESSAGES || this.#bytes + bytes > OUTSTANDING_BYTES;
  }

  /** Resolves with the failure, if any. */
  async #send({ body, attributes }: Message, bytes: number): Promise<unknown> {
    this.#messages++;
    this.#bytes += bytes;
    try {
      const data = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
      await this.#topic.publishMessage({ data, attributes });
      return undefined;
    } catch (error) {
      return error ?? new Error('Publishing failed without a reason.');
    } finally {
      this.#messages--;
      this.#bytes -= bytes;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const look of waiting) look();
    }
  }

  async flush(): Promise<void> {
    await this.#topic.flush();
  }
}
