/**
 * A clock that stands still until a test moves it. `advance` runs every timer that falls due, in order of time, and after
 * each lets promises, `setImmediate` and real I/O callbacks that are ready run, so that what a timer starts can set the
 * next one. Work in other threads or processes does not count as settled: wait for its effect with `until`.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MICROS_PER_MS, type Clock } from '#core/clock.ts';

export interface VirtualClock extends Clock {
  /** Moves time on by `ms`, running what falls due on the way. */
  advance(ms: number): Promise<void>;
  /** Runs what is ready without moving time. */
  settle(): Promise<void>;
  /** Moves time in steps until `condition` holds; throws after `limitMs` of virtual time. */
  until(condition: () => boolean, limitMs?: number, stepMs?: number): Promise<void>;
  /** Steps the wall clock alone, as NTP or an operator would: timers and `monotonicMs` do not notice. */
  stepWall(ms: number): void;
  /** Timers that wait. */
  readonly pending: number;
}

interface Timer {
  readonly dueMs: number;
  readonly action: () => void;
}

const DEFAULT_START = '2026-01-05T09:00:00Z';
/** Turns of the event loop that count as settled: a commit, its promise, and what that starts. */
const TURNS = 4;

export function virtualClock(startAt: string = DEFAULT_START): VirtualClock {
  const timers = new Set<Timer>();
  const startMicros = Date.parse(startAt) * MICROS_PER_MS;
  let elapsedMs = 0;
  let wallOffsetMs = 0;

  function after(ms: number, action: () => void): () => void {
    const timer = { dueMs: elapsedMs + Math.max(ms, 0), action };
    timers.add(timer);
    return () => void timers.delete(timer);
  }

  function firstDue(byMs: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of timers) if (timer.dueMs <= byMs && (!first || timer.dueMs < first.dueMs)) first = timer;
    return first;
  }

  async function settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await nextTurn();
  }

  async function advance(ms: number): Promise<void> {
    const endMs = elapsedMs + ms;
    await settle();
    for (let timer = firstDue(endMs); timer; timer = firstDue(endMs)) {
      timers.delete(timer);
      elapsedMs = Math.max(elapsedMs, timer.dueMs);
      timer.action();
      await settle();
    }
    elapsedMs = endMs;
  }

  async function until(condition: () => boolean, limitMs = 600_000, stepMs = 10): Promise<void> {
    const endMs = elapsedMs + limitMs;
    for (await settle(); !condition(); await advance(stepMs))
      if (elapsedMs >= endMs) throw new Error(`The condition did not hold within ${limitMs} ms of virtual time.`);
  }

  return {
    nowMicros: () => startMicros + Math.round((elapsedMs + wallOffsetMs) * MICROS_PER_MS),
    monotonicMs: () => elapsedMs,
    sleep: (ms, signal) => sleep(after, ms, signal),
    after,
    advance,
    settle,
    until,
    stepWall: (ms) => void (wallOffsetMs += ms),
    get pending() {
      return timers.size;
    },
  };
}

function sleep(after: Clock['after'], ms: number, signal?: AbortSignal): Promise<void> {
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
