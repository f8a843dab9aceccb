/**
 * Publishing for all services: tried again until the broker confirms, or `DependencyDown`. Publishes twice rather than
 * never. Bodies too large for a message are stored first, and claimed by it.
 */
import type { Clock, Random } from '#core/clock.ts';
import { DependencyDown, InvalidMessage, messageOf } from '#core/errors.ts';
import type { BrokerPort, Message, Survives } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { backoffMs } from '#core/retry.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { checkInLarge } from './claims.ts';

export interface Publisher {
  publish(topic: string, messages: readonly Message[], survives: Survives): Promise<void>;
}

const POLICY = { attempts: 4, baseMs: 50, ceilingMs: 1_000 };

export function createPublisher(options: {
  readonly broker: BrokerPort;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Where bodies go that are too large for a message. */
  readonly objects: ObjectsPort;
}): Publisher {
  const { broker, clock, random, telemetry } = options;
  return {
    async publish(topic, messages, survives) {
      if (messages.length === 0) return;
      const carried = await checkInLarge(topic, messages, options);
      for (let attempt = 1; ; attempt += 1) {
        try {
          await broker.publish(topic, carried, survives);
          break;
        } catch (error) {
          if (error instanceof InvalidMessage) throw error;
          if (attempt >= POLICY.attempts) throw down(error, topic);
          await clock.sleep(backoffMs(POLICY, attempt + 1, random));
        }
      }
      const bytes = messages.reduce((sum, message) => sum + message.body.byteLength, 0);
      telemetry.emit('messagesPublished', {
        topic,
        lane: messages[0]?.attributes['lane'] ?? 'live',
        messages: messages.length,
        bytes,
      });
    },
  };
}

function down(cause: unknown, topic: string): DependencyDown {
  return cause instanceof DependencyDown
    ? cause
    : new DependencyDown('broker', `Publishing to ${topic} failed: ${messageOf(cause)}`, { cause });
}
