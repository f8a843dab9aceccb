/**
 * A source with a few records and their whole histories, as Salesforce behaves: `SystemModstamp` is the statement's time
 * to the second, up to 2 s before the commit; a deletion keeps its row until it is purged; an undelete follows the
 * deletion's commit, perhaps within its second; reads show a commit only some time after it.
 */
import { floorMicros } from '#core/version.ts';
import { MICROS_PER_MS, MICROS_PER_SECOND } from '#core/clock.ts';
import type { SeededRandom } from '#test/kit/random.ts';

export type Effect = 'create' | 'change' | 'delete' | 'undelete' | 'purge' | 'vanish';

export interface State {
  readonly id: string;
  /** True time. */
  readonly commitMicros: number;
  /** The source's clock: `SystemModstamp`, whole seconds. */
  readonly modifiedMicros: number;
  /** The source's clock: a change event's `commitTimestamp`, whole milliseconds. */
  readonly committedMicros: number;
  readonly effect: Effect;
  readonly status: 'live' | 'deleted' | 'purged';
  readonly value: number;
  /** When the list of deletions says it was deleted. */
  readonly deletedMicros: number | null;
}

export interface SourceOptions {
  readonly startMicros: number;
  /** The source's clock minus true time. */
  readonly clockMicros: number;
  /** Records may disappear without any word (only a listing shows it). */
  readonly vanishes: boolean;
  /** All changes within a few seconds. */
  readonly packed: boolean;
  /** How likely an undelete moves SystemModstamp, for all records: it is not documented. */
  readonly undeleteModifies: number;
}

export interface Source {
  readonly ids: readonly string[];
  readonly states: readonly State[];
  readonly endMicros: number;
  /** The record as it was at a true time; undefined before its creation. */
  at(id: string, timeMicros: number): State | undefined;
  last(id: string): State;
}

export function inventSource(random: SeededRandom, options: SourceOptions): Source {
  const undeleteModifies = random.chance(options.undeleteModifies);
  const histories = new Map<string, State[]>();
  for (let n = random.below(3); n >= 0; n--) {
    const id = `record-${n}`;
    histories.set(id, inventHistory(random, id, undeleteModifies, options));
  }
  const states = [...histories.values()].flat();
  return {
    ids: [...histories.keys()],
    states,
    endMicros: Math.max(...states.map((state) => state.commitMicros)),
    at: (id, time) => histories.get(id)?.findLast((state) => state.commitMicros <= time),
    last: (id) => histories.get(id)?.at(-1) as State,
  };
}

function inventHistory(random: SeededRandom, id: string, undeleteModifies: boolean, options: SourceOptions): State[] {
  const history: State[] = [];
  let commit = options.startMicros + random.below(3_000) * MICROS_PER_MS;
  let earliest = commit;
  for (let left = 1 + random.below(options.packed ? 12 : 8); left > 0; left--) {
    const before = history.at(-1);
    const effect = inventEffect(random, before, options);
    if (effect === null) break;
    // A deletion and its undoing need the state before to be committed; any other statement may wait for its row's lock.
    if (before && (effect === 'undelete' || before.effect === 'undelete')) earliest = before.commitMicros;
    const statement = Math.max(earliest, commit - inventOpenTime(random));
    const unmodified = effect === 'purge' || effect === 'vanish' || (effect === 'undelete' && !undeleteModifies);
    const committed = floorMicros(commit + options.clockMicros, MICROS_PER_MS);
    history.push({
      id,
      commitMicros: commit,
      committedMicros: committed,
      modifiedMicros:
        unmodified && before ? before.modifiedMicros : floorMicros(statement + options.clockMicros, MICROS_PER_SECOND),
      effect,
      status: statusAfter(random, effect),
      value: effect === 'create' || effect === 'change' ? history.length + 1 : (before?.value ?? 0),
      deletedMicros: effect === 'delete' ? committed : effect === 'purge' ? (before?.deletedMicros ?? null) : null,
    });
    earliest = statement;
    commit += inventGap(random, options.packed);
  }
  return history;
}

function inventEffect(random: SeededRandom, before: State | undefined, options: SourceOptions): Effect | null {
  if (!before) return 'create';
  if (before.status === 'purged') return null;
  if (before.status === 'deleted') return random.chance(0.7) ? 'undelete' : 'purge';
  if (options.vanishes && random.chance(0.2)) return 'vanish';
  return random.chance(0.35) ? 'delete' : 'change';
}

function statusAfter(random: SeededRandom, effect: Effect): State['status'] {
  if (effect === 'purge' || effect === 'vanish') return 'purged';
  // Some objects skip the recycle bin.
  if (effect === 'delete') return random.chance(0.2) ? 'purged' : 'deleted';
  return 'live';
}

/** From the statement to its commit. */
function inventOpenTime(random: SeededRandom): number {
  return random.below(random.pick([20, 500, 500, 2_000])) * MICROS_PER_MS + random.below(1_000);
}

/** From one commit to the record's next: in half of the sources all is packed into a few seconds. */
function inventGap(random: SeededRandom, packed: boolean): number {
  const [least, most] = random.pick(packed ? PACKED_GAPS : GAPS);
  return (least + random.below(most - least)) * MICROS_PER_MS + 1 + random.below(999);
}

const PACKED_GAPS = [
  [1, 100],
  [1, 400],
  [1, 400],
  [100, 800],
] as const;

const GAPS = [...PACKED_GAPS, [400, 3_000], [3_000, 20_000], [60_000, 150_000]] as const;
