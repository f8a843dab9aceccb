/** The run row of a listing: what was read, published and asked, while it goes and when it ends. */
import { MICROS_PER_MS } from '#core/clock.ts';
import { codeOf } from '#core/errors.ts';
import type { DialpadContext } from './declared.ts';

export type RunKind = 'backfill' | 'poll' | 'reconcile';

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
/** States of a run row in their order; of two rows in the same state the later wins. */
const STATE_NUMBER = { started: 1, progressed: 2, failed: 3, succeeded: 4 } as const;
type RunState = keyof typeof STATE_NUMBER;

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

  async started(): Promise<void> {
    const { runId, kind } = this.start;
    this.#context.telemetry.emit('runStarted', { runId, kind, source: 'dialpad', object: 'call' });
    await this.#record('started', null);
  }

  progressed(): Promise<void> {
    return this.#record('progressed', null);
  }

  async finished(error: unknown = null): Promise<void> {
    const state = error === null ? 'succeeded' : 'failed';
    const code = error === null ? null : codeOf(error);
    const durationMs = Math.round((this.#context.clock.nowMicros() - this.start.startedMicros) / MICROS_PER_MS);
    this.#context.telemetry.emit('runFinished', { ...this.#progress(), state, code, durationMs });
    await this.#record(state, code);
  }

  #progress() {
    const { runId, kind } = this.start;
    return { runId, kind, source: 'dialpad', object: 'call', records: this.#counts.read, total: null };
  }

  async #record(state: RunState, code: string | null): Promise<void> {
    const { runId, kind, reason, startedMicros } = this.start;
    const atMicros = this.#context.clock.nowMicros();
    await this.#context.record({
      entity: 'run',
      id: runId,
      state: STATE_NUMBER[state],
      atMicros,
      trace: runId,
      record: {
        kind,
        run_source: 'dialpad',
        run_object: 'call',
        state,
        reason,
        started_at: startedMicros,
        finished_at: code !== null || state === 'succeeded' ? atMicros : null,
        records_read: this.#counts.read,
        records_published: this.#counts.published,
        deletions_found: 0,
        api_calls: this.#counts.calls,
        error_code: code,
        detail: null,
      },
    });
  }
}

/** A run that starts now. */
export function newRun(context: DialpadContext, kind: RunKind, reason: string): Run {
  const startedMicros = context.clock.nowMicros();
  return new Run(context, { runId: context.random.id(), kind, reason, startedMicros, counts: NOTHING });
}
