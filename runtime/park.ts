/**
 * Parks what a stage cannot process: first the bytes through the objects port, then the dead-letter topic, the fact and the
 * notice, then the ack.
 */
import type { Codec } from '#core/codec.ts';
import {
  deadLetterFact,
  deadLetterName,
  encodeDeadLetter,
  toDeadLetter,
  type DeadLetter,
  type Failure,
} from '#core/dead-letter.ts';
import { factMessage } from '#core/facts.ts';
import type { Delivered, Message } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { deadLetterTopic, INGESTION_ERRORS } from '#core/topics.ts';
import { errorNotice } from './error-notice.ts';
import type { Publisher } from './publisher.ts';

export interface Parking {
  /** Resolves when the bytes are durable and the alert is published: only then may the message be acked. */
  park(message: Delivered, failure: Failure): Promise<void>;
}

export function createParking(options: {
  readonly objects: ObjectsPort;
  readonly publisher: Publisher;
  readonly codec: Codec;
  readonly installation: string;
}): Parking {
  const { objects, publisher, codec, installation } = options;
  return {
    async park(message, failure) {
      const letter = toDeadLetter(message, failure);
      await objects.put(deadLetterName(letter), encodeDeadLetter(letter));
      const fact = deadLetterFact(letter, 'parked', failure.parkedAtMicros);
      await Promise.all([
        publisher.publish(deadLetterTopic(failure.service), [alert(message, letter)], 'kill'),
        publisher.publish('ops.event', [factMessage(codec, installation, fact)], 'kill'),
        publisher.publish(INGESTION_ERRORS, [errorNotice(letter)], 'kill'),
      ]);
    },
  };
}

/** The message itself, marked as parked. */
function alert({ body, attributes }: Delivered, { id, code }: DeadLetter): Message {
  return { body, attributes: { ...attributes, 'dead-letter-id': id, 'dead-letter-code': code } };
}
