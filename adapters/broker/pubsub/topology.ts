/**
 * Making topics and subscriptions. What is there stays as it is; what differs and cannot be changed (topic, filter) is
 * refused, because a subscription with another filter loses messages without a word.
 */
import type { CreateSubscriptionOptions, Topic } from '@google-cloud/pubsub';
import { Misconfigured } from '#core/errors.ts';
import type { SubscriptionSpec } from '#core/ports/broker.ts';
import { filterText } from '../filter.ts';
import { ALREADY_EXISTS, pubsubError, statusOf } from './errors.ts';

export interface Keeping {
  /** Unread messages die after this (10 minutes to 31 days). */
  readonly retentionMs: number;
  /** How long a topic's messages stay for a seek back; 0: not at all, else at least 10 minutes. */
  readonly retainMs: (topic: string) => number;
}

/** An instance's own subscription goes when nobody has pulled from it for a day, the least Pub/Sub allows. */
const INSTANCE_TTL_SECONDS = 86_400;

export async function ensureTopic(topic: Topic, keeping: Keeping): Promise<void> {
  const retainMs = keeping.retainMs(shortName(topic.name));
  try {
    await topic.create();
    if (retainMs > 0) await topic.setMetadata({ messageRetentionDuration: duration(retainMs) });
  } catch (error) {
    if (statusOf(error) !== ALREADY_EXISTS) throw pubsubError(error, `topic ${shortName(topic.name)}`);
  }
}

export async function ensureSubscription(topic: Topic, spec: SubscriptionSpec, keeping: Keeping): Promise<void> {
  try {
    await topic.createSubscription(spec.name, { ...options(spec, keeping), expirationPolicy: {} });
  } catch (error) {
    if (statusOf(error) !== ALREADY_EXISTS) throw pubsubError(error, `topic ${spec.topic}`);
    await refuseDifference(topic, spec);
  }
}

export async function makeInstance(
  topic: Topic,
  spec: SubscriptionSpec,
  name: string,
  keeping: Keeping,
): Promise<void> {
  const expirationPolicy = { ttl: { seconds: INSTANCE_TTL_SECONDS } };
  const retentionMs = Math.min(keeping.retentionMs, INSTANCE_TTL_SECONDS * 1_000);
  await topic.createSubscription(name, { ...options(spec, { ...keeping, retentionMs }), expirationPolicy });
}

function options(spec: SubscriptionSpec, keeping: Keeping): CreateSubscriptionOptions {
  return {
    ackDeadlineSeconds: spec.ackDeadlineSeconds,
    filter: filterText(spec),
    messageRetentionDuration: duration(keeping.retentionMs),
    // Topic retention is for replays by a seek; without it a subscription can only seek back over what it keeps itself.
    retainAckedMessages: keeping.retainMs(spec.topic) > 0,
  };
}

async function refuseDifference(topic: Topic, spec: SubscriptionSpec): Promise<void> {
  const [metadata] = await topic.subscription(spec.name).getMetadata();
  if (metadata.topic === topic.name && metadata.filter === filterText(spec)) return;
  const text = `Subscription ${spec.name} exists with another topic, lane or service: give the new one another name.`;
  throw new Misconfigured('subscription_differs', text);
}

function duration(ms: number): { readonly seconds: number } {
  return { seconds: Math.ceil(ms / 1_000) };
}

function shortName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
