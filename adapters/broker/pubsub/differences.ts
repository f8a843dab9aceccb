/** What is on Pub/Sub, held against what `ensure` would make. Commands to mend it are Google's own. */
import type { PubSub, Subscription, Topic } from '@google-cloud/pubsub';
import type { SubscriptionSpec } from '#core/ports/broker.ts';
import { deadLetterTopic } from '#core/topics.ts';
import { filterText } from '../filter.ts';
import type { Keeping, PubsubBrokerOptions } from './options.ts';
import { DELIVERY_ATTEMPTS } from './resources.ts';
import { knowsDefinition } from './schemas.ts';
import { isOfWork } from './topology.ts';

/** `missing`: `ensure` makes it; `wrong`: it cannot work so; `worse`: it works, not as well as it should. */
export interface Difference {
  readonly kind: 'missing' | 'wrong' | 'worse';
  readonly resource: 'topic' | 'subscription' | 'schema';
  readonly name: string;
  readonly what: string;
  /** Empty where `kind` says it. */
  readonly todo: string;
}

export interface There {
  readonly topics: ReadonlyMap<string, NonNullable<Topic['metadata']>>;
  readonly subscriptions: ReadonlyMap<string, NonNullable<Subscription['metadata']>>;
}

export interface Seen extends There {
  readonly client: PubSub;
  readonly keeping: Keeping & Pick<PubsubBrokerOptions, 'schemas'>;
}

const DAY_SECONDS = 86_400;

export function topicDifferences({ topics, keeping }: Seen, name: string): readonly Difference[] {
  const there = topics.get(name);
  const about = { resource: 'topic', name } as const;
  if (there === undefined) return [{ ...about, kind: 'missing', what: `There is no topic ${name}.`, todo: '' }];
  const wanted = keeping.retainMs(name) / 1_000;
  const kept = secondsOf(there.messageRetentionDuration);
  if (kept >= wanted) return [];
  const what = `Topic ${name} keeps messages for ${kept} s, not ${wanted} s: a replay reaches less far back.`;
  const todo = `gcloud pubsub topics update ${name} --message-retention-duration=${wanted}s`;
  return [{ ...about, kind: 'worse', what, todo }];
}

export async function schemaDifferences(
  { client, topics, keeping }: Seen,
  name: string,
): Promise<readonly Difference[]> {
  const definition = keeping.schemas?.(name);
  if (definition === undefined) return [];
  const about = { resource: 'schema', name } as const;
  const attached = topics.get(name)?.schemaSettings;
  if (!attached?.schema)
    return [{ ...about, kind: 'missing', what: `Topic ${name} has no schema: it takes any body.`, todo: '' }];
  if (lastPart(attached.schema) !== name || attached.encoding !== 'BINARY')
    return [
      {
        ...about,
        kind: 'wrong',
        what: `Topic ${name} has another schema or encoding: what is published to it is refused.`,
        todo: `gcloud pubsub topics update ${name} --schema=${name} --message-encoding=binary`,
      },
    ];
  if (await knowsDefinition(client, name, definition)) return [];
  const what = `The schema ${name} lacks the revision of this version: what it publishes is refused.`;
  return [{ ...about, kind: 'missing', what, todo: '' }];
}

export function subscriptionDifferences(seen: Seen, spec: SubscriptionSpec): readonly Difference[] {
  const { name, topic, ackDeadlineSeconds } = spec;
  const there = seen.subscriptions.get(name);
  const about = { resource: 'subscription', name } as const;
  if (there === undefined) return [{ ...about, kind: 'missing', what: `There is no subscription ${name}.`, todo: '' }];
  const found: Difference[] = [];
  const tell = (kind: Difference['kind'], what: string, todo: string): void =>
    void found.push({ ...about, kind, what: `Subscription ${name} ${what}.`, todo });
  const update = (flags: string): string => `gcloud pubsub subscriptions update ${name} ${flags}`;
  if (lastPart(there.topic ?? '') !== topic || there.filter !== filterText(spec))
    tell('wrong', 'has another topic or filter, so messages are missed', 'Neither can be changed: when nothing waits in it, delete it, then make it anew.'); // prettier-ignore
  const ttl = secondsOf(there.expirationPolicy?.ttl);
  if (ttl > 0)
    tell('wrong', `expires when nobody pulls for ${Math.round(ttl / DAY_SECONDS)} days, and what waits is lost`, update('--expiration-period=never')); // prettier-ignore
  if (there.ackDeadlineSeconds !== ackDeadlineSeconds)
    tell('worse', `has an ack deadline of ${there.ackDeadlineSeconds ?? 0} s, not ${ackDeadlineSeconds} s`, update(`--ack-deadline=${ackDeadlineSeconds}`)); // prettier-ignore
  const [kept, wanted] = [secondsOf(there.messageRetentionDuration), seen.keeping.retentionMs / 1_000];
  if (kept < wanted)
    tell('worse', `keeps unread messages for ${kept} s, not ${wanted} s`, update(`--message-retention-duration=${wanted}s`)); // prettier-ignore
  if (!there.retryPolicy)
    tell('worse', 'has no retry policy, so what fails comes again at once', update('--min-retry-delay=1s --max-retry-delay=60s')); // prettier-ignore
  if (isOfWork(spec)) found.push(...deadLetterDifferences(spec, there, update));
  return found;
}

function deadLetterDifferences(
  spec: SubscriptionSpec,
  { deadLetterPolicy }: NonNullable<Subscription['metadata']>,
  update: (flags: string) => string,
): readonly Difference[] {
  const wanted = deadLetterTopic(spec.service);
  const { deadLetterTopic: forwarded, maxDeliveryAttempts } = deadLetterPolicy ?? {};
  if (lastPart(forwarded ?? '') === wanted && maxDeliveryAttempts === DELIVERY_ATTEMPTS) return [];
  const about = { resource: 'subscription', name: spec.name } as const;
  const todo = update(`--dead-letter-topic=${wanted} --max-delivery-attempts=${DELIVERY_ATTEMPTS}`);
  const what = `Subscription ${spec.name} has ${deadLetterPolicy ? 'another' : 'no'} dead-letter policy: a message that kills its reader comes for ever.`;
  return [{ ...about, kind: deadLetterPolicy ? 'worse' : 'missing', what, todo }];
}

export function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

function secondsOf(duration: { readonly seconds?: unknown } | null | undefined): number {
  return Number(duration?.seconds ?? 0);
}
