/** Subscriptions, cursors and exceptions in the broker's file. Writes happen inside the journal's transactions. */
import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Clock } from '#core/clock.ts';
import type { Lane, SubscriptionSpec } from '#core/ports/broker.ts';
import { PartitionCursor } from './cursor.ts';
import type { Frames } from './frames.ts';
import { firstFrameId, frameId, frameNumber, type Partition } from './partitions.ts';
import type { CursorRow, ExceptionRow, SubscriptionRow } from './rows.ts';

/** What is to be stored of a subscription. */
export interface Progress {
  readonly row: SubscriptionRow;
  cursors(): readonly PartitionCursor[];
}

const SQL = {
  byName: 'SELECT * FROM subscriptions WHERE name = ?',
  instances: "SELECT * FROM subscriptions WHERE name >= ? || '#' AND name < ? || '$'",
  generation: 'SELECT generation FROM subscriptions WHERE id = ?',
  insert: `INSERT INTO subscriptions (name, topic, lane, service, sharing, generation, expires_ms)
    VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO NOTHING`,
  startAtEnd: `INSERT INTO cursors (subscription, partition, frame, handed_to, messages_done, bytes_done)
    SELECT ?, id, next, next, messages, bytes FROM partitions WHERE topic = ?`,
  cursor: 'SELECT * FROM cursors WHERE subscription = ? AND partition = ?',
  exceptions: 'SELECT frame, acked, crashes FROM exceptions WHERE subscription = ? AND frame >= ? AND frame < ?',
  putCursor: `INSERT INTO cursors (subscription, partition, frame, handed_to, messages_done, bytes_done) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET frame = excluded.frame, handed_to = excluded.handed_to,
      messages_done = excluded.messages_done, bytes_done = excluded.bytes_done`,
  putException: `INSERT INTO exceptions (subscription, frame, acked, crashes) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET acked = excluded.acked, crashes = excluded.crashes`,
  dropException: 'DELETE FROM exceptions WHERE subscription = ? AND frame = ?',
} as const;

export class CursorStore {
  readonly #frames: Frames;
  readonly #clock: Clock;
  readonly #sql: Readonly<Record<keyof typeof SQL, StatementSync>>;

  constructor(database: DatabaseSync, frames: Frames, clock: Clock) {
    this.#frames = frames;
    this.#clock = clock;
    const prepared = Object.entries(SQL).map(([name, sql]) => [name, database.prepare(sql)] as const);
    this.#sql = Object.fromEntries(prepared) as Record<keyof typeof SQL, StatementSync>;
  }

  find(name: string): SubscriptionRow | undefined {
    const row = this.#sql.byName.get(name);
    return row && toSubscription(row);
  }

  /** The running instances of a broadcast. */
  instances(name: string): readonly SubscriptionRow[] {
    return this.#sql.instances.all(name, name).map(toSubscription);
  }

  /** Makes a subscription that sees what is published from now on. Call it inside a transaction. */
  make(spec: SubscriptionSpec, name: string, topic: number, expiresMs: number | null): void {
    const made = this.#sql.insert.run(name, topic, spec.lane, spec.service, spec.sharing, expiresMs);
    if (made.changes === 0) return;
    this.#sql.startAtEnd.run(made.lastInsertRowid, topic);
  }

  /** The generation as stored; missing if the subscription is gone. */
  generation(id: number): number | undefined {
    const row = this.#sql.generation.get(id);
    return row && Number(row.generation);
  }

  load(subscription: number, partition: Partition): PartitionCursor {
    const row = this.#sql.cursor.get(subscription, partition.id);
    const from = firstFrameId(partition.id);
    const exceptions = this.#sql.exceptions.all(subscription, from, firstFrameId(partition.id + 1));
    return new PartitionCursor(partition, toCursor(row), exceptions.map(toException), this.#frames, this.#clock);
  }

  /** Writes what changed. False if a seek elsewhere has made it void: the subscription must be reloaded. */
  write(subscription: Progress, isClosing: boolean): boolean {
    const { id, generation } = subscription.row;
    if (this.generation(id) !== generation) return false;
    for (const cursor of subscription.cursors())
      if (cursor.isDirty || isClosing) this.#writeCursor(id, cursor, isClosing);
    return true;
  }

  #writeCursor(subscription: number, cursor: PartitionCursor, isClosing: boolean): void {
    const { id } = cursor.partition;
    const { frame, handedTo, messagesDone, bytesDone, frames, gone } = cursor.changes(isClosing);
    this.#sql.putCursor.run(subscription, id, frame, handedTo, messagesDone, bytesDone);
    for (const acks of frames)
      this.#sql.putException.run(subscription, frameId(id, acks.frame), acks.bits, acks.crashes);
    for (const number of gone) this.#sql.dropException.run(subscription, frameId(id, number));
  }
}

type SqlRow = Readonly<Record<string, SQLOutputValue>>;

function toSubscription(row: SqlRow): SubscriptionRow {
  return {
    id: Number(row.id),
    name: String(row.name),
    topic: Number(row.topic),
    lane: row.lane as Lane | 'any',
    service: String(row.service),
    sharing: row.sharing as SubscriptionSpec['sharing'],
    generation: Number(row.generation),
  };
}

function toCursor(row: SqlRow | undefined): CursorRow {
  if (!row) return { frame: 1, handedTo: 1, messagesDone: 0, bytesDone: 0 };
  return {
    frame: Number(row.frame),
    handedTo: Number(row.handed_to),
    messagesDone: Number(row.messages_done),
    bytesDone: Number(row.bytes_done),
  };
}

function toException(row: SqlRow): ExceptionRow {
  const acked = row.acked instanceof Uint8Array ? row.acked : null;
  return { frame: frameNumber(Number(row.frame)), acked, crashes: Number(row.crashes) };
}
