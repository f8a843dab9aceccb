/**
 * Deleting frames: those that every subscription is done with, once their topic need not keep them for a replay; and
 * unread ones that are older than the retention, as Pub/Sub's messages die. In small transactions, so that nobody waits.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { MICROS_PER_MS, type Clock } from '#core/clock.ts';
import { READERS, READS } from './backlog.ts';
import { firstFrameId, frameId, frameNumber } from './partitions.ts';
import { transaction } from './transaction.ts';

export interface Keeping {
  /** Unread messages die after this. */
  readonly retentionMs: number;
  /** How long a topic's messages stay after everyone is done with them, so that a seek can go back. */
  readonly retainMs: (topic: string) => number;
  /** With more than this in the file, what everyone is done with goes earlier. */
  readonly retainBytes: number;
}

const SLICE_FRAMES = 256;
/** A broadcast's instance that has not said for so long that it is alive has ended. */
export const INSTANCE_EXPIRES_MS = 120_000;

const SQL = {
  floors: `SELECT p.id, t.name AS topic, p.next, min(coalesce(c.frame, 1)) AS floor
    FROM partitions p JOIN topics t ON t.id = p.topic
      LEFT JOIN subscriptions s ON ${READS} AND ${READERS}
      LEFT JOIN cursors c ON c.subscription = s.id AND c.partition = p.id
    GROUP BY p.id HAVING count(s.id) > 0
    UNION ALL
    SELECT p.id, t.name, p.next, p.next FROM partitions p JOIN topics t ON t.id = p.topic
    WHERE NOT EXISTS (SELECT 1 FROM subscriptions s WHERE ${READS} AND ${READERS})`,
  oldest: `SELECT id, published_ms FROM frames WHERE id >= ? AND id < ?
    AND id NOT IN (SELECT frame FROM exceptions) ORDER BY id LIMIT ${SLICE_FRAMES}`,
  remove: 'DELETE FROM frames WHERE id >= ? AND id <= ? AND id NOT IN (SELECT frame FROM exceptions)',
  firstSince:
    'SELECT id, messages_before, bytes_before FROM frames WHERE id >= ? AND id < ? AND published_ms >= ? ORDER BY id LIMIT 1',
  anyBefore: 'SELECT 1 FROM frames WHERE id >= ? AND id < ? AND published_ms < ? LIMIT 1',
  partition: 'SELECT next, messages, bytes FROM partitions WHERE id = ?',
  placeMissing: `INSERT INTO cursors (subscription, partition, frame, handed_to, messages_done, bytes_done)
    SELECT s.id, p.id, 1, 1, 0, 0 FROM partitions p JOIN subscriptions s ON ${READS} WHERE p.id = ? ON CONFLICT DO NOTHING`,
  outdate: `UPDATE subscriptions SET generation = generation + 1 WHERE id IN (
      SELECT subscription FROM cursors WHERE partition = ? AND frame < ?
      UNION SELECT subscription FROM exceptions WHERE frame >= ? AND frame < ?)`,
  moveOn: `UPDATE cursors SET frame = ?, handed_to = max(handed_to, ?), bytes_done = max(bytes_done, ?),
      messages_done = ? + coalesce((SELECT sum(CASE WHEN e.acked IS NULL THEN f.count ELSE bits_set(e.acked) END)
        FROM exceptions e JOIN frames f ON f.id = e.frame
        WHERE e.subscription = cursors.subscription AND e.frame >= ? AND e.frame < ?), 0)
    WHERE partition = ? AND frame < ?`,
  countStragglers: `UPDATE cursors SET messages_done = messages_done + coalesce((
        SELECT sum(f.count - bits_set(e.acked)) FROM exceptions e JOIN frames f ON f.id = e.frame
        WHERE e.subscription = cursors.subscription AND e.frame >= ? AND e.frame < ? AND e.acked IS NOT NULL), 0)
    WHERE partition = ? AND frame >= ?`,
  dropExceptions: 'DELETE FROM exceptions WHERE frame >= ? AND frame < ?',
  removeDead: 'DELETE FROM frames WHERE id >= ? AND id < ?',
  pages:
    'SELECT (page_count - freelist_count) * page_size AS bytes FROM pragma_page_count, pragma_freelist_count, pragma_page_size',
  expired: 'SELECT id FROM subscriptions WHERE expires_ms < ?',
  forgetCursors: 'DELETE FROM cursors WHERE subscription = ?',
  forgetExceptions: 'DELETE FROM exceptions WHERE subscription = ?',
  forget: 'DELETE FROM subscriptions WHERE id = ?',
  renew: 'UPDATE subscriptions SET expires_ms = ? WHERE id = ?',
  seek: `INSERT INTO cursors (subscription, partition, frame, handed_to, messages_done, bytes_done) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET frame = excluded.frame, handed_to = excluded.handed_to,
      messages_done = excluded.messages_done, bytes_done = excluded.bytes_done`,
  raiseGeneration: 'UPDATE subscriptions SET generation = generation + 1 WHERE id = ?',
} as const;

