/**
 * A run (backfill, poll, reconcile) as others see it: telemetry while it goes, and a row of the `run` entity for each
 * of its states. Rows are coalesced to one every few seconds.
 */
import type { Clock } from '#core/clock.ts';
import { codeOf } from '#core/errors.ts';
import type { Fact } from '#core/facts.ts';
import { runFact, type RunKind, type RunState } from '#core/run-fact.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { SOURCE } from './raw-event.ts';

export interface RunOptions {
  readonly kind: RunKind;
  readonly object: string;
  readonly reason: string;
  readonly runId: string;
  readonly startedMicros: number;
}

export interface RunPorts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  record(fact: Fact<'run'>): Promise<void>;
}

export interface Run {
  readonly runId: string;
  read(records: number): void;
  published(events: number): void;
  deletions(found: number): void;
  called(): void;
  /** Says how many records there are in all, once known. */
  expect(total: number): void;
  readonly recordsRead: number;
  /** Runs `work`; what it throws is recorded as the run's failure and thrown on. */
  during<T>(work: () => Promise<T>): Promise<T>;
}

const ROW_EVERY_MS = 5_000;

export function openRun(ports: RunPorts, options: RunOptions): Run {
  const { clock, telemetry } = ports;
  const { kind, object, runId, startedMicros } = options;
  const counts = { read: 0, published: 0, deletions: 0, calls: 0, total: null as number | null };
  let toldMs = clock.monotonicMs();

  function progress(): {
    runId: string;
    kind: string;
    source: string;
    object: string;
    records: number;
    total: number | null;
  } {
    return { runId, kind, source: SOURCE, object, records: counts.read, total: counts.total };
  }

  async function tell(state: RunState, errorCode: string | null): Promise<void> {
    toldMs = clock.monotonicMs();
    await ports.record(runFact({ ...options, ...counts, source: SOURCE }, state, errorCode, clock.nowMicros()));
  }

  function progressed(): void {
    telemetry.emit('runProgressed', progress());
    if (clock.monotonicMs() - toldMs >= ROW_EVERY_MS) void tell('progressed', null).catch(() => undefined);
  }

  async function finish(stateName: 'succeeded' | 'failed', code: string | null): Promise<void> {
    const durationMs = (clock.nowMicros() - startedMicros) / 1_000;
    telemetry.emit('runFinished', { ...progress(), state: stateName, code, durationMs });
    await tell(stateName, code);
  }

  return {
    runId,
    get recordsRead() {
      return counts.read;
    },
    read(records) {
      counts.read += records;
      progressed();
    },
    published: (events) => void (counts.published += events),
    deletions: (found) => void (counts.deletions += found),
    called: () => void (counts.calls += 1),
    expect: (total) => void (counts.total = total),
    async during(work) {
      telemetry.emit('runStarted', { runId, kind, source: SOURCE, object });
      await tell('started', null);
      try {
        const result = await work();
        await finish('succeeded', null);
        return result;
      } catch (error) {
        await finish('failed', codeOf(error)).catch(() => undefined);
        throw error;
      }
    },
  };
}
