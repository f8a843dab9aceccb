/**
 * Takes a webhook: verifies the exact bytes, makes what they say durable, then answers. A 2xx means it survives power
 * loss. Dialpad never sends again after a 4xx, so that is for what is not from Dialpad; our own faults are 503.
 *
 *     body ──▶ verified? ──no──▶ 401, the same for every reason
 *                 │ yes
 *                 ▼
 *              publish, durable ──fails──▶ 503 (sent again after 2, 4 and 8 s; after that the poll repairs)
 *                 │
 *                 ▼
 *                204
 */
import type { RawEvent } from '#core/codec.ts';
import { codeOf } from '#core/errors.ts';
import type { RouteHandler, WebResponse } from '#core/ports/web.ts';
import { decodeBytes } from './decode.ts';
import { pushedEvents, unreadableEvent, type Arrival } from './raw-events.ts';
import type { DialpadContext } from './declared.ts';
import type { Verify } from './verify.ts';

export function receiver(context: DialpadContext, verify: Verify): RouteHandler {
  return async ({ body }) => {
    const receivedMicros = context.clock.nowMicros();
    const verified = await verify(body);
    if (verified.kind === 'refused') return answer(context, 401, verified.reason);
    const events = eventsOf(verified.payload, arrivalOf(context, receivedMicros));
    try {
      await context.publish(
        'raw.dialpad',
        events.map((event) => context.codec.encodeRaw('dialpad', event)),
        'power',
      );
    } catch (error) {
      context.telemetry.emit('faultSeen', {
        service: 'ingest-dialpad',
        code: codeOf(error),
        message: 'A webhook could not be made durable.',
      });
      return answer(context, 503, 'not_durable');
    }
    for (const { envelope } of events)
      context.telemetry.emit('eventsIngested', { source: 'dialpad', object: envelope.object, path: 'push', events: 1 });
    return answer(context, 204, verified.secret === 1 ? 'signed_with_second_secret' : 'accepted');
  };
}

function arrivalOf(context: DialpadContext, receivedMicros: number): Arrival {
  return {
    instance: context.config['dialpad.companyId'],
    epoch: context.config['dialpad.epoch'],
    lane: 'live',
    runId: null,
    issuedMicros: receivedMicros,
    trace: context.random.id(),
  };
}

function eventsOf(payload: Uint8Array, arrival: Arrival): readonly RawEvent[] {
  const decoded = decodeBytes(payload);
  return decoded.kind === 'call'
    ? pushedEvents(decoded.image, arrival)
    : [unreadableEvent(payload, decoded.code, arrival)];
}

/** The body tells the sender nothing: which check failed is for our own log. */
function answer(context: DialpadContext, status: number, reason: string): WebResponse {
  context.telemetry.emit('pushAnswered', { source: 'dialpad', status, reason });
  if (status === 204) return { status };
  return { status, body: status === 401 ? 'unauthorized' : 'try again later' };
}
