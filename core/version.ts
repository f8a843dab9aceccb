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
  /**
   * 0 on a first trip; every replay of raw events carries its own number, counted up, so a mapper's fix wins over the same
   * read, and the second fix over the first.
   */
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

/** Floors a time to a source's coarsest unit, so that its paths (events, reads, lists) agree about one commit. Exact. */
export function floorMicros(micros: number, unitMicros: number): number {
  const rest = micros % unitMicros;
  return micros - (rest < 0 ? rest + unitMicros : rest);
}

/** Text form `epoch/sequence/issued/generation` in decimal, for ids, logs and people. */
export function versionText(version: Version): string {
  return `${version.epoch}/${version.sourceSequence}/${version.issuedMicros}/${version.generation}`;
}

/** 2^53 in hexadecimal digits. */
const SECTION_DIGITS = 14;

/**
 * BigQuery's `_CHANGE_SEQUENCE_NUMBER`: the four parts in hexadecimal, compared section by section. Of fixed width, so
 * that it sorts as text too. Throws `RangeError` on a part that is negative or no safe integer: BigQuery would refuse the row.
 */
export function changeSequenceNumber({ epoch, sourceSequence, issuedMicros, generation }: Version): string {
  return `${section(epoch)}/${section(sourceSequence)}/${section(issuedMicros)}/${section(generation)}`;
}

function section(part: number): string {
  if (!Number.isSafeInteger(part) || part < 0)
    throw new RangeError(`A version holds whole numbers from 0, not ${part}.`);
  return part.toString(16).padStart(SECTION_DIGITS, '0');
}
