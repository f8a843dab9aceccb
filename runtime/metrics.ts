/** What the live view, `status` and the summary show: counters and percentiles, from telemetry alone. */
import type { TelemetryEvents, TelemetryListener } from '#core/telemetry.ts';
import { Percentiles } from './percentiles.ts';

export interface RunView {
  readonly kind: string;
  readonly source: string;
  readonly object: string;
  readonly records: number;
  readonly total: number | null;
  readonly state: string;
}

export interface MetricsSnapshot {
  /** By source. */
  readonly events: Readonly<Record<string, number>>;
  readonly eventsByPath: Readonly<Record<string, number>>;
  /** By table: rows handed to the warehouse, updates included. */
  readonly rowsWritten: Readonly<Record<string, number>>;
  readonly matchesDecided: Readonly<Record<string, number>>;
  readonly deadLetters: Readonly<Record<string, number>>;
  readonly discarded: Readonly<Record<string, number>>;
  readonly apiCalls: Readonly<Record<string, number>>;
  readonly changeToRowMs: { readonly p50: number | null; readonly p99: number | null; readonly samples: number };
  readonly stageMs: Readonly<Record<string, number>>;
  readonly paused: readonly string[];
  readonly runs: readonly RunView[];
  readonly faults: number;
}

/** Finished runs that are still shown. */
const RUNS_KEPT = 24;

export class Metrics {
  readonly #events = new Map<string, number>();
  readonly #eventsByPath = new Map<string, number>();
  readonly #rows = new Map<string, number>();
  readonly #matches = new Map<string, number>();
  readonly #deadLetters = new Map<string, number>();
  readonly #discarded = new Map<string, number>();
  readonly #apiCalls = new Map<string, number>();
  readonly #stageMs = new Map<string, number>();
  readonly #paused = new Set<string>();
  readonly #runs = new Map<string, RunView>();
  readonly #lag = new Percentiles(20_000);
  #faults = 0;
  #activity = 0;

  readonly listener: TelemetryListener = (name, fields) => {
    const handler = this.#handlers[name] as ((fields: unknown) => void) | undefined;
    if (handler === undefined) return;
    this.#activity += 1;
    handler(fields);
  };

  /** Grows whenever the river did something: two equal readings mean that nothing flowed between them. */
  get activity(): number {
    return this.#activity;
  }

  snapshot(): MetricsSnapshot {
    return {
      events: Object.fromEntries(this.#events),
      eventsByPath: Object.fromEntries(this.#eventsByPath),
      rowsWritten: Object.fromEntries(this.#rows),
      matchesDecided: Object.fromEntries(this.#matches),
      deadLetters: Object.fromEntries(this.#deadLetters),
      discarded: Object.fromEntries(this.#discarded),
      apiCalls: Object.fromEntries(this.#apiCalls),
      changeToRowMs: { p50: this.#lag.at(0.5), p99: this.#lag.at(0.99), samples: this.#lag.count },
      stageMs: Object.fromEntries(this.#stageMs),
      paused: [...this.#paused],
      runs: [...this.#runs.values()],
      faults: this.#faults,
    };
  }

  readonly #handlers: { readonly [N in keyof TelemetryEvents]?: (fields: TelemetryEvents[N]) => void } = {
    eventsIngested: ({ source, path, events }) => {
      add(this.#events, source, events);
      add(this.#eventsByPath, `${source} ${path}`, events);
    },
    rowsWritten: ({ table, rows, changeToRowMs }) => {
      add(this.#rows, table, rows);
      changeToRowMs.forEach((ms) => this.#lag.add(ms));
    },
    matchesDecided: ({ outcome, matches }) => add(this.#matches, outcome, matches),
    messageDeadLettered: ({ code }) => add(this.#deadLetters, code, 1),
    messageDiscarded: ({ reason }) => add(this.#discarded, reason, 1),
    vendorCalled: ({ source, purpose }) => add(this.#apiCalls, `${source} ${purpose}`, 1),
    batchHandled: ({ service, durationMs }) => add(this.#stageMs, service, durationMs),
    servicePaused: ({ service }) => void this.#paused.add(service),
    serviceResumed: ({ service }) => void this.#paused.delete(service),
    runStarted: (run) => this.#run(run.runId, { ...run, records: 0, total: null, state: 'running' }),
    // A poll that finds nothing says neither that it began nor that it ended: it is not shown.
    runProgressed: (run) => this.#runs.has(run.runId) && this.#run(run.runId, { ...run, state: 'running' }),
    runFinished: (run) => this.#run(run.runId, run),
    faultSeen: () => {
      this.#faults += 1;
    },
  };

  #run(runId: string, run: RunView): void {
    this.#runs.set(runId, run);
    for (const [id, { state }] of this.#runs) {
      if (this.#runs.size <= RUNS_KEPT) break;
      if (state !== 'running') this.#runs.delete(id);
    }
  }
}

function add(counters: Map<string, number>, name: string, by: number): void {
  counters.set(name, (counters.get(name) ?? 0) + by);
}
