/** The subscriptions of broadcasts: each instance of a process has one of its own, made when it runs and deleted when it ends in order. */
import type { PubSub } from '@google-cloud/pubsub';
import type { Random } from '#core/clock.ts';
import type { SubscriptionSpec } from '#core/ports/broker.ts';
import type { Topology } from './topology.ts';

export class Instances {
  readonly #client: PubSub;
  readonly #topology: Topology;
  readonly #random: Random;
  /** Names of those made, by the broadcast's. */
  readonly #made = new Map<string, Set<string>>();

  constructor(client: PubSub, topology: Topology, random: Random) {
    this.#client = client;
    this.#topology = topology;
    this.#random = random;
  }

  /** A name that nobody else has. */
  reserve(spec: SubscriptionSpec): string {
    return `${spec.name}.${this.#random.id()}`;
  }

  /** Once; a stream that is opened anew finds it there. */
  async make(spec: SubscriptionSpec, name: string): Promise<string> {
    const made = this.#made.get(spec.name) ?? new Set();
    if (made.has(name)) return name;
    await this.#topology.makeInstance(spec, name);
    this.#made.set(spec.name, made.add(name));
    return name;
  }

  of(broadcast: string): ReadonlySet<string> | undefined {
    return this.#made.get(broadcast);
  }

  /** Deleted when its instance ends in order; else it expires. */
  async forget(spec: SubscriptionSpec, name: string): Promise<void> {
    if (!this.#made.get(spec.name)?.delete(name)) return;
    await this.#client
      .subscription(name)
      .delete({ timeout: DELETE_TIMEOUT_MS })
      .catch(() => undefined);
  }
}

const DELETE_TIMEOUT_MS = 2_000;
