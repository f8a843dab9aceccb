/**
 * The CloudEvents context of a message. The npm package knows no Pub/Sub binding, so the mapping to attributes is ours
 * (prefix `ce-`, `contentType` for the data content type: Google's draft binding). Attributes are written directly, which
 * costs 2 µs a message instead of the package's validation; a test holds both against each other.
 */
import { CloudEvent } from 'cloudevents';
import { eventId, type Envelope } from './envelope.ts';
import { InvalidMessage } from './errors.ts';
import type { Message } from './ports/broker.ts';

export const CONTENT_TYPE = 'avro/binary';

/** `type` is the body's, e.g. `tributary.canonical.contact`; `dataSchema` names the schema it was written with. */
export function contextAttributes(envelope: Envelope, type: string, dataSchema: string): Record<string, string> {
  return {
    'ce-specversion': '1.0',
    'ce-id': eventId(envelope),
    'ce-source': `/${envelope.source}/${envelope.instance}`,
    'ce-type': type,
    'ce-time': instant(envelope.observedAtMicros),
    'ce-dataschema': dataSchema,
    contentType: CONTENT_TYPE,
  };
}

let lastMicros = NaN;
let lastText = '';

/** A page's events were observed at one moment: its text is made once. */
function instant(micros: number): string {
  if (micros !== lastMicros) [lastMicros, lastText] = [micros, new Date(micros / 1000).toISOString()];
  return lastText;
}

/** A message as a CloudEvent of the `cloudevents` package, for consumers that speak it. Throws `InvalidMessage`. */
export function toCloudEvent(message: Message): CloudEvent<Uint8Array> {
  const { attributes } = message;
  const extensions = Object.fromEntries(
    Object.entries({
      key: attributes['key'],
      lane: attributes['lane'],
      contenthash: attributes['content-hash'],
      to: attributes['to'],
    }).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  try {
    return new CloudEvent<Uint8Array>({
      specversion: attributes['ce-specversion'] ?? '',
      id: attributes['ce-id'] ?? '',
      source: attributes['ce-source'] ?? '',
      type: attributes['ce-type'] ?? '',
      time: attributes['ce-time'] ?? '',
      dataschema: attributes['ce-dataschema'] ?? '',
      datacontenttype: attributes['contentType'] ?? '',
      data: message.body,
      ...extensions,
    });
  } catch (cause) {
    throw new InvalidMessage('not_a_cloud_event', 'The message lacks a valid CloudEvents context.', { cause });
  }
}
