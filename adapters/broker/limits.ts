/**
 * The port's limits, enforced before anything is sent or written, so that a message one broker takes is taken by all.
 * Pub/Sub itself also refuses attribute keys that begin with `goog`, and counts attributes towards the 10 MB.
 */
import { InvalidMessage } from '#core/errors.ts';
import { MESSAGE_LIMITS, type Message } from '#core/ports/broker.ts';

/** Attributes can never add more than this, so most messages need no exact count. */
const ATTRIBUTES_AT_MOST_BYTES =
  MESSAGE_LIMITS.attributes * (MESSAGE_LIMITS.attributeKeyBytes + MESSAGE_LIMITS.attributeValueBytes);
/** A UTF-16 unit is at most three bytes of UTF-8. */
const BYTES_PER_UNIT = 3;

/** Throws `InvalidMessage` for the first message that breaks a limit; its text names the index, never the content. */
export function checkMessages(messages: readonly Message[]): void {
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index] as Message;
    const attributes = checkAttributes(message, index);
    const bodyBytes = message.body.byteLength;
    if (bodyBytes === 0 && attributes === 0) {
      throw new InvalidMessage('message_empty', `Message ${index} has neither body nor attributes.`);
    }
    if (bodyBytes > MESSAGE_LIMITS.bodyBytes - ATTRIBUTES_AT_MOST_BYTES) checkSize(message, index);
  }
}

function checkAttributes(message: Message, index: number): number {
  let count = 0;
  for (const key in message.attributes) {
    count++;
    const value: unknown = message.attributes[key];
    if (typeof value !== 'string') {
      throw new InvalidMessage('attribute_not_text', `Attribute ${count} of message ${index} is not text.`);
    }
    if (isLonger(value, MESSAGE_LIMITS.attributeValueBytes)) {
      throw new InvalidMessage(
        'attribute_too_long',
        `Attribute ${count} of message ${index} has more than ${MESSAGE_LIMITS.attributeValueBytes} bytes.`,
      );
    }
    checkKey(key, count, index);
  }
  if (count > MESSAGE_LIMITS.attributes) {
    throw new InvalidMessage(
      'too_many_attributes',
      `Message ${index} has ${count} attributes; at most ${MESSAGE_LIMITS.attributes} are allowed.`,
    );
  }
  return count;
}

function checkKey(key: string, count: number, index: number): void {
  if (key === '' || isLonger(key, MESSAGE_LIMITS.attributeKeyBytes)) {
    throw new InvalidMessage(
      'attribute_key_too_long',
      `The key of attribute ${count} of message ${index} must have 1 to ${MESSAGE_LIMITS.attributeKeyBytes} bytes.`,
    );
  }
  if (key.startsWith('goog') || key === '__proto__') {
    throw new InvalidMessage('attribute_key_reserved', `Message ${index} uses a reserved attribute key.`);
  }
}

function isLonger(text: string, limitBytes: number): boolean {
  return text.length * BYTES_PER_UNIT > limitBytes && Buffer.byteLength(text) > limitBytes;
}

function checkSize(message: Message, index: number): void {
  const bytes = sizeOf(message);
  if (bytes <= MESSAGE_LIMITS.bodyBytes) return;
  throw new InvalidMessage(
    'message_too_large',
    `Message ${index} has ${bytes} bytes; at most ${MESSAGE_LIMITS.bodyBytes} are allowed: store the value elsewhere and send a reference.`,
  );
}

/** Bytes of body and attributes, as Pub/Sub counts them. */
export function sizeOf(message: Message): number {
  let bytes = message.body.byteLength;
  for (const key in message.attributes) {
    bytes += Buffer.byteLength(key) + Buffer.byteLength(message.attributes[key] ?? '');
  }
  return bytes;
}
