/** A hint that carries an event nobody could decode: tried again, which after a fix (or once the schema is known) succeeds. */
import type { RawEvent } from '#core/codec.ts';
import { ack, deadLetter, type Disposition } from '#core/disposition.ts';
import { InvalidMessage } from '#core/errors.ts';
import type { EventDecoder } from '../cdc/event.ts';
import { intake } from '../cdc/intake.ts';
import { UNDECODABLE, undecodedOf } from '../hint.ts';
import type { Org } from '../org/org.ts';
import { reconcile } from '../reconcile.ts';

export async function retryUndecoded(org: Org, decoder: EventDecoder, event: RawEvent): Promise<Disposition> {
  const undecoded = undecodedOf(event);
  if (undecoded === undefined) return deadLetter('undecodable_event', 'A hint says it carries an event and does not.');
  const payload = Buffer.from(undecoded.payloadBase64, 'base64');
  const { schemaId, replayId, topic } = undecoded;
  try {
    await decoder.decode(schemaId, payload);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return deadLetter(error.code, `${error.message} Schema ${schemaId || 'unnamed'}, ${payload.byteLength} bytes.`);
  }
  const taken = await intake(org, event.envelope.instance, topic, decoder).take(
    [{ schemaId, replayId, payload }],
    event.envelope.observedAtMicros,
  );
  const hints = taken.hints.filter((message) => message.attributes['key']?.includes(`/${UNDECODABLE}/`) !== true);
  if (hints.length > 0) await org.context.publish('hint.salesforce', hints, 'kill');
  for (const { object, sinceMicros } of taken.owed)
    await reconcile(org, object, sinceMicros, 'replayed_event', org.context.signal);
  return ack;
}
