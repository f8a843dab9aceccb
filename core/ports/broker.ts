/**
 * The broker port promises no more than Google Pub/Sub does. Its laws (each a test in `test/contract/broker.ts`):
 *
 * - At least once: a message may come again, hours later, even after its ack (an ack may be lost).
 * - No order, not even within a key.
 * - `retry(after)` is advice. Delivery attempts are approximate and count expired leases.
 * - A subscription sees only what was published after it exists. Seeking back needs retention; a seek acks everything older.
 * - No figure for the backlog, and no ack and publish in one transaction.
 * - A message that was delivered very often (100 times on Pub/Sub) may be forwarded to `dead-letter.<service>` instead.
 * - A message has at most 10 MB (body and attributes), 100 attributes, 256 bytes a key, 1,024 bytes a value, and is never
 *   empty; keys that begin with `goog` are Google's.
 * - Unread messages die after the retention. A publish may fail, or succeed and be reported failed.
 */
import type { Disposition } from '../disposition.ts';

export type Lane = 'live' | 'bulk';

export interface Message {
  readonly body: Uint8Array;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface Delivered extends Message {
  readonly messageId: string;
  readonly publishedAt: Date;
  /** Approximate; 0 means unknown. */
  readonly deliveryAttempts: number;
}

/** How much of a subscription is worked on at once. `lingerMs` is how long a part-filled batch waits for more. */
export interface Flow {
  readonly batchMessages: number;
  readonly batchBytes: number;
  readonly lingerMs: number;
  readonly outstandingMessages: number;
  readonly outstandingBytes: number;
}

/**
 * Which messages a subscription gets. `lane` selects by the `lane` attribute; every subscription also takes only what is
 * addressed to nobody or to its service: `NOT attributes:to OR attributes.to = "<service>"`.
 */
export interface SubscriptionSpec {
  readonly name: string;
  readonly service: string;
  readonly topic: string;
  readonly lane: Lane | 'any';
  /** `shared`: each message to one consumer. `broadcast`: each running instance gets all. */
  readonly sharing: 'shared' | 'broadcast';
  readonly ackDeadlineSeconds: number;
  readonly flow: Flow;
}

/**
 * Called again before earlier calls have answered, up to `flow.outstanding*`; a batch never mixes lanes. Throwing, or
 * answering another number of dispositions than messages, releases the whole batch. `ack`, `discard` and `deadLetter` all
 * end the message for the broker: the runtime has counted or parked it before. The signal aborts when the batch is
 * released: what is answered then is ignored.
 */
export type BatchHandler = (batch: readonly Delivered[], signal: AbortSignal) => Promise<readonly Disposition[]>;

export interface Consumer {
  /** Stops pulling and releases all that is held; late answers are ignored. */
  pause(): Promise<void>;
  resume(): void;
  /** Stops pulling and waits for the batches under way; what is left after `timeoutMs` is released. */
  drain(timeoutMs: number): Promise<void>;
  /**
   * Resolves when the subscription exists and takes what is published from now on: for a broadcast that is when its own
   * one was made. Rejects when that will never be.
   */
  readonly started: Promise<void>;
  /** Rejects when the subscription is gone for good (deleted, no permission); resolves after `drain`. */
  readonly ended: Promise<void>;
}

/** `kill`: survives kill -9 of the process. `power`: survives power loss too, which acks to the outside wait for. */
export type Survives = 'kill' | 'power';

export interface BrokerPort {
  /** Resolves when every message is kept; rejects when any may not be: publish all again. Oversize throws `InvalidMessage` before sending. */
  publish(topic: string, messages: readonly Message[], survives: Survives): Promise<void>;
  consume(subscription: SubscriptionSpec, handler: BatchHandler): Consumer;
  /** Marks everything published before `time` as acked, handled or not, and what came after as unacked, as far as retained. */
  seek(subscription: string, time: Date): Promise<void>;
  /**
   * Makes what is missing; changes nothing that is there. What is there and cannot be what is asked for (another topic,
   * another filter, a schema that cannot be read as this one) throws `Misconfigured`.
   */
  ensure(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<void>;
}

export const MESSAGE_LIMITS = {
  bodyBytes: 10_000_000,
  attributes: 100,
  attributeKeyBytes: 256,
  attributeValueBytes: 1_024,
} as const;
