/**
 * Decides when DuckDB moves its log into the file. A checkpoint holds up every commit (0.3 s for 64 MB of new rows, up to
 * 1.5 s when updates touched every row group), so none runs inside a commit: it is queued after the acknowledgement once
 * the log is large, or when nothing has been written for a while.
 */
import type { Clock } from '#core/clock.ts';

export interface CheckpointsOptions {
  readonly clock: Clock;
  readonly walBytes: () => Promise<number>;
  /** Runs a checkpoint in turn with the writes. */
  readonly checkpoint: () => Promise<void>;
}

const LARGE_LOG_BYTES = 64_000_000;
/** Below this the log is replayed at the next opening in a fraction of a second: not worth the stall. */
const SMALL_LOG_BYTES = 1_000_000;
const IDLE_MS = 2_000;

export class Checkpoints {
  readonly #options: CheckpointsOptions;
  #pending = false;
  #cancelIdle = (): void => undefined;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
  }

  /** Call after each commit. Resolves at once; a due checkpoint is then already queued before later writes. */
  async committed(): Promise<void> {
    this.#cancelIdle();
    if ((await this.#options.walBytes()) >= LARGE_LOG_BYTES) return this.#run();
    this.#cancelIdle = this.#options.clock.after(IDLE_MS, () => void this.#idle());
  }

  stop(): void {
    this.#cancelIdle();
  }

  async #idle(): Promise<void> {
    if ((await this.#options.walBytes()) >= SMALL_LOG_BYTES) this.#run();
  }

  /** A failed checkpoint loses nothing: the log is still there, and the next one tries again. */
  #run(): void {
    if (this.#pending) return;
    this.#pending = true;
    const done = (): void => void (this.#pending = false);
    this.#options.checkpoint().then(done, done);
  }
}
