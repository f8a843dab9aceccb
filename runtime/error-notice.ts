/**
 * The notice of a parked message on `ingestion-errors`: enough to alert and to find the dead letter by its id, and nothing
 * of a person. The instance is left out, since it may be a mailbox, and so is the reason, which may quote the source.
 */
import type { DeadLetter } from '#core/dead-letter.ts';
import { MICROS_PER_MS } from '#core/clock.ts';
import type { Message } from '#core/ports/broker.ts';

/** The body, as JSON. `source` and `object` are null where the message did not say of which record it is. */
export interface ErrorNotice {
  readonly deadLetterId: string;
  readonly code: string;
  readonly service: string;
  readonly subscription: string;
  readonly source: string | null;
  readonly object: string | null;
  readonly attempts: number;
  readonly parkedAt: string;
}

export function errorNotice(letter: DeadLetter): Message {
  const { id, code, service, subscription, attempts, parkedAtMicros } = letter;
  const [source, , object] = keyParts(letter.attributes['key']);
  const notice: ErrorNotice = {
    deadLetterId: id,
    code,
    service,
    subscription,
    source: source ?? null,
    object: object ?? null,
    attempts,
    parkedAt: new Date(parkedAtMicros / MICROS_PER_MS).toISOString(),
  };
  return {
    body: Buffer.from(JSON.stringify(notice)),
    attributes: { contentType: 'application/json', service, code },
  };
}

/** Parts of `keyText`; none of a key that is not of four parts. */
function keyParts(key: string | undefined): readonly string[] {
  const parts = (key ?? '').split('/').map((part) => part.replaceAll('%2F', '/').replaceAll('%25', '%'));
  return parts.length === 4 ? parts : [];
}
