/** What the parts of a simulated run share: time, chance, the source, the way to the sink, and how things are done (right or wrong). */
import type { SourceSaysDeleted } from '#core/capture/hint.ts';
import { sourceVersion, type Stamp } from '#core/capture/tombstone.ts';
import { judge, type Sighting, type Verdict } from '#core/capture/verdict.ts';
import { MICROS_PER_MS } from '#core/clock.ts';
import type { Version } from '#core/version.ts';
import type { SeededRandom } from '#test/kit/random.ts';
import type { Loop } from './loop.ts';
import type { Source, State } from './source.ts';

/** How the pipeline works: `CORRECT` follows the design, each deviation is a mistake somebody could make. */
export interface Ways {
  readonly readStamp: 'issued' | 'completed';
  readonly bulkStamp: 'created' | 'ended';
  readonly sink: 'version' | 'arrival';
  readonly settleMs: number;
  readonly missing: 'unknown' | 'deleted';
  /** Whose time a tombstone carries: the deleted row's, or that of the event or list that spoke of the deletion. */
  readonly tombstone: 'row time' | 'event time' | 'event time, not floored';
  /** Whether a read caused by an undelete takes the undelete's commit time if that is later. */
  readonly undelete: 'as read' | 'raised';
  /** Whether any read that misses a record said to be deleted proves it gone, or only one late enough to see it. */
  readonly proof: 'late enough' | 'any';
  readonly pollSkips: 'certain' | 'published';
  readonly doubts: 'certain' | 'at once';
}

export const CORRECT: Ways = {
  readStamp: 'issued',
  bulkStamp: 'created',
  sink: 'version',
  settleMs: 1_000,
  missing: 'unknown',
  tombstone: 'row time',
  undelete: 'as read',
  proof: 'late enough',
  pollSkips: 'certain',
  doubts: 'certain',
};

export interface RawEvent {
  readonly id: string;
  readonly version: Version;
  readonly deleted: boolean;
  readonly value: number;
  readonly by: string;
}

export interface World {
  readonly loop: Loop;
  readonly random: SeededRandom;
  readonly source: Source;
  readonly ways: Ways;
  readonly stamp: Stamp;
  /** The longest time after a commit at which a read may still miss it. */
  readonly lagMs: number;
  readonly publish: (event: RawEvent) => void;
  readonly note: (text: string) => void;
}

/** A clock of one of our processes; any two clocks of a run, the source's included, differ by at most its skew. */
export type ProcessClock = () => number;

export function millis(random: SeededRandom, least: number, most: number): number {
  return least * MICROS_PER_MS + random.below((most - least) * MICROS_PER_MS);
}

/** How much a read executed now lags behind commits. */
export function lagOf({ random, lagMs }: World): number {
  return random.pick([0, 1, random.unit(), random.unit()]) * lagMs * MICROS_PER_MS;
}

/** From when a read was executed until its answer is in: now and then seconds. */
export function answerTime({ random }: World): number {
  return millis(random, 1, random.pick([80, 80, 80, 1_000, 3_000]));
}

/** How a record shows: `queryAll` shows deleted rows, until they are purged. */
export function sightingOf(state: State | undefined): Sighting {
  if (!state || state.status === 'purged') return { kind: 'missing' };
  return { kind: state.status, modifiedMicros: state.modifiedMicros };
}

export interface Read {
  readonly id: string;
  readonly state: State | undefined;
  readonly issuedMicros: number;
  readonly deletion: SourceSaysDeleted | null;
  /** The undelete's commit, if one caused this read. */
  readonly undeletedMicros: number | null;
}

/** Judges a read and publishes what it says. */
export function publishRead(world: World, by: string, read: Read): void {
  const value = read.state?.value ?? world.source.last(read.id).value;
  publishVerdict(world, by, read.id, value, verdictOf(world, read));
}

function verdictOf({ ways, stamp }: World, { state, issuedMicros, deletion, undeletedMicros }: Read): Verdict {
  const seen = sightingOf(state);
  if (seen.kind === 'missing' && ways.missing === 'deleted') return deletedAt(stamp, issuedMicros, issuedMicros);
  if (seen.kind !== 'live' && deletion && ways.tombstone !== 'row time') {
    const unitMicros = ways.tombstone === 'event time' ? stamp.unitMicros : 1;
    return deletedAt({ ...stamp, unitMicros }, deletion.atMicros, issuedMicros);
  }
  if (seen.kind === 'live' && undeletedMicros !== null && ways.undelete === 'raised')
    return judge(
      stamp,
      { ...seen, modifiedMicros: Math.max(seen.modifiedMicros, undeletedMicros) },
      issuedMicros,
      null,
    );
  const provenFromMicros = ways.proof === 'any' ? 0 : (deletion?.provenFromMicros ?? 0);
  return judge(stamp, seen, issuedMicros, deletion && { ...deletion, provenFromMicros });
}

export function deletedAt(stamp: Stamp, atMicros: number, issuedMicros: number): Verdict {
  return { kind: 'delete', version: sourceVersion(stamp, atMicros, issuedMicros), deletedAtMicros: atMicros };
}

export function publishVerdict(world: World, by: string, id: string, value: number, verdict: Verdict): void {
  if (verdict.kind === 'unknown') return;
  world.publish({ id, version: verdict.version, deleted: verdict.kind === 'delete', value, by });
}
