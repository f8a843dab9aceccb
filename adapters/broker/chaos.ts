/**
 * A broker that does everything the port's laws allow a broker to do, by a seeded chance: fails publishes before or after
 * they were kept, or half kept; delivers twice, late, out of order, and long after the ack; loses acks; splits batches;
 * lies about attempts. What runs on it runs on any broker. It keeps to flow limits, lanes and filters, as brokers do.
 *
 * Chance comes from the `random` given: with the same seed and the same clock a run repeats. Print the seed.
 */
import { DependencyDown } from '#core/errors.ts';
import type { BatchHandler, BrokerPort, Consumer, Message, SubscriptionSpec, Survives } from '#core/ports/broker.ts';
import { Chaos, type ChaosOptions } from './chaos-dice.ts';
import { ChaosConsumer } from './chaos-consumer.ts';
import { laneScheduler } from './lanes.ts';
import { checkMessages } from './limits.ts';

export type { ChaosChances, ChaosOptions } from './chaos-dice.ts';

export function withChaos(broker: BrokerPort, options: ChaosOptions): BrokerPort {
  return new ChaosBroker(broker, new Chaos(options));
}

class ChaosBroker implements BrokerPort {
  readonly #broker: BrokerPort;
  readonly #chaos: Chaos;
  readonly #lanes = laneScheduler();

  constructor(broker: BrokerPort, chaos: Chaos) {
    this.#broker = broker;
    this.#chaos = chaos;
  }

  async publish(topic: string, messages: readonly Message[], survives: Survives): Promise<void> {
    checkMessages(messages);
    const chaos = this.#chaos;
    if (chaos.happens('publishFailsBefore')) {
      const kept = chaos.happens('publishFailsAfter') ? chaos.some(messages) : [];
      await this.#broker.publish(topic, kept, survives);
      throw new DependencyDown('broker', 'Chaos: the publish failed; some of it may be kept.');
    }
    const twice = messages.filter(() => chaos.happens('publishesTwice'));
    await this.#broker.publish(topic, chaos.shuffled([...messages, ...twice]), survives);
    if (chaos.happens('publishFailsAfter')) {
      throw new DependencyDown('broker', 'Chaos: the publish was kept, and is reported failed.');
    }
  }

  consume(spec: SubscriptionSpec, handler: BatchHandler): Consumer {
    return new ChaosConsumer(this.#broker, spec, handler, this.#chaos, this.#lanes);
  }

  seek(subscription: string, time: Date): Promise<void> {
    return this.#broker.seek(subscription, time);
  }

  ensure(topics: readonly string[], subscriptions: readonly SubscriptionSpec[]): Promise<void> {
    return this.#broker.ensure(topics, subscriptions);
  }
}
