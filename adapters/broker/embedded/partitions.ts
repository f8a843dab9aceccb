/**
 * Topics and their partitions. A partition is the log of one topic's messages of one lane and one addressee (`to`, or
 * nobody), so that a subscription's filter picks partitions and never decodes a frame in vain. Frames have a number
 * within their partition; a frame's id is both, so that a partition's frames lie side by side and go by range.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Misconfigured } from '#core/errors.ts';

export interface Partition {
  readonly id: number;
  readonly topic: number;
  readonly lane: string;
  readonly addressee: string;
  /** Number of the next frame, as far as this thread knows. */
  next: number;
}

/** Frames a partition can have in its life. 32,768 partitions of this size fit a safe integer. */
export const SPAN = 2 ** 38;
const LARGEST_PARTITION = 2 ** 15 - 1;

export const firstFrameId = (partition: number): number => partition * SPAN;
export const frameId = (partition: number, frame: number): number => partition * SPAN + frame;
export const frameNumber = (id: number): number => id % SPAN;

export class Partitions {
  readonly #byId = new Map<number, Partition>();
  readonly #byKey = new Map<string, Partition>();
  readonly #topics = new Map<string, number>();
  readonly #selectAll: StatementSync;
  readonly #selectTopic: StatementSync;
  readonly #insertTopic: StatementSync;
  readonly #insert: StatementSync;
  /** Changes when a partition is added. */
  version = 0;

  constructor(database: DatabaseSync) {
    this.#selectAll = database.prepare('SELECT id, topic, lane, addressee, next FROM partitions');
    this.#selectTopic = database.prepare('SELECT id FROM topics WHERE name = ?');
    this.#insertTopic = database.prepare('INSERT INTO topics (name) VALUES (?) ON CONFLICT DO NOTHING');
    this.#insert = database.prepare(
      'INSERT INTO partitions (topic, lane, addressee, next, messages, bytes, published_ms) VALUES (?, ?, ?, 1, 0, 0, 0) ON CONFLICT DO NOTHING',
    );
    this.refresh();
  }

  /** Reads what other threads and processes have added. */
  refresh(): void {
    for (const row of this.#selectAll.all()) {
      const known = this.#byId.get(Number(row.id));
      if (known) known.next = Math.max(known.next, Number(row.next));
      else
        this.#add({
          id: Number(row.id),
          topic: Number(row.topic),
          lane: String(row.lane),
          addressee: String(row.addressee),
          next: Number(row.next),
        });
    }
  }

  #add(partition: Partition): void {
    this.#byId.set(partition.id, partition);
    this.#byKey.set(keyOf(partition.topic, partition.lane, partition.addressee), partition);
    this.version++;
  }

  ensureTopic(name: string): void {
    this.#insertTopic.run(name);
  }

  topicId(name: string): number {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    const id = this.#selectTopic.get(name)?.id;
    if (typeof id !== 'number') {
      throw new Misconfigured('topic_missing', `There is no topic ${name}: declare it, so that it is made at start.`);
    }
    this.#topics.set(name, id);
    return id;
  }

  /** The partition, made if there is none: outside a transaction a small commit of its own. */
  of(topic: number, lane: string, addressee: string): Partition {
    const key = keyOf(topic, lane, addressee);
    const known = this.#byKey.get(key);
    if (known) return known;
    this.#insert.run(topic, lane, addressee);
    this.refresh();
    const made = this.#byKey.get(key);
    if (!made || made.id > LARGEST_PARTITION) {
      throw new Misconfigured(
        'too_many_partitions',
        'The broker has too many combinations of topic, lane and addressee.',
      );
    }
    return made;
  }

  /** Another thread published. False if we do not know the partition: refresh. */
  hear(id: number, next: number): boolean {
    const partition = this.#byId.get(id);
    if (partition) partition.next = Math.max(partition.next, next);
    return partition !== undefined;
  }

  inTopic(topic: number): readonly Partition[] {
    return [...this.#byId.values()].filter((partition) => partition.topic === topic);
  }
}

function keyOf(topic: number, lane: string, addressee: string): string {
  return `${topic}\n${lane}\n${addressee}`;
}
