import type { Clock, Random } from '#core/clock.ts';
import type { BrokerPort } from '#core/ports/broker.ts';
import type { SubscriptionBacklog } from './backlog.ts';

export interface BrokerFault {
  readonly message: string;
  readonly error: unknown;
}

/** The same for all threads and processes on one file, or the smallest limit rules. */
export interface EmbeddedBrokerOptions {
  /** The broker's file; `-wal` and `-shm` lie beside it. A local disk: SQLite's locks do not work on network ones. */
  readonly path: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Unread messages die after this. Default 7 days. */
  readonly retentionMs?: number;
  /** How long a topic's messages stay for a replay after everyone is done with them. Default: 24 hours for `raw.*`, else 0. */
  readonly retainMs?: (topic: string) => number;
  /** What everyone is done with is kept up to this size of the file. Default 1 GiB. */
  readonly retainBytes?: number;
  /** The file grows no larger; then publishing is refused as on a full disk. Default 64 GiB. */
  readonly diskLimitBytes?: number;
  /** Publishing bulk waits while a subscription of the topic has more bulk messages to do. Default 50,000. */
  readonly bulkBacklogLimitMessages?: number;
  /** How often to look for what other processes wrote. Default 25 ms; 0 where no other process uses the file. */
  readonly watchMs?: number;
  /** Memory for frames just published or read. Default 32 MiB. */
  readonly cacheBytes?: number;
  /** Frames are compressed unless this is false: for measuring. */
  readonly compress?: boolean;
  /** What nobody could be told by a promise: a damaged frame, a handler that threw, acks that could not be stored. */
  readonly onFault?: (fault: BrokerFault) => void;
}

export interface EmbeddedBroker extends BrokerPort {
  /** Releases what is held, stores acks, settles publishes, closes the file. */
  close(): Promise<void>;
  /** Per subscription what is not acked yet, other threads' acks up to some 10 ms ago. */
  backlog(): readonly SubscriptionBacklog[];
  /** Nothing waits to be published, and no subscription has an unacked message. */
  isIdle(): boolean;
}

const HOUR_MS = 3_600_000;
const GIB = 1024 ** 3;

export const DEFAULTS = {
  retentionMs: 7 * 24 * HOUR_MS,
  retainMs: (topic: string): number => (topic.startsWith('raw.') ? 24 * HOUR_MS : 0),
  retainBytes: GIB,
  diskLimitBytes: 64 * GIB,
  bulkBacklogLimitMessages: 50_000,
  watchMs: 25,
  cacheBytes: 32 * 1024 * 1024,
  compress: true,
  onFault: (): void => undefined,
} as const;
