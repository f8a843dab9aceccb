/** One participant decided: the match to publish, or undefined if it was published already. */
import type { CanonicalEvent } from '#core/codec.ts';
import type { RecordKey } from '#core/key.ts';
import { parseRawPhoneText } from '../index/derive.ts';
import type { WorldIndex } from '../index/index.ts';
import { kindOf, leadsToRecord, targetOf } from '../index/links.ts';
import { isPhone, isRaw, LINK } from '../state.ts';
import type { Cause } from '../waiting.ts';
import { fingerprintOf, matchRecord } from './explain.ts';
import { decide, type OutcomeName } from './match.ts';
import type { Questions } from './question.ts';

export interface Answer {
  readonly participant: number;
  readonly activity: RecordKey;
  readonly role: string;
  readonly outcome: OutcomeName;
  readonly fingerprint: number;
  readonly event: Omit<CanonicalEvent<'match'>, 'envelope'> & { readonly isWithdrawn: boolean };
}

/**
 * Publishes only what changed, with two exceptions for safety: what an earlier owner published last is published again once an
 * event names it, for that owner may have published more than it wrote down; and a deleted activity is withdrawn even if
 * nothing is known to have been published.
 */
export function answer(
  index: WorldIndex,
  questions: Questions,
  participant: number,
  cause: Cause,
  epoch: number,
): Answer | undefined {
  const { participants } = index;
  if (!participants.versions.has(participant)) return undefined;
  const { activity, role } = participants.key(participant);
  const decision = decide(questions.of(participant));
  const about = {
    activity,
    participant: `${role}:${identifierText(index, participant)}`,
    occurredAtMicros: participants.occurredAtMicros(participant),
  };
  const record = matchRecord(about, decision);
  const fingerprint = fingerprintOf(record);
  const isKnown = participants.fingerprint(participant) === fingerprint;
  if (isKnown && (!cause.isEvent || participants.publishedIn(participant) === epoch)) return undefined;
  const { outcome } = decision;
  return { participant, activity, role, outcome, fingerprint, event: { record, isWithdrawn: outcome === 'withdrawn' } };
}

/** What the participant is known by, for people to read: the number, else the address, else the record the source names. */
function identifierText(index: WorldIndex, participant: number): string {
  const links = index.participants.links.of(participant);
  const extension = links.find((link) => kindOf(link) === LINK.extension);
  const phone = links.find((link) => isPhone(kindOf(link)));
  const identifier = extension ?? phone ?? links.find((link) => !leadsToRecord(link));
  if (identifier !== undefined) {
    const text = index.identifiers.text(targetOf(identifier));
    return isRaw(kindOf(identifier)) ? parseRawPhoneText(text).raw : text;
  }
  const named = links.find((link) => kindOf(link) !== LINK.detail);
  return named === undefined ? '' : index.records.ref(targetOf(named)).id;
}
