/**
 * A lease: at most one owner at a time, over a store with conditional writes. It is renewed every third of its time;
 * who cannot renew must stop before it ends. Its `epoch` grows with each owner, so what an old owner still writes loses.
 *
 *     free ──take──▶ held ──renew──▶ held … ──release──▶ free
 *                     └─ not renewed for `ttlMs` ──▶ free (the next taker gets a greater epoch)
 */
import type { Clock } from './clock.ts';
import { MICROS_PER_MS } from './clock.ts';
import { Stale } from './errors.ts';
import type { StorePort } from './ports/store.ts';

export interface LeaseOptions {
  readonly store: StorePort;
  readonly clock: Clock;
  readonly name: string;
  readonly owner: string;
  readonly ttlMs: number;
}

interface Held {
  readonly owner: string;
  readonly epoch: number;
  readonly expiresMicros: number;
}

export class Lease {
  readonly epoch: number;
  readonly #options: LeaseOptions;
  #generation: string;

  constructor(options: LeaseOptions, epoch: number, generation: string) {
    this.#options = options;
    this.epoch = epoch;
    this.#generation = generation;
  }

  /** Throws `Stale` if somebody else took the lease meanwhile: stop at once. */
  async renew(): Promise<void> {
    const { store, owner, clock, ttlMs } = this.#options;
    const next = await store.put(
      path(this.#options),
      encode({ owner, epoch: this.epoch, expiresMicros: expiry(clock, ttlMs) }),
      this.#generation,
    );
    if (next === undefined)
      throw new Stale('lease_lost', `The lease ${this.#options.name} was taken by another instance.`);
    this.#generation = next;
  }

  /** Keeps the epoch on record, so that the next owner's is greater. */
  async release(): Promise<void> {
    const { store, owner } = this.#options;
    await store.put(path(this.#options), encode({ owner, epoch: this.epoch, expiresMicros: 0 }), this.#generation);
  }
}

/** Takes the lease if it is free or expired, or answers `undefined`. */
export async function takeLease(options: LeaseOptions): Promise<Lease | undefined> {
  const { store, clock, owner, ttlMs } = options;
  const stored = await store.get(path(options));
  const held = stored === undefined ? undefined : (JSON.parse(stored.value) as Held);
  if (held !== undefined && held.expiresMicros > clock.nowMicros() && held.owner !== owner) return undefined;
  const epoch = (held?.epoch ?? 0) + 1;
  const generation = await store.put(
    path(options),
    encode({ owner, epoch, expiresMicros: expiry(clock, ttlMs) }),
    stored?.generation ?? null,
  );
  return generation === undefined ? undefined : new Lease(options, epoch, generation);
}

/**
 * Ends every lease, so that the next taker need not wait for what a killed owner left. Only for who knows that no owner
 * lives: the one process that holds the store's folder. Epochs are kept on record.
 */
export async function endLeases(store: StorePort): Promise<void> {
  for (const key of await store.list(PREFIX)) {
    const stored = await store.get(key);
    if (stored === undefined) continue;
    const held = JSON.parse(stored.value) as Held;
    await store.put(key, encode({ ...held, expiresMicros: 0 }), stored.generation);
  }
}

const PREFIX = 'leases/';

function path(options: LeaseOptions): string {
  return `${PREFIX}${options.name}`;
}

function encode(held: Held): string {
  return JSON.stringify(held);
}

function expiry(clock: Clock, ttlMs: number): number {
  return clock.nowMicros() + ttlMs * MICROS_PER_MS;
}
