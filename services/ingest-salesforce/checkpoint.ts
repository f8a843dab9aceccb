/**
 * A durable JSON value under one key of the store, with at most one write a second: what changes in between is written
 * with the next. Whoever finds that somebody else wrote stops (`Stale`).
 */
import type { Clock } from '#core/clock.ts';
import { Stale } from '#core/errors.ts';
import type { StorePort } from '#core/ports/store.ts';

export interface Checkpoint<T> {
  readonly value: T | null;
  /** Resolves when this value, or a later one, is durable. */
  save(value: T): Promise<void>;
  /** Takes the value; it is written within a second, or with the next `save` or `flush`. */
  note(value: T): void;
  /** Resolves when everything noted is durable. */
  flush(): Promise<void>;
}

const LEAST_MS = 1_000;

export async function openCheckpoint<T>(
  store: StorePort,
  clock: Clock,
  key: string,
  parse: (value: unknown) => T,
): Promise<Checkpoint<T>> {
  const stored = await store.get(key);
  let generation = stored?.generation ?? null;
  let value = stored === undefined ? null : parse(JSON.parse(stored.value));
  let dirty = false;
  let writing: Promise<void> | null = null;
  let cancelTimer: (() => void) | null = null;
  let writtenMs = Number.NEGATIVE_INFINITY;
  let failed: Stale | null = null;

  /** One writer at a time; it goes on until nothing is left to write, so that its end means all is durable. */
  async function drain(): Promise<void> {
    while (dirty) {
      dirty = false;
      writtenMs = clock.monotonicMs();
      const next = await store.put(key, JSON.stringify(value), generation);
      if (next === undefined) throw new Stale('checkpoint_taken', `Another instance wrote ${key}.`);
      generation = next;
    }
  }

  function flush(): Promise<void> {
    cancelTimer?.();
    cancelTimer = null;
    if (failed !== null) return Promise.reject(failed);
    writing ??= drain()
      .catch((error: unknown) => {
        failed = error instanceof Stale ? error : null;
        dirty = true;
        throw error;
      })
      .finally(() => (writing = null));
    return writing;
  }

  function note(next: T): void {
    value = next;
    dirty = true;
    if (cancelTimer !== null || writing !== null) return;
    const waitMs = Math.max(0, writtenMs + LEAST_MS - clock.monotonicMs());
    cancelTimer = clock.after(waitMs, () => void flush().catch(() => undefined));
  }

  return {
    get value() {
      return value;
    },
    save(next) {
      note(next);
      return flush();
    },
    note,
    flush,
  };
}
