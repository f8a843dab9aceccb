/**
 * Makes what a topology needs, in the order in which it refers to itself: schemas, topics, dead-letter topics and their
 * subscriptions, then all others. How one topic or subscription is made is in `resources.ts`.
 */
import type { PubSub } from '@google-cloud/pubsub';
import { Misconfigured } from '#core/errors.ts';
import type { SubscriptionSpec } from '#core/ports/broker.ts';
import { deadLetterTopic } from '#core/topics.ts';
import { pubsubError } from './errors.ts';
import type { Keeping, PubsubBrokerOptions } from './options.ts';
import { createInstance, ensureSubscription, ensureTopic } from './resources.ts';
import { ensureSchema } from './schemas.ts';
import { seekTo } from './seek.ts';

type Options = PubsubBrokerOptions & Keeping;

const DEAD_LETTERS = deadLetterTopic('');

export class Topology {
  readonly #client: PubSub;
  readonly #options: Options;
  /** Topics seen on the server. */
  readonly #topics = new Set<string>();

  constructor(client: PubSub, options: Options) {
    this.#client = client;
    this.#options = options;
  }

  async ensure(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<void> {
    for (const topic of topics) await this.#ensureTopic(topic);
    const [last, first] = [subscriptions.filter(isOfWork), subscriptions.filter((spec) => !isOfWork(spec))];
    for (const spec of [...first, ...last]) {
      if (spec.sharing === 'shared') await this.#ensureShared(spec);
      else await this.#mustExist(spec.topic);
    }
  }

  async #ensureTopic(topic: string): Promise<void> {
    const definition = this.#options.schemas?.(topic);
    const schema = definition === undefined ? undefined : await ensureSchema(this.#client, topic, definition);
    await ensureTopic(this.#client, topic, this.#options, schema);
    this.#topics.add(topic);
  }

  async #ensureShared(spec: SubscriptionSpec): Promise<void> {
    const deadLetters = isOfWork(spec) ? await this.#deadLettersOf(spec.service) : undefined;
    const isNew = await ensureSubscription(this.#client, spec, this.#options, deadLetters);
    if (isNew) await this.#startNow(spec, spec.name);
  }

  /**
   * Where the broker forwards what it gives up. Undefined without such a topic: what is forwarded to a topic that nobody
   * subscribes to is lost, so it must be declared, with its subscription, before there is a policy.
   */
  async #deadLettersOf(service: string): Promise<string | undefined> {
    const name = deadLetterTopic(service);
    return (await this.#exists(name)) ? this.#client.topic(name).name : undefined;
  }

  async #exists(topic: string): Promise<boolean> {
    if (this.#topics.has(topic)) return true;
    try {
      const [exists] = await this.#client.topic(topic).exists();
      if (exists) this.#topics.add(topic);
      return exists;
    } catch (error) {
      throw pubsubError(error, `topic ${topic}`);
    }
  }

  /** A broadcast has nothing of its own before an instance runs, but its topic must be there. */
  async #mustExist(topic: string): Promise<void> {
    if (await this.#exists(topic)) return;
    throw new Misconfigured('topic_missing', `There is no topic ${topic}: declare it, so that it is made.`);
  }

  async makeInstance(spec: SubscriptionSpec, name: string): Promise<void> {
    await createInstance(this.#client, spec, name, this.#options);
    await this.#startNow(spec, name);
  }

  /**
   * On the service a subscription begins with what is published after it exists. The emulator begins with all that its
   * topic retains: there, and only there, it is moved to now before anybody is told of it.
   */
  async #startNow({ topic }: SubscriptionSpec, name: string): Promise<void> {
    if (this.#options.emulator === undefined || this.#options.retainMs(topic) === 0) return;
    await seekTo(this.#client.subscription(name), new Date(this.#options.clock.nowMicros() / MICROS_PER_MS));
  }
}

const MICROS_PER_MS = 1_000;

/** Not of a dead-letter topic: what the broker gave up is not given up again. */
export function isOfWork(spec: Pick<SubscriptionSpec, 'topic'>): boolean {
  return !spec.topic.startsWith(DEAD_LETTERS);
}
