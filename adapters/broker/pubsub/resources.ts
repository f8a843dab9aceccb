/**
 * Making one topic or subscription. What is there stays as it is, apart from what it lacks (a schema, a dead-letter
 * policy); what differs and cannot be changed (topic, filter) is refused, because a subscription with another filter loses
 * messages without a word.
 */
import type { CreateSubscriptionOptions, PubSub } from '@google-cloud/pubsub';
import { Misconfigured } from '#core/errors.ts';
import type { SubscriptionSpec } from '#core/ports/broker.ts';
import { filterText } from '../filter.ts';
import { ALREADY_EXISTS, pubsubError, statusOf } from './errors.ts';
import type { Keeping } from './options.ts';

/** An instance's own subscription goes when nobody has pulled from it for a day, the least Pub/Sub allows. */
const INSTANCE_TTL_SECONDS = 86_400;
/** The most Pub/Sub allows: our own dead letters come long before. Counted by the server, roughly. */
export const DELIVERY_ATTEMPTS = 100;
/** What a pause or a drain gave back comes soon; what fails again and again comes at most this seldom. */
export const LONGEST_BACKOFF_SECONDS = 60;
export const RETRY_POLICY = { minimumBackoff: { seconds: 1 }, maximumBackoff: { seconds: LONGEST_BACKOFF_SECONDS } };
/** The client would try ten minutes. */
const TIMEOUT_MS = 30_000;

/** `schema` is the full name of one that exists. */
export async function ensureTopic(client: PubSub, name: string, keeping: Keeping, schema?: string): Promise<void> {
  const retainMs = keeping.retainMs(name);
  try {
    await client.createTopic(
      {
        name,
        ...(retainMs > 0 ? { messageRetentionDuration: duration(retainMs) } : {}),
        ...(schema === undefined ? {} : { schemaSettings: schemaSettings(schema) }),
      },
      { timeout: TIMEOUT_MS },
    );
  } catch (error) {
    if (statusOf(error) !== ALREADY_EXISTS) throw pubsubError(error, `topic ${name}`);
    if (schema !== undefined) await attachSchema(client, name, schema);
  }
}

/** Neither first nor last revision: all are taken, those to come too. */
function schemaSettings(schema: string): { readonly schema: string; readonly encoding: 'BINARY' } {
  return { schema, encoding: 'BINARY' };
}

async function attachSchema(client: PubSub, name: string, schema: string): Promise<void> {
  const topic = client.topic(name);
  try {
    const [{ schemaSettings: there }] = await topic.getMetadata();
    if (!there?.schema) return void (await topic.setMetadata({ schemaSettings: schemaSettings(schema) }));
    if (there.schema === schema && there.encoding === 'BINARY') return;
  } catch (error) {
    throw pubsubError(error, `topic ${name}`);
  }
  const text = `Topic ${name} has another schema or encoding on Pub/Sub: detach it there, so that its own is attached.`;
  throw new Misconfigured('topic_differs', text);
}

/** `deadLetters` is the full name of the service's dead-letter topic, if there is one. Resolves with whether it was made. */
export async function ensureSubscription(
  client: PubSub,
  spec: SubscriptionSpec,
  keeping: Keeping,
  deadLetters: string | undefined,
): Promise<boolean> {
  const policy = deadLetterPolicy(deadLetters);
  try {
    const never = { expirationPolicy: {} };
    await client.createSubscription(spec.topic, spec.name, { ...options(spec, keeping), ...policy, ...never });
    return true;
  } catch (error) {
    if (statusOf(error) !== ALREADY_EXISTS) throw pubsubError(error, `topic ${spec.topic}`);
  }
  try {
    const [there] = await client.subscription(spec.name).getMetadata();
    refuseDifference(client, spec, there);
    if (deadLetters !== undefined && !there.deadLetterPolicy) await client.subscription(spec.name).setMetadata(policy);
  } catch (error) {
    throw pubsubError(error, `subscription ${spec.name}`);
  }
  return false;
}

/** The subscription of one instance of a broadcast. One that exists was made by an attempt that was reported failed. */
export async function createInstance(
  client: PubSub,
  spec: SubscriptionSpec,
  name: string,
  keeping: Keeping,
): Promise<void> {
  const retentionMs = Math.min(keeping.retentionMs, INSTANCE_TTL_SECONDS * 1_000);
  const expirationPolicy = { ttl: { seconds: INSTANCE_TTL_SECONDS } };
  try {
    const made = { ...options(spec, { ...keeping, retentionMs }), expirationPolicy };
    await client.createSubscription(spec.topic, name, made);
  } catch (error) {
    if (statusOf(error) !== ALREADY_EXISTS) throw error;
  }
}

function options(spec: SubscriptionSpec, keeping: Keeping): CreateSubscriptionOptions {
  return {
    ackDeadlineSeconds: spec.ackDeadlineSeconds,
    filter: filterText(spec),
    messageRetentionDuration: duration(keeping.retentionMs),
    retryPolicy: RETRY_POLICY,
    gaxOpts: { timeout: TIMEOUT_MS },
  };
}

function deadLetterPolicy(deadLetterTopic: string | undefined): Pick<CreateSubscriptionOptions, 'deadLetterPolicy'> {
  if (deadLetterTopic === undefined) return {};
  return { deadLetterPolicy: { deadLetterTopic, maxDeliveryAttempts: DELIVERY_ATTEMPTS } };
}

interface There {
  readonly topic?: string | null;
  readonly filter?: string | null;
}

function refuseDifference(client: PubSub, spec: SubscriptionSpec, there: There): void {
  if (there.topic === client.topic(spec.topic).name && there.filter === filterText(spec)) return;
  const text = `Subscription ${spec.name} exists with another topic, lane or service: give the new one another name.`;
  throw new Misconfigured('subscription_differs', text);
}

function duration(ms: number): { readonly seconds: number } {
  return { seconds: Math.ceil(ms / 1_000) };
}
