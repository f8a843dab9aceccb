/** Publishes what a page of the list shows, durably: a cursor or watermark may pass it afterwards. */
import { LARGEST_BODY_BYTES } from '#core/claim.ts';
import type { CapturePath } from '#core/telemetry.ts';
import type { RawEvent } from '#core/codec.ts';
import type { Lane, Message } from '#core/ports/broker.ts';
import { decodeCall } from './decode.ts';
import type { CallPage } from './call-list.ts';
import type { DialpadContext } from './declared.ts';
import { listedEvents, unreadableEvent, type Arrival } from './raw-events.ts';

/** How much of a record that no message can carry is kept, for the dead letter. */
const KEPT_BYTES = 65_536;

export interface PageOptions {
  readonly lane: Lane;
  readonly path: CapturePath;
  readonly runId: string;
  /** What need not be published again. */
  readonly maySkip: (event: RawEvent) => boolean;
}

/** Answers the events published. */
export async function publishPage(
  context: DialpadContext,
  page: CallPage,
  options: PageOptions,
): Promise<readonly RawEvent[]> {
  const events = page.items
    .flatMap((item) => itemEvents(item, arrivalOf(context, page, options)))
    .filter((event) => !options.maySkip(event));
  if (events.length === 0) return events;
  await context.publish(
    'raw.dialpad',
    events.map((event) => encode(context, event)),
    'power',
  );
  const objects = Map.groupBy(events, ({ envelope }) => envelope.object);
  for (const [object, { length }] of objects)
    context.telemetry.emit('eventsIngested', { source: 'dialpad', object, path: options.path, events: length });
  return events;
}

function itemEvents(item: unknown, arrival: Arrival): readonly RawEvent[] {
  const decoded = decodeCall(item);
  if (decoded.kind === 'call') return listedEvents(decoded.image, arrival);
  return [unreadableEvent(Buffer.from(JSON.stringify(item)), decoded.code, arrival)];
}

/** One record too large for any message must not hold up all others for ever: its beginning is parked in its place. */
function encode(context: DialpadContext, event: RawEvent): Message {
  const message = context.codec.encodeRaw('dialpad', event);
  if (message.body.byteLength <= LARGEST_BODY_BYTES) return message;
  const { envelope, record } = event;
  const kept = Buffer.from(record ?? '').subarray(0, KEPT_BYTES);
  const { instance, version, lane, runId, observedAtMicros, trace } = envelope;
  const arrival = { instance, epoch: version.epoch, lane, runId, issuedMicros: observedAtMicros, trace };
  return context.codec.encodeRaw('dialpad', unreadableEvent(kept, 'record_too_large', arrival));
}

function arrivalOf(context: DialpadContext, page: CallPage, options: PageOptions): Arrival {
  return {
    instance: context.config['dialpad.companyId'],
    epoch: context.config['dialpad.epoch'],
    lane: options.lane,
    runId: options.runId,
    issuedMicros: page.issuedMicros,
    trace: context.random.id(),
  };
}
