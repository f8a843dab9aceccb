/** The run row of a listing: what was read, published and asked, while it goes and when it ends. */
import { MICROS_PER_MS } from '#core/clock.ts';
import { codeOf } from '#core/errors.ts';
import { runFact, type RunKind, type RunState } from '#core/run-fact.ts';
import type { DialpadContext } from './declared.ts';

export interface RunCounts {
  readonly read: number;
  readonly published: number;
  readonly calls: number;
}

export interface RunStart {
  readonly runId: string;
  readonly kind: RunKind;
  readonly reason: string;
  readonly startedMicros: number;
  readonly counts: RunCounts;
}

const NOTHING: RunCounts = { read: 0, published: 0, calls: 0 };

export class Run {
  readonly start: RunStart;
  readonly #context: DialpadContext;
  #counts: RunCounts;

  constructor(context: DialpadContext, start: RunStart) {
    this.#context = context;
    this.start = start;
    this.#counts = start.counts;
  }

  get counts(): RunCounts {
    return this.#counts;
  }

  count(read: number, published: number): void {
    const { read: r, published: p, calls } = this.#counts;
    this.#counts = { read: r + read, published: p + published, calls: calls + 1 };
    this.#context.telemetry.emit('runProgressed', this.#progress());
  }

  /** Does `work` as this run: rows say that it started and how it ended. What it throws is thrown on. */
  async during(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const { runId, kind } = this.start;
    this.#context.telemetry.emit('runStarted', { runId, kind, source: 'dialpad', object: 'call' });
    await this.#record('started', null);
    await this.quietly(work, signal);
    await this.finished('succeeded', null);
  }

  /** Says only how it failed, if it did. */
  async quietly(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await work();
    } catch (error) {
      // Where this cannot be said, the first failure is still the one to tell of.
      await this.finished(signal.aborted ? 'abandoned' : 'failed', codeOf(error)).catch(() => undefined);
      throw error;
    }
  }

  progressed(): Promise<void> {
    return this.#record('progressed', null);
  }

  async finished(state: RunState, code: string | null): Promise<void> {
    const durationMs = Math.round((this.#context.clock.nowMicros() - this.start.startedMicros) / MICROS_PER_MS);
    this.#context.telemetry.emit('runFinished', { ...this.#progress(), state, code, durationMs });
    await this.#record(state, code);
  }

  #progress() {
    const { runId, kind } = this.start;
    return { runId, kind, source: 'dialpad', object: 'call', records: this.#counts.read, total: null };
  }

  async #record(state: RunState, code: string | null): Promise<void> {
    const facts = { ...this.start, ...this.#counts, source: 'dialpad', object: 'call', deletions: 0 };
    await this.#context.record(runFact(facts, state, code, this.#context.clock.nowMicros()));
  }
}

/** A run that starts now. */
export function newRun(context: DialpadContext, kind: RunKind, reason: string): Run {
  const startedMicros = context.clock.nowMicros();
  return new Run(context, { runId: context.random.id(), kind, reason, startedMicros, counts: NOTHING });
}
