/** Holds bulk publishers back while some subscription of their topic has too much bulk to do. */
import { Transient } from '#core/errors.ts';
import type { Backlog } from './backlog.ts';

interface Waiter {
  readonly topic: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class BulkRoom {
  readonly #backlog: Backlog;
  readonly #limitMessages: number;
  #waiters: Waiter[] = [];

  constructor(backlog: Backlog, limitMessages: number) {
    this.#backlog = backlog;
    this.#limitMessages = limitMessages;
  }

  isFull(topic: number): boolean {
    return this.#backlog.bulkOf(topic) > this.#limitMessages;
  }

  wait(topic: number): Promise<void> {
    return new Promise((resolve, reject) => this.#waiters.push({ topic, resolve, reject }));
  }

  /** Acks were stored, here or elsewhere: lets go whom there is room for. */
  check(): void {
    if (this.#waiters.length === 0) return;
    const full = new Map<number, boolean>();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      if (!full.has(waiter.topic)) full.set(waiter.topic, this.isFull(waiter.topic));
      if (full.get(waiter.topic)) this.#waiters.push(waiter);
      else waiter.resolve();
    }
  }

  close(): void {
    for (const { reject } of this.#waiters)
      reject(new Transient('broker_closed', 'The broker was closed: publish again.'));
    this.#waiters = [];
  }
}
