/** One row per key: an upsert may hold each key once, so of several states of one record the newest is written. Pure. */
import { keyText } from '#core/key.ts';
import type { Row } from '#core/ports/warehouse.ts';
import { supersedes } from '#core/version.ts';

export interface HasRow {
  readonly row: Row;
}

export interface Newest<P extends HasRow> {
  readonly winners: readonly P[];
  /** For each winner, by its index, the older states it stands for; absent where there is none. */
  readonly superseded: ReadonlyMap<number, readonly P[]>;
}

export function newestPerKey<P extends HasRow>(pending: readonly P[]): Newest<P> {
  const indexByKey = new Map<string, number>();
  const winners: P[] = [];
  const superseded = new Map<number, P[]>();
  for (const candidate of pending) {
    const key = keyText(candidate.row.key);
    const index = indexByKey.get(key);
    const winner = index === undefined ? undefined : winners[index];
    if (index === undefined || winner === undefined) {
      indexByKey.set(key, winners.length);
      winners.push(candidate);
      continue;
    }
    const wins = supersedes(candidate.row.version, winner.row.version);
    const loser = wins ? winner : candidate;
    if (wins) winners[index] = candidate;
    const losers = superseded.get(index);
    if (losers === undefined) superseded.set(index, [loser]);
    else losers.push(loser);
  }
  return { winners, superseded };
}
