/**
 * Looks at what is on Pub/Sub without changing it: whether topics, schemas and subscriptions are as `ensure` would make them,
 * and who may do what. The emulator knows no permissions, keeps no expiry and ignores filters, though it keeps their text.
 */
import { PubSub, type IAM } from '@google-cloud/pubsub';
import type { SubscriptionSpec } from '#core/ports/broker.ts';
import {
  lastPart,
  schemaDifferences,
  subscriptionDifferences,
  topicDifferences,
  type Difference,
  type There,
} from './differences.ts';
import { NOT_FOUND, PERMISSION_DENIED, pubsubError, statusOf } from './errors.ts';
import { DEFAULTS, type Keeping, type PubsubBrokerOptions } from './options.ts';
import { isOfWork } from './topology.ts';

export type { Difference } from './differences.ts';

/** Names of what lacks it; undefined where it cannot be seen. */
export type Lacking = readonly string[] | undefined;

export interface Inspector {
  /** Throws what `pubsubError` makes of it if the project's topics cannot be listed. */
  differences(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<readonly Difference[]>;
  /** Dead-letter topics and subscriptions on which Pub/Sub's own agent lacks what forwarding needs. */
  agentLacks(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<Lacking>;
  /** Topics that this account may not publish to, and subscriptions that it may not pull from. */
  accountLacks(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<Lacking>;
  close(): Promise<void>;
}

const GAX = { gaxOpts: { timeout: 10_000 } };
const AT_ONCE = 20;
/** https://grpc.io/docs/guides/status-codes/ */
const UNIMPLEMENTED = 12;
const UNSEEN: ReadonlySet<number | undefined> = new Set([PERMISSION_DENIED, UNIMPLEMENTED]);

type Options = Pick<PubsubBrokerOptions, 'projectId' | 'emulator' | 'schemas'> & Partial<Keeping>;

export function openInspector(options: Options): Inspector {
  const { projectId, emulator } = options;
  const client = new PubSub(
    emulator === undefined ? { projectId } : { projectId, apiEndpoint: emulator, emulatorMode: true },
  );
  const keeping = { ...DEFAULTS, ...options };
  return {
    async differences(topics, subscriptions) {
      const there = await listed(client);
      const seen = { client, keeping, ...there };
      const shared = subscriptions.filter(({ sharing }) => sharing === 'shared');
      return [
        ...topics.flatMap((name) => topicDifferences(seen, name)),
        ...(await inBatches(topics.filter((name) => there.topics.has(name)), (name) => schemaDifferences(seen, name))).flat(), // prettier-ignore
        ...shared.flatMap((spec) => subscriptionDifferences(seen, spec)),
      ];
    },
    agentLacks: (topics, subscriptions) =>
      unlessUnseen(async () => [
        ...(await without(topics.filter((name) => !isOfWork({ topic: name })), (name) => agentHas(client.topic(name).iam, PUBLISHERS))), // prettier-ignore
        ...(await without(sharedWork(subscriptions), (name) => agentHas(client.subscription(name).iam, SUBSCRIBERS))),
      ]),
    accountLacks: (topics, subscriptions) =>
      unlessUnseen(async () => [
        ...(await without(topics, (name) => mayI(client.topic(name).iam, 'pubsub.topics.publish'))),
        ...(await without(namesOf(subscriptions), (name) => mayI(client.subscription(name).iam, 'pubsub.subscriptions.consume'))), // prettier-ignore
      ]),
    close: () => client.close(),
  };
}

/** Two requests for all, where one each would be near a hundred. */
async function listed(client: PubSub): Promise<There> {
  try {
    const [[topics], [subscriptions]] = await Promise.all([client.getTopics(GAX), client.getSubscriptions(GAX)]);
    return {
      topics: new Map(topics.map((topic) => [lastPart(topic.name), topic.metadata ?? {}])),
      subscriptions: new Map(subscriptions.map((one) => [lastPart(one.name), one.metadata ?? {}])),
    };
  } catch (error) {
    throw pubsubError(error, 'the list of topics and subscriptions');
  }
}

/** https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions */
const AGENT = /^serviceAccount:service-\d+@gcp-sa-pubsub\.iam\.gserviceaccount\.com$/;
const PUBLISHERS = ['roles/pubsub.publisher', 'roles/pubsub.editor', 'roles/pubsub.admin'];
const SUBSCRIBERS = ['roles/pubsub.subscriber', 'roles/pubsub.editor', 'roles/pubsub.admin'];

async function agentHas(iam: IAM, roles: readonly string[]): Promise<boolean> {
  const [{ bindings }] = await iam.getPolicy(GAX.gaxOpts);
  return (bindings ?? []).some(
    ({ role, members }) => roles.includes(role ?? '') && (members ?? []).some((member) => AGENT.test(member)),
  );
}

async function mayI(iam: IAM, permission: string): Promise<boolean> {
  // A list: to one by itself the client adds an error of its own.
  const [permissions] = await iam.testPermissions([permission], GAX.gaxOpts);
  return permissions[permission] === true;
}

function sharedWork(subscriptions: readonly SubscriptionSpec[]): readonly string[] {
  return namesOf(subscriptions.filter(isOfWork));
}

function namesOf(subscriptions: readonly SubscriptionSpec[]): readonly string[] {
  return subscriptions.filter(({ sharing }) => sharing === 'shared').map(({ name }) => name);
}

async function without(names: readonly string[], has: (name: string) => Promise<boolean>): Promise<readonly string[]> {
  const lacking = await inBatches(names, async (name) => ((await orGone(has(name))) ? [] : [name]));
  return lacking.flat();
}

/** What is not there is told elsewhere. */
async function orGone(has: Promise<boolean>): Promise<boolean> {
  try {
    return await has;
  } catch (error) {
    if (statusOf(error) === NOT_FOUND) return true;
    throw error;
  }
}

async function unlessUnseen(look: () => Promise<readonly string[]>): Promise<Lacking> {
  try {
    return await look();
  } catch (error) {
    if (UNSEEN.has(statusOf(error))) return undefined;
    throw pubsubError(error, 'rights on topics and subscriptions');
  }
}

async function inBatches<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += AT_ONCE)
    results.push(...(await Promise.all(items.slice(at, at + AT_ONCE).map(work))));
  return results;
}
