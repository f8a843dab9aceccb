/**
 * Time as a port. `nowMicros` is wall-clock time, for versions and people; `monotonicMs` never steps back and is for
 * leases, back-off and lag. Everything that waits, waits here, so that a test's clock is virtual.
 */
export interface Clock {
  nowMicros(): number;
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `action` once after `ms`. The returned function cancels it. */
  after(ms: number, action: () => void): () => void;
}

/** Randomness as a port: `unit` in [0, 1) for jitter; `id` for names that must not collide. */
export interface Random {
  unit(): number;
  id(): string;
}

export const MICROS_PER_SECOND = 1_000_000;
export const MICROS_PER_MS = 1_000;
