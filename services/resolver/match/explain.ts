/** A decision as the record that is published: it says which rule decided, by what, and who else it could have been. Pure. */
import { hash } from 'node:crypto';
import type { RecordKey } from '#core/key.ts';
import type { Match } from '#schemas/generated/types.ts';
import type { Alternative } from './evidence.ts';
import type { Decision } from './match.ts';

/** Changes with the rules: a restart under another version decides everything again. */
export const RULES_VERSION = 'exact-1';

const MOST_ALTERNATIVES = 5;
const MOST_BYTES = 2_000;

export interface About {
  readonly activity: RecordKey;
  /** A role and an identifier. */
  readonly participant: string;
  readonly occurredAtMicros: number | null;
}

export function matchRecord({ activity, participant, occurredAtMicros }: About, decision: Decision): Match {
  const { person, account, user, outcome } = decision;
  const isDecided = outcome === 'matched' || outcome === 'account-only' || outcome === 'internal';
  return {
    activity_source: activity.source,
    activity_instance: activity.instance,
    activity_object: activity.object,
    activity_id: activity.id,
    participant,
    outcome,
    person_source: person?.source ?? account?.source ?? user?.source ?? null,
    contact_id: person?.kind === 'contact' ? person.id : null,
    lead_id: person?.kind === 'lead' ? person.id : null,
    account_id: account?.id ?? null,
    user_id: user?.id ?? null,
    rule: decision.rule,
    confidence: isDecided ? 'exact' : null,
    probability: decision.probability,
    evidence: JSON.stringify(decision.reasons),
    alternatives: alternativesText(decision.alternatives),
    occurred_at: occurredAtMicros,
    resolver_version: RULES_VERSION,
  };
}

/** Two records have equal fingerprints if they are equal (52 bits of a hash; never 0). */
export function fingerprintOf(record: Match): number {
  return Number.parseInt(hash('sha1', JSON.stringify(record), 'hex').slice(0, 13), 16) + 1;
}

/** The first few, and how many there are; as many as fit. Null if there is none. */
function alternativesText(alternatives: readonly Alternative[]): string | null {
  if (alternatives.length === 0) return null;
  for (let most = MOST_ALTERNATIVES; most > 0; most -= 1) {
    const listed: object[] = alternatives.slice(0, most).map(lineOf);
    if (alternatives.length > most) listed.push({ more: alternatives.length - most });
    const text = JSON.stringify(listed);
    if (Buffer.byteLength(text) <= MOST_BYTES) return text;
  }
  return JSON.stringify([{ more: alternatives.length }]);
}

function lineOf({ kind, ref, account, why }: Alternative): object {
  return { kind, source: ref.source, id: ref.id, ...(account === null ? {} : { account: account.id }), why };
}
