/**
 * The last resort behind our own dead letters. A broker that has delivered a message very often without an answer forwards
 * it to the service's dead-letter topic (Pub/Sub: after 100 attempts). What arrives there of it is parked like any other
 * dead letter, so that it is listed and can be replayed, and only then acked. What we parked ourselves is on that topic too,
 * for alerts and other consumers, and is acked at once.
 */
import { ack, discard, type Disposition } from '#core/disposition.ts';
import { MICROS_PER_MS, type Clock } from '#core/clock.ts';
import type { BatchHandler, Delivered, SubscriptionSpec } from '#core/ports/broker.ts';
import type { Declared } from '#core/service.ts';
import type { Telemetry } from '#core/telemetry.ts';
import type { Parking } from './park.ts';
import { givenUpOf, subscriptionsOf } from './topology.ts';

export interface GivenUpOptions {
  readonly declared: Declared;
  readonly parking: Parking;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** What Pub/Sub adds when it forwards, https://cloud.google.com/pubsub/docs/handling-failures */
const FORWARDED = 'CloudPubSubDeadLetterSource';
const SUBSCRIPTION = `${FORWARDED}Subscription`;
const DELIVERIES = `${FORWARDED}DeliveryCount`;
const PUBLISHED = `${FORWARDED}TopicPublishTime`;

export function givenUpHandler(options: GivenUpOptions): BatchHandler {
  return async (batch) => {
    const answers: Disposition[] = [];
    for (const message of batch) answers.push(await answer(message, options));
    return answers;
  };
}

async function answer(message: Delivered, options: GivenUpOptions): Promise<Disposition> {
  if (message.attributes['dead-letter-id'] !== undefined) return ack;
  const subscription = message.attributes[SUBSCRIPTION];
  if (subscription === undefined) return discard('not_a_dead_letter');
  const { declared, parking, clock, telemetry } = options;
  const deliveries = Number(message.attributes[DELIVERIES]) || message.deliveryAttempts;
  const parkedAtMicros = clock.nowMicros();
  const failure = {
    service: declared.name,
    subscription,
    topic: topicOf(declared, subscription),
    code: 'broker_gave_up',
    reason: `The broker delivered it ${deliveries} times without an answer.`,
    firstFailedAtMicros: publishedMicros(message) ?? parkedAtMicros,
    parkedAtMicros,
  };
  await parking.park(asItWas(message, deliveries), failure);
  telemetry.emit('messageDeadLettered', { service: declared.name, subscription, code: failure.code });
  return ack;
}

/** Where a replay sends it. Of a subscription that is no more nobody knows: it comes back here, addressed to this service. */
function topicOf(declared: Declared, subscription: string): string {
  const known: readonly SubscriptionSpec[] = [...subscriptionsOf(declared), givenUpOf(declared)];
  return known.find(({ name }) => name === subscription)?.topic ?? givenUpOf(declared).topic;
}

/** Without what the broker added: a replay is the message that was published. */
function asItWas(message: Delivered, deliveryAttempts: number): Delivered {
  const own = Object.entries(message.attributes).filter(([name]) => !name.startsWith(FORWARDED));
  return { ...message, deliveryAttempts, attributes: Object.fromEntries(own) };
}

function publishedMicros(message: Delivered): number | undefined {
  const ms = Date.parse(message.attributes[PUBLISHED] ?? '');
  return Number.isNaN(ms) ? undefined : ms * MICROS_PER_MS;
}
