/** A message of Pub/Sub's client as the port has it. */
import type { Message as PubsubMessage } from '@google-cloud/pubsub';
import type { Delivered, Message } from '#core/ports/broker.ts';

/** Added by the server to what was published to a topic with a schema. */
const SCHEMA_NAME = 'googclient_schemaname';

export function deliveredFrom(message: PubsubMessage): Delivered {
  return {
    body: message.data,
    attributes: ownAttributes(message.attributes),
    messageId: message.id,
    publishedAt: new Date(message.publishTime.getTime()),
    // 0 without a dead-letter policy, which is the port's word for unknown.
    deliveryAttempts: message.deliveryAttempt,
  };
}

/** Without Google's own, which no publisher may send: a message that is parked, and replayed, would be refused for them. */
function ownAttributes(attributes: Message['attributes']): Message['attributes'] {
  if (attributes[SCHEMA_NAME] === undefined) return attributes;
  return Object.fromEntries(Object.entries(attributes).filter(([key]) => !key.startsWith('goog')));
}
