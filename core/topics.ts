/** Names of topics. One word order everywhere: what it carries, then of whom. */
import type { EntityName, RawSource } from '#schemas/generated/types.ts';

/** One small JSON notice for each message that was parked, without its body or anything personal: for alerts. */
export const INGESTION_ERRORS = 'ingestion-errors';

export type Topic =
  | `hint.${RawSource}`
  | `raw.${RawSource}`
  | `canonical.${EntityName}`
  | 'resolved.match'
  | 'ops.event'
  | typeof INGESTION_ERRORS
  | `dead-letter.${string}`;

export function hintTopic<S extends RawSource>(source: S): `hint.${S}` {
  return `hint.${source}`;
}

export function rawTopic<S extends RawSource>(source: S): `raw.${S}` {
  return `raw.${source}`;
}

/** `match` travels on `resolved.match`, what describes the pipeline itself on `ops.event`, all else on `canonical.<entity>`. */
export function entityTopic(entity: EntityName): Topic {
  if (entity === 'match') return 'resolved.match';
  if (entity === 'run' || entity === 'api_call' || entity === 'dead_letter') return 'ops.event';
  return `canonical.${entity}`;
}

export function deadLetterTopic(service: string): `dead-letter.${string}` {
  return `dead-letter.${service}`;
}
