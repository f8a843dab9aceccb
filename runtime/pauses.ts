/**
 * What a service does while a dependency is down: it lets go of all it holds, asks again at growing intervals, and goes on
 * once a probe succeeds. A probe that succeeds while the work still fails (a full disk can be read) does not start the
 * intervals anew.
 */
import type { Clock, Random } from '#core/clock.ts';
import { codeOf, messageOf, type DependencyDown } from '#core/errors.ts';
import type { Consumer } from '#core/ports/broker.ts';
import { backoffMs } from '#core/retry.ts';
import type { Telemetry } from '#core/telemetry.ts';

export interface PausesOptions {
  readonly service: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Ends the probing. */
  readonly signal: AbortSignal;
  readonly consumers: () => readonly Consumer[];
  readonly probe: () => Promise<void> | undefined;
}

const PROBE = { attempts: Number.MAX_SAFE_INTEGER, baseMs: 250, ceilingMs: 10_000 };
const SLOWEST_ATTEMPT = 10;
/** Work that went on this long is over what stopped it before. */
const STEADY_MS = 10_000;

export class Pauses {
  readonly #options: PausesOptions;
  #paused = false;
  #attempt = 1;
  #resumedMs = Number.NEGATIVE_INFINITY;

  constructor(options: PausesOptions) {
    this.#options = options;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Resolves when the service goes on, or is stopped. */
  async until({ dependency, code }: DependencyDown): Promise<void> {
    const { service, clock, telemetry, signal, consumers } = this.#options;
    if (this.#paused || signal.aborted) return;
    const startedMs = clock.monotonicMs();
    if (startedMs - this.#resumedMs > STEADY_MS) this.#attempt = 1;
    this.#paused = true;
    telemetry.emit('servicePaused', { service, dependency, code });
    await Promise.allSettled(consumers().map((consumer) => consumer.pause()));
    while (!signal.aborted && !(await this.#isBack())) continue;
    this.#paused = false;
    if (signal.aborted) return;
    this.#resumedMs = clock.monotonicMs();
    for (const consumer of consumers()) consumer.resume();
    telemetry.emit('serviceResumed', { service, pausedMs: this.#resumedMs - startedMs });
  }

  async #isBack(): Promise<boolean> {
    const { service, clock, random, telemetry, signal, probe } = this.#options;
    this.#attempt = Math.min(this.#attempt + 1, SLOWEST_ATTEMPT);
    try {
      await clock.sleep(backoffMs(PROBE, this.#attempt, random, 100), signal);
      await probe();
      return true;
    } catch (error) {
      if (!signal.aborted) telemetry.emit('faultSeen', { service, code: codeOf(error), message: messageOf(error) });
      return false;
    }
  }
}
