/** What the Pub/Sub adapter is told, and what holds where nothing is said. */
import type { Clock, Random } from '#core/clock.ts';
import type { BrokerPort } from '#core/ports/broker.ts';

export interface PubsubBrokerOptions extends Partial<Keeping>, Partial<Budget> {
  readonly projectId: string;
  readonly clock: Clock;
  readonly random: Random;
  /** `host:port` of an emulator, reached without credentials. Left out: Google's own, with the ambient credentials. */
  readonly emulator?: string;
  /**
   * The Avro schema of a topic's bodies, as JSON text: the server refuses what is not of it. Undefined for topics whose
   * bodies have several schemas or, like a dead letter's, none.
   */
  readonly schemas?: (topic: string) => string | undefined;
  readonly onFault?: (fault: { readonly message: string; readonly error: unknown }) => void;
}

/** How long messages stay. */
export interface Keeping {
  /** Unread messages die after this: 10 minutes to 7 days, the longest that the emulator takes too. */
  readonly retentionMs: number;
  /** How long a topic's messages stay for a seek back; 0: not at all, else 10 minutes to 31 days. */
  readonly retainMs: (topic: string) => number;
}

/** What all open subscriptions of one service may hold in memory together. Each gets its part of it: see `shares.ts`. */
export interface Budget {
  readonly outstandingBytesTotal: number;
  readonly outstandingMessagesTotal: number;
}

export interface PubsubBroker extends BrokerPort {
  /**
   * How long nothing was published, delivered or answered by this process, with nothing under way; 0 while something is.
   * Pub/Sub has no figure of what waits on the server, so this is the most that can be said about being idle.
   */
  quietForMs(): number;
  /** Sends what waits, releases what is held, closes the connections; a server that is silent is not waited for. */
  close(): Promise<void>;
}

const HOUR_MS = 3_600_000;

export const DEFAULTS: Keeping & Budget = {
  retentionMs: 7 * 24 * HOUR_MS,
  retainMs: (topic) => (topic.startsWith('raw.') ? 24 * HOUR_MS : 0),
  outstandingBytesTotal: 128 * 1024 * 1024,
  outstandingMessagesTotal: 100_000,
};
