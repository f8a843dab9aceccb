/** How much each subscription has still to do: for status, for the live view, and to hold bulk publishers back. */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Lane } from '#core/ports/broker.ts';
import { MICROS_PER_MS, type Clock } from '#core/clock.ts';
import { SPAN } from './partitions.ts';

export interface SubscriptionBacklog {
  readonly name: string;
  readonly topic: string;
  readonly lane: Lane | 'any';
  /** Not acked, those being worked on included. */
  readonly unackedMessages: number;
  /** Of the bodies. */
  readonly unackedBytes: number;
  /** Of the oldest unacked message; 0 if there is none. */
  readonly oldestAgeMs: number;
}

/** Subscriptions that count: not the template of a broadcast, which nobody reads. */
export const READERS = "(s.sharing = 'shared' OR s.expires_ms IS NOT NULL)";
/** Pairs of a subscription and the partitions its filter takes. */
export const READS = `p.topic = s.topic AND (s.lane = 'any' OR s.lane = p.lane) AND (p.addressee = '' OR p.addressee = s.service)`;

const PER_SUBSCRIPTION = `
  SELECT s.name, t.name AS topic, s.lane,
    coalesce(sum(p.messages - coalesce(c.messages_done, 0)), 0) AS messages,
    coalesce(sum(p.bytes - coalesce(c.bytes_done, 0)), 0) AS bytes,
    min((SELECT f.published_ms FROM frames f WHERE f.id >= p.id * ${SPAN} + coalesce(c.frame, 1) AND f.id < (p.id + 1) * ${SPAN}
      ORDER BY f.id LIMIT 1)) AS oldest_ms,
    min((SELECT f.published_ms FROM exceptions e JOIN frames f ON f.id = e.frame WHERE e.subscription = s.id
      AND e.frame >= p.id * ${SPAN} AND e.frame < p.id * ${SPAN} + coalesce(c.frame, 1) ORDER BY e.frame LIMIT 1)) AS straggler_ms
  FROM subscriptions s JOIN topics t ON t.id = s.topic
    LEFT JOIN partitions p ON ${READS}
    LEFT JOIN cursors c ON c.subscription = s.id AND c.partition = p.id
  WHERE ${READERS} GROUP BY s.id ORDER BY s.id`;

const BULK_OF_TOPIC = `
  SELECT max(open) AS open FROM (
    SELECT sum(p.messages - coalesce(c.messages_done, 0)) AS open
    FROM subscriptions s JOIN partitions p ON ${READS} AND p.lane = 'bulk'
      LEFT JOIN cursors c ON c.subscription = s.id AND c.partition = p.id
    WHERE s.topic = ? AND ${READERS} GROUP BY s.id)`;

const ANYTHING = `
  SELECT 1 AS open FROM subscriptions s JOIN partitions p ON ${READS}
    LEFT JOIN cursors c ON c.subscription = s.id AND c.partition = p.id
  WHERE ${READERS} AND p.messages > coalesce(c.messages_done, 0) LIMIT 1`;

export class Backlog {
  readonly #perSubscription: StatementSync;
  readonly #bulkOfTopic: StatementSync;
  readonly #anything: StatementSync;
  readonly #clock: Clock;

  constructor(database: DatabaseSync, clock: Clock) {
    this.#perSubscription = database.prepare(PER_SUBSCRIPTION);
    this.#bulkOfTopic = database.prepare(BULK_OF_TOPIC);
    this.#anything = database.prepare(ANYTHING);
    this.#clock = clock;
  }

  all(): readonly SubscriptionBacklog[] {
    const nowMs = this.#clock.nowMicros() / MICROS_PER_MS;
    return this.#perSubscription.all().map((row) => {
      const unackedMessages = Math.max(0, Number(row.messages));
      const oldestMs = Math.min(Number(row.oldest_ms ?? Infinity), Number(row.straggler_ms ?? Infinity));
      return {
        name: String(row.name),
        topic: String(row.topic),
        lane: row.lane as Lane | 'any',
        unackedMessages,
        unackedBytes: unackedMessages === 0 ? 0 : Math.max(0, Number(row.bytes)),
        oldestAgeMs: unackedMessages === 0 ? 0 : Math.max(0, nowMs - oldestMs),
      };
    });
  }

  /** The largest bulk backlog of any subscription of the topic. */
  bulkOf(topic: number): number {
    return Number(this.#bulkOfTopic.get(topic)?.open ?? 0);
  }

  isEmpty(): boolean {
    return this.#anything.get() === undefined;
  }
}