export class Housekeeping {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #keeping: Keeping;
  readonly #sql: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: DatabaseSync, clock: Clock, keeping: Keeping) {
    this.#database = database;
    this.#clock = clock;
    this.#keeping = keeping;
    database.function('bits_set', { deterministic: true }, (bits) => bitsSet(bits as Uint8Array));
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)] as const);
    this.#sql = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowMicros() / MICROS_PER_MS);
  }

  /** One slice of what everyone is done with. Answers whether there may be more. */
  sweep(): boolean {
    let isMore = false;
    const isTight = Number(this.#sql.pages.get()?.bytes) > this.#keeping.retainBytes;
    for (const row of this.#sql.floors.all()) {
      const retainMs = isTight ? 0 : this.#keeping.retainMs(String(row.topic));
      if (this.#sweepPartition(Number(row.id), Number(row.floor), this.#nowMs() - retainMs)) isMore = true;
    }
    return isMore;
  }

  #sweepPartition(partition: number, floor: number, beforeMs: number): boolean {
    const from = firstFrameId(partition);
    const oldest = this.#sql.oldest.all(from, frameId(partition, floor));
    const doomed = oldest.filter((row) => Number(row.published_ms) <= beforeMs);
    const last = doomed.at(-1);
    if (!last) return false;
    transaction(this.#database, () => this.#sql.remove.run(from, Number(last.id)));
    return doomed.length === SLICE_FRAMES;
  }

  /**
   * Lets unread messages die of age. Subscriptions that lose some are outdated, as by a seek: whoever reads them reloads.
   * Answers whether any message died.
   */
  bury(): boolean {
    const beforeMs = this.#nowMs() - this.#keeping.retentionMs;
    let isAny = false;
    for (const { id } of this.#sql.floors.all()) {
      const partition = Number(id);
      if (this.#sql.anyBefore.get(firstFrameId(partition), firstFrameId(partition + 1), beforeMs) === undefined)
        continue;
      transaction(this.#database, () => this.#buryIn(partition, beforeMs));
      isAny = true;
    }
    return isAny;
  }

  #buryIn(partition: number, beforeMs: number): void {
    const place = this.#placeAt(partition, beforeMs);
    const from = firstFrameId(partition);
    const to = frameId(partition, place.frame);
    const end = firstFrameId(partition + 1);
    this.#sql.placeMissing.run(partition);
    this.#sql.outdate.run(partition, place.frame, from, to);
    this.#sql.countStragglers.run(from, to, partition, place.frame);
    this.#sql.moveOn.run(place.frame, place.frame, place.bytes, place.messages, to, end, partition, place.frame);
    this.#sql.dropExceptions.run(from, to);
    this.#sql.removeDead.run(from, to);
  }

  #placeAt(
    partition: number,
    timeMs: number,
  ): { readonly frame: number; readonly messages: number; readonly bytes: number } {
    const first = this.#sql.firstSince.get(firstFrameId(partition), firstFrameId(partition + 1), timeMs);
    if (first)
      return {
        frame: frameNumber(Number(first.id)),
        messages: Number(first.messages_before),
        bytes: Number(first.bytes_before),
      };
    const end = this.#sql.partition.get(partition);
    return { frame: Number(end?.next), messages: Number(end?.messages), bytes: Number(end?.bytes) };
  }

  /** Puts a subscription's cursors at this time. Call it inside a transaction. */
  seek(subscription: number, partitions: readonly number[], timeMs: number): void {
    this.#sql.forgetExceptions.run(subscription);
    for (const partition of partitions) {
      const { frame, messages, bytes } = this.#placeAt(partition, timeMs);
      this.#sql.seek.run(subscription, partition, frame, frame, messages, bytes);
    }
    this.#sql.raiseGeneration.run(subscription);
  }

  /** Says that these instances of broadcasts live, and forgets those of processes that ended without a word. */
  renewInstances(alive: readonly number[]): void {
    const nowMs = this.#nowMs();
    if (alive.length > 0) {
      transaction(this.#database, () => {
        for (const id of alive) this.#sql.renew.run(nowMs + INSTANCE_EXPIRES_MS, id);
      });
    }
    for (const { id } of this.#sql.expired.all(nowMs)) this.forget(Number(id));
  }

  forget(subscription: number): void {
    transaction(this.#database, () => {
      this.#sql.forgetExceptions.run(subscription);
      this.#sql.forgetCursors.run(subscription);
      this.#sql.forget.run(subscription);
    });
  }
}

function bitsSet(bits: Uint8Array): number {
  let count = 0;
  for (let byte of bits) for (; byte > 0; byte &= byte - 1) count++;
  return count;
}
