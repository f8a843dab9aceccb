/** Topics, their schemas and subscriptions, with the same figures that the Pub/Sub adapter makes them with on an emulator. */
import { filterText } from '#adapters/broker/filter.ts';
import { DEFAULTS } from '#adapters/broker/pubsub/options.ts';
import { DELIVERY_ATTEMPTS, RETRY_POLICY } from '#adapters/broker/pubsub/resources.ts';
import type { SubscriptionSpec } from '#core/ports/broker.ts';
import type { AnyService } from '#core/service.ts';
import { deadLetterTopic, INGESTION_ERRORS } from '#core/topics.ts';
import { definitionOf } from '#runtime/places/schemas.ts';
import { topologyOf } from '#runtime/topology.ts';

const DEAD_LETTERS = deadLetterTopic('');
const HINTS = 'hint.';

export function pubsubOf(services: readonly AnyService[]) {
  const { topics, subscriptions } = topologyOf(services);
  return {
    errorsTopic: INGESTION_ERRORS,
    topics: Object.fromEntries(topics.map((topic) => [topic, topicOf(topic)])),
    schemas: Object.fromEntries(
      topics.flatMap((topic) => {
        const definition = definitionOf(topic);
        return definition === undefined ? [] : [[topic, { definition }]];
      }),
    ),
    // A broadcast's subscriptions are made by the instances that read them.
    subscriptions: Object.fromEntries(
      subscriptions.filter(({ sharing }) => sharing === 'shared').map((spec) => [spec.name, subscriptionOf(spec)]),
    ),
  };
}

function topicOf(topic: string) {
  return {
    kind: kindOf(topic),
    schema: definitionOf(topic) === undefined ? null : topic,
    /** Kept for a seek back, beside what subscriptions keep themselves; 0: not at all. */
    retentionSeconds: DEFAULTS.retainMs(topic) / 1_000,
    /** Where polls publish what this topic's hints should have led to: the two are compared to notice silence. */
    polledBy: topic.startsWith(HINTS) ? `raw.${topic.slice(HINTS.length)}` : null,
  };
}

function kindOf(topic: string): 'events' | 'dead-letters' {
  return topic.startsWith(DEAD_LETTERS) ? 'dead-letters' : 'events';
}

function subscriptionOf(spec: SubscriptionSpec) {
  const isOfDeadLetters = spec.topic.startsWith(DEAD_LETTERS);
  return {
    service: spec.service,
    topic: spec.topic,
    lane: spec.lane,
    filter: filterText(spec),
    ackDeadlineSeconds: spec.ackDeadlineSeconds,
    retentionSeconds: DEFAULTS.retentionMs / 1_000,
    minimumBackoffSeconds: RETRY_POLICY.minimumBackoff.seconds,
    maximumBackoffSeconds: RETRY_POLICY.maximumBackoff.seconds,
    /** What the broker gave up is not given up again. */
    deadLetterTopic: isOfDeadLetters ? null : deadLetterTopic(spec.service),
    maxDeliveryAttempts: DELIVERY_ATTEMPTS,
  };
}
