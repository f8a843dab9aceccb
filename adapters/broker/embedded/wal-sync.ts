/**
 * Waiting until all commits so far survive power loss, without stopping the thread: `fdatasync` on the write-ahead log
 * through a descriptor of our own, in Node's thread pool. `synchronous=FULL` for single commits would do the same, but
 * hold up the event loop, and every other writer, for the disk's time (milliseconds on real disks). The log has no file
 * locks, so that closing our descriptor releases none. A checkpoint in between syncs log and database by itself. Callers
 * that come while one sync runs share the next one.
 */
import { closeSync, fdatasync, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { DependencyDown } from '#core/errors.ts';

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

export class WalSync {
  readonly #database: DatabaseSync;
  readonly #path: string;
  #descriptor: number | undefined;
  #waiting: Waiter[] = [];
  #isRunning = false;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = `${path}-wal`;
  }

  /** Settles `waiter` once everything committed before this call is on the disk, or is not known to be. */
  add(waiter: Waiter): void {
    this.#waiting.push(waiter);
    if (!this.#isRunning) this.#run();
  }

  #run(): void {
    const served = this.#waiting;
    this.#waiting = [];
    if (served.length === 0) return;
    this.#isRunning = true;
    try {
      this.#descriptor ??= openSync(this.#path, 'r+');
    } catch (error) {
      return this.#done(served, error as Error);
    }
    fdatasync(this.#descriptor, (error) => this.#done(served, error));
  }

  #done(served: readonly Waiter[], error: Error | null): void {
    this.#isRunning = false;
    if (error) this.#distrust();
    for (const waiter of served) {
      if (error)
        waiter.reject(
          new DependencyDown('disk', 'The broker could not sync its log: check the disk.', { cause: error }),
        );
      else waiter.resolve();
    }
    this.#run();
  }

  /** After a failed sync the kernel may call lost pages clean: move everything out of this log, then start it anew. */
  #distrust(): void {
    try {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // The waiters are refused either way; the next sync will tell again.
    }
  }

  /** Resolves when nobody waits any more. */
  async settled(): Promise<void> {
    while (this.#isRunning) await new Promise<void>((resolve) => this.add({ resolve, reject: () => resolve() }));
  }

  /** Call it when nothing waits any more. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
