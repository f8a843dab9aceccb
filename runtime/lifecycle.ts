/** What has started is stopped in reverse order, each once, whatever the others do. */
import type { Clock } from '#core/clock.ts';
import { Transient } from '#core/errors.ts';

/** Where a process has only so long to end: who takes longer is left behind, so that the others get their turn. */
export interface StopLimit {
  readonly clock: Clock;
  /** For each step that names no other. */
  readonly stepMs: number;
}

interface Step {
  readonly name: string;
  readonly stop: () => Promise<void>;
  readonly withinMs: number | undefined;
}

export class Lifecycle {
  readonly #steps: Step[] = [];
  readonly #hanging = new Set<string>();
  readonly #limit: StopLimit | undefined;
  #stopped: Promise<void> | undefined;

  constructor(limit?: StopLimit) {
    this.#limit = limit;
  }

  /** `withinMs` counts only where there is a limit. */
  onStop(name: string, stop: () => Promise<void>, withinMs?: number): void {
    this.#steps.push({ name, stop, withinMs });
  }

  /** What was asked to stop and has not. */
  get hanging(): readonly string[] {
    return [...this.#hanging];
  }

  /** Rejects with an `AggregateError` naming what could not be stopped, after all were tried. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const errors: unknown[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await this.#inTime(step);
      } catch (cause) {
        errors.push(new Error(`${step.name} did not stop cleanly.`, { cause }));
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'Not everything stopped cleanly.');
  }

  async #inTime({ name, stop, withinMs }: Step): Promise<void> {
    this.#hanging.add(name);
    const stopping = stop().finally(() => this.#hanging.delete(name));
    if (this.#limit === undefined) return stopping;
    const { clock, stepMs } = this.#limit;
    const late = Promise.withResolvers<never>();
    const cancel = clock.after(withinMs ?? stepMs, () =>
      late.reject(
        new Transient('stops_too_slowly', `${name} has not stopped in ${withinMs ?? stepMs} ms: it is left.`),
      ),
    );
    stopping.catch(() => undefined);
    await Promise.race([stopping, late.promise]).finally(cancel);
  }
}
