/**
 * Erases records for good: a tombstone that nothing is newer than goes through the river, and what is parked of the records
 * is dropped. What this does not reach (the source itself, the archive's older files) is in docs/guides/erase.md.
 */
import type { Clock, Random } from '#core/clock.ts';
import type { Codec } from '#core/codec.ts';
import { erasure } from '#core/erasure.ts';
import { keyText, type RecordKey } from '#core/key.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { rawTopic } from '#core/topics.ts';
import type { RawSource } from '#schemas/generated/types.ts';
import { DeadLetters } from './dead-letters.ts';
import type { Publisher } from './publisher.ts';
import { requireMapped } from './replay-selection.ts';

export interface EraseOptions {
  readonly publisher: Publisher;
  readonly objects: ObjectsPort;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly installation: string;
}

export interface EraseRequest {
  readonly source: RawSource;
  readonly instance: string;
  /** As the source calls it. */
  readonly object: string;
  readonly ids: readonly string[];
  /** Counts, and erases nothing. */
  readonly dryRun: boolean;
}

export interface Erased {
  readonly records: number;
  /** Parked messages of these records: dropped, or with `dryRun` found. */
  readonly deadLetters: number;
  readonly dryRun: boolean;
}

/**
 * Resolves when the tombstones are published and the dead letters gone; the rows follow within seconds. Doing it again
 * changes nothing. Throws `Misconfigured` (`unknown_object`) for an object that never makes a row.
 */
export async function erase(options: EraseOptions, request: EraseRequest): Promise<Erased> {
  const { publisher, codec, clock, random } = options;
  const { source, object, dryRun } = request;
  requireMapped(source, object);
  const keys = keysOf(request);
  const messages = keys.map((key) => codec.encodeRaw(source, erasure(key, clock.nowMicros(), random.id())));
  // First, so that a letter that somebody replays meanwhile is older than the erasure already.
  if (!dryRun) await publisher.publish(rawTopic(source), messages, 'power');
  const dropped = await new DeadLetters(options).drop({ keys: keys.map(keyText) }, dryRun);
  return { records: keys.length, deadLetters: dropped.matched, dryRun };
}

function keysOf({ source, instance, object, ids }: EraseRequest): readonly RecordKey[] {
  return [...new Set(ids)].map((id) => ({ source, instance, object, id }));
}
