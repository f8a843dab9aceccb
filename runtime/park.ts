/** Parks what a stage cannot process: first the bytes through the objects port, then the dead-letter topic, then the ack. */
import type { Codec } from '#core/codec.ts';
import { deadLetterFact, deadLetterName, encodeDeadLetter, toDeadLetter, type Failure } from '#core/dead-letter.ts';
import { factMessage } from '#core/facts.ts';
import type { Delivered } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { deadLetterTopic } from '#core/topics.ts';
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
      const alert = {
        body: message.body,
        attributes: { ...message.attributes, 'dead-letter-id': letter.id, 'dead-letter-code': letter.code },
      };
      await publisher.publish(deadLetterTopic(failure.service), [alert], 'kill');
      await publisher.publish(
        'ops.event',
        [factMessage(codec, installation, deadLetterFact(letter, 'parked', failure.parkedAtMicros))],
        'kill',
      );
    },
  };
}
