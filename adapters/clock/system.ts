/** The machine's own time and randomness: the only place where the ambient clock is read. */
import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { MICROS_PER_MS, type Clock, type Random } from '#core/clock.ts';

/** Longest delay a Node timer takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Wall time in whole microseconds, read once and carried on by the monotonic clock within a millisecond, so that two
 * reads in one millisecond differ; a step of the system clock is followed at once.
 */
export const systemClock: Clock = {
  nowMicros,
  monotonicMs: () => performance.now(),
  sleep,
  after,
};

export const systemRandom: Random = { unit: () => Math.random(), id: () => randomUUID() };

function nowMicros(): number {
  const wallMs = Date.now();
  const preciseMs = performance.timeOrigin + performance.now();
  const stepped = Math.abs(preciseMs - wallMs) > 1;
  return Math.floor((stepped ? wallMs : preciseMs) * MICROS_PER_MS);
}

function after(ms: number, action: () => void): () => void {
  const timer = setTimeout(
    () => {
      if (ms > LONGEST_TIMER_MS) cancelRest = after(ms - LONGEST_TIMER_MS, action);
      else action();
    },
    Math.min(Math.max(ms, 0), LONGEST_TIMER_MS),
  );
  let cancelRest = (): void => undefined;
  return () => {
    clearTimeout(timer);
    cancelRest();
  };
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason as Error);
    const abort = (): void => {
      cancel();
      reject(signal?.reason as Error);
    };
    const cancel = after(ms, () => {
      signal?.removeEventListener('abort', abort);
      resolve();
    });
    signal?.addEventListener('abort', abort, { once: true });
  });
}
