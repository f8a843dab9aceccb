/**
 * A token bucket for calls to one source instance, shared by priority: settled reads, then prompt, then polls, then
 * backfills. The lower ones leave a reserve, so that live changes can still be read when a backfill has spent its part.
 *
 *     capacity ┌────────────┐
 *              │ backfill ↓ │ down to 20 %
 *              │ poll     ↓ │ down to 10 %
 *              │ prompt   ↓ │ down to  5 %
 *              │ settled  ↓ │ down to  0 %
 *              └────────────┘
 */
import type { Clock } from '../clock.ts';
import type { Purpose } from '../ports/vendor.ts';

export interface Rate {
  /** Calls that may be made at once. */
  readonly capacity: number;
  readonly perSecond: number;
}

export interface Budget {
  /** Resolves when the call may be made; rejects when aborted. Tokens for `auth` are never waited for. */
  take(purpose: Purpose, signal: AbortSignal): Promise<void>;
  /** Until it is first said, nothing is held back. A changed rate keeps the share that is left. */
  setRate(rate: Rate): void;
  /** No more than this is left at the source, whatever we counted: others spend too. */
  cap(left: number): void;
  readonly waiting: number;
}

const RESERVE: Readonly<Record<Exclude<Purpose, 'auth'>, number>> = {
  settled: 0,
  prompt: 0.05,
  poll: 0.1,
  backfill: 0.2,
};
const ORDER = ['settled', 'prompt', 'poll', 'backfill'] as const;
const SECONDS_PER_DAY = 86_400;
const AT_ONCE = 0.25;

/** A daily allowance as a rate: a quarter at once, the rest evenly, so that no 24 hours ever exceed the share. */
export function dailyRate(max: number, sharePercent: number): Rate {
  const daily = (max * sharePercent) / 100;
  return { capacity: Math.max(1, daily * AT_ONCE), perSecond: (daily * (1 - AT_ONCE)) / SECONDS_PER_DAY };
}

interface Waiter {
  readonly go: () => void;
}

export function tokenBudget(clock: Clock): Budget {
  let rate: Rate | null = null;
  let tokens = 0;
  let refilledMs = clock.monotonicMs();
  let cancelTimer: (() => void) | null = null;
  const queues = new Map<string, Set<Waiter>>(ORDER.map((purpose) => [purpose, new Set<Waiter>()]));

  function refill(): void {
    const nowMs = clock.monotonicMs();
    if (rate !== null) tokens = Math.min(rate.capacity, tokens + ((nowMs - refilledMs) / 1_000) * rate.perSecond);
    refilledMs = nowMs;
  }

  /** Tokens that are missing for a call of this purpose; not above 0: it may go. */
  function missing(purpose: (typeof ORDER)[number]): number {
    return rate === null ? 0 : 1 + RESERVE[purpose] * (rate.capacity - 1) - tokens;
  }

  function serve(): void {
    cancelTimer?.();
    cancelTimer = null;
    refill();
    for (const purpose of ORDER) {
      const queue = queues.get(purpose) ?? new Set<Waiter>();
      for (const waiter of queue) {
        const lack = missing(purpose);
        // What is less urgent leaves a greater reserve, so nothing behind this one may go either.
        if (lack > 1e-9) return wakeIn(lack);
        queue.delete(waiter);
        tokens -= 1;
        waiter.go();
      }
    }
  }

  function wakeIn(lack: number): void {
    const ms = rate === null || rate.perSecond === 0 ? 60_000 : Math.ceil((lack / rate.perSecond) * 1_000);
    cancelTimer = clock.after(Math.min(ms, 60_000), serve);
  }

  return {
    take(purpose, signal) {
      if (purpose === 'auth') {
        tokens -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason as Error);
        const queue = queues.get(purpose);
        const abort = (): void => {
          queue?.delete(waiter);
          reject(signal.reason as Error);
        };
        const waiter: Waiter = {
          go: () => {
            signal.removeEventListener('abort', abort);
            resolve();
          },
        };
        signal.addEventListener('abort', abort, { once: true });
        queue?.add(waiter);
        serve();
      });
    },
    setRate(next) {
      if (rate !== null && rate.capacity === next.capacity && rate.perSecond === next.perSecond) return;
      refill();
      tokens = rate === null ? next.capacity : (tokens / rate.capacity) * next.capacity;
      rate = next;
      serve();
    },
    cap(left) {
      if (rate !== null) tokens = Math.min(tokens, left);
    },
    get waiting() {
      let count = 0;
      for (const queue of queues.values()) count += queue.size;
      return count;
    },
  };
}
