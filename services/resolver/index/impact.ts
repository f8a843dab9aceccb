/**
 * Which participants must be decided again after a record's state came. Complete by construction: a decision depends on the
 * holders of the participant's identifiers, on the records it names, and on where those lead; each way is walked backwards.
 */
import type { Change, WorldIndex } from './index.ts';
import { isRaw } from '../state.ts';
import { kindOf, leadsToRecord, targetOf } from './links.ts';

export function impact(index: WorldIndex, change: Change, mark: (participant: number) => void): void {
  if (!change.matters) return;
  impactOfIdentifiers(index, change.identifiers, mark);
  const seen = new Set([change.record]);
  for (const record of seen) {
    index.participants.links.byRecord.each(record, mark);
    if (!change.reachesOthers) return;
    if (record !== change.record) impactOfHolder(index, record, mark);
    index.records.links.byRecord.each(record, (other) => seen.add(other));
  }
}

export function impactOfIdentifiers(
  index: WorldIndex,
  identifiers: readonly number[],
  mark: (participant: number) => void,
): void {
  for (const identifier of identifiers) index.participants.links.byIdentifier.each(identifier, mark);
}

function impactOfHolder(index: WorldIndex, record: number, mark: (participant: number) => void): void {
  for (const link of index.records.links.of(record))
    if (!leadsToRecord(link) && !isRaw(kindOf(link))) index.participants.links.byIdentifier.each(targetOf(link), mark);
}
