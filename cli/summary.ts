/** What `start --until-idle --json` prints as its last line. */
import type { Status } from '#runtime/operations.ts';

export interface Summary {
  /** By source. */
  readonly events: Readonly<Record<string, number>>;
  /** Rows by view. */
  readonly tables: Readonly<Record<string, number>>;
  /** By outcome. */
  readonly matches: Readonly<Record<string, number>>;
  /** What is parked, by code. */
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly changeToRowMs: { readonly p50: number | null; readonly p99: number | null };
  /** Rows written to the warehouse over the whole run, start-up included. */
  readonly rowsPerSecond: number;
  readonly peakMemoryBytes: number;
  readonly durationMs: number;
}

export function summaryOf(status: Status, durationMs: number): Summary {
  const { metrics } = status;
  const rows = Object.values(metrics.rowsWritten).reduce((sum, count) => sum + count, 0);
  return {
    events: metrics.events,
    tables: status.tables,
    matches: status.matches,
    deadLetters: status.deadLetters,
    changeToRowMs: { p50: metrics.changeToRowMs.p50, p99: metrics.changeToRowMs.p99 },
    rowsPerSecond: Math.round((rows / durationMs) * 1_000),
    peakMemoryBytes: process.resourceUsage().maxRSS * 1_024,
    durationMs: Math.round(durationMs),
  };
}
