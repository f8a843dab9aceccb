/**
 * The version of a record: what decides between two states of it, wherever and whenever they meet.
 *
 * Compared field by field, in the order below; greater wins, equal is a duplicate. All four are safe integers, so that
 * Avro `long`, BigQuery INT64 and JavaScript's `<` agree about them.
 */
export interface Version {
  /** Raised by an operator when the source itself went back in time (a restored org, a refreshed sandbox). */
  readonly epoch: number;
  /** What the source says, in microseconds where it is a time, floored to the source's coarsest unit; 0 if it has none. */
  readonly sourceSequence: number;
  /** When the request that succeeded was sent, in microseconds: a read sees at least what was committed before it. */
  readonly issuedMicros: number;
  /** 0 on a first trip; a replay of raw events carries the next number, so a mapper's fix wins over the same read. */
  readonly generation: number;
}

export const ZERO_VERSION: Version = { epoch: 0, sourceSequence: 0, issuedMicros: 0, generation: 0 };

/** Negative if `a` is older than `b`, positive if newer, 0 if they are the same version. */
export function compareVersions(a: Version, b: Version): number {
  return (
    a.epoch - b.epoch ||
    a.sourceSequence - b.sourceSequence ||
    a.issuedMicros - b.issuedMicros ||
    a.generation - b.generation
  );
}

/** A write applies only if its version is greater than the one stored: so writes commute. */
export function supersedes(candidate: Version, stored: Version | undefined): boolean {
  return stored === undefined || compareVersions(candidate, stored) > 0;
}

/** Floors a time to a source's coarsest unit, so that its paths (events, reads, lists) agree about one commit. */
export function floorMicros(micros: number, unitMicros: number): number {
  return Math.floor(micros / unitMicros) * unitMicros;
}

/** Text form `epoch/sequence/issued/generation` in decimal, for ids, logs and people. */
export function versionText(version: Version): string {
  return `${version.epoch}/${version.sourceSequence}/${version.issuedMicros}/${version.generation}`;
}
