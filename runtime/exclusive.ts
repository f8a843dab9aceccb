/** Work that one process at a time may do, and in it one caller after the other: what two of them would do twice. */
import type { Leases } from './leases.ts';

export class Exclusive {
  readonly #service: string;
  readonly #leases: Leases;
  /** The last of each name: a lease lets its own holder in again. */
  readonly #last = new Map<string, Promise<unknown>>();

  constructor(service: string, leases: Leases) {
    this.#service = service;
    this.#leases = leases;
  }

  /** As `Context.exclusively` says. */
  run<T>(name: string, signal: AbortSignal, work: (held: AbortSignal) => Promise<T>): Promise<T> {
    const before = this.#last.get(name) ?? Promise.resolve();
    const result = before.then(() => this.#underLease(name, signal, work));
    this.#last.set(
      name,
      result.catch(() => undefined),
    );
    return result;
  }

  async #underLease<T>(name: string, signal: AbortSignal, work: (held: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const results: T[] = [];
    await this.#leases.hold(`${this.#service}.${name}`, signal, async (held) => void results.push(await work(held)));
    return results[0] as T;
  }
}
