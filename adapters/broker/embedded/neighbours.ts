/**
 * Other threads and processes on the same file. Threads of this process tell each other at once, by a broadcast channel;
 * for other processes a slow poll of SQLite's `data_version` (two microseconds) has to do.
 */
import { realpathSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { BroadcastChannel } from 'node:worker_threads';
import type { Clock } from '#core/clock.ts';

/** Per partition its id and its next frame; `undefined`: something else changed. */
export type News = readonly (readonly [partition: number, next: number])[] | undefined;

export class Neighbours {
  readonly #version: StatementSync;
  readonly #channel: BroadcastChannel;
  readonly #clock: Clock;
  readonly #watchMs: number;
  readonly #heard: (news: News) => void;
  #lastVersion: number;
  #cancel: (() => void) | undefined;

  constructor(database: DatabaseSync, path: string, clock: Clock, watchMs: number, heard: (news: News) => void) {
    this.#version = database.prepare('PRAGMA data_version');
    this.#clock = clock;
    this.#watchMs = watchMs;
    this.#heard = heard;
    this.#lastVersion = this.#read();
    this.#channel = new BroadcastChannel(`tributary-broker:${realpathSync(path)}`);
    this.#channel.onmessage = (event) => this.#heard((event as { readonly data: News }).data);
    this.#channel.unref();
    this.#watch();
  }

  tell(news: News): void {
    this.#channel.postMessage(news);
  }

  #read(): number {
    return Number(this.#version.get()?.data_version);
  }

  #watch(): void {
    if (this.#watchMs <= 0) return;
    this.#cancel = this.#clock.after(this.#watchMs, () => {
      const version = this.#read();
      if (version !== this.#lastVersion) this.#heard(undefined);
      this.#lastVersion = version;
      this.#watch();
    });
  }

  close(): void {
    this.#cancel?.();
    this.#channel.close();
  }
}
