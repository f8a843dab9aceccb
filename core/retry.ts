/** Exponential back-off with full jitter and a budget: nothing is tried for ever. */
import type { Clock, Random } from './clock.ts';
import { Transient } from './errors.ts';

export interface RetryPolicy {
  /** Tries in all, the first included. */
  readonly attempts: number;
  readonly baseMs: number;
  readonly ceilingMs: number;
}

/** How long to wait before try number `attempt` (2 = the first repetition); what the other side asked for is the least. */
export function backoffMs(policy: RetryPolicy, attempt: number, random: Random, askedMs = 0): number {
  const ceiling = Math.min(policy.ceilingMs, policy.baseMs * 2 ** (attempt - 2));
  return Math.max(askedMs, Math.round(ceiling * random.unit()));
}

/** Runs `work` until it succeeds, throws something that is not `Transient`, or the budget is used up (then rethrows the last). */
export async function withRetry<T>(
  work: (attempt: number) => Promise<T>,
  options: {
    readonly policy: RetryPolicy;
    readonly clock: Clock;
    readonly random: Random;
    readonly signal: AbortSignal;
    readonly onRetry?: (error: Transient, attempt: number) => void;
  },
): Promise<T> {
  const { policy, clock, random, signal, onRetry } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work(attempt);
    } catch (error) {
      if (!(error instanceof Transient) || attempt >= policy.attempts) throw error;
      onRetry?.(error, attempt);
      await clock.sleep(backoffMs(policy, attempt + 1, random, error.retryAfterMs), signal);
    }
  }
}
