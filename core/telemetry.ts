/**
 * Everything the pipeline says about itself, as one typed map: an emitted event drives logs, metrics, the live view and
 * the tests that listen. No event has a field for payloads or personal data, so none can leak.
 */
export interface TelemetryEvents {
  serviceStarted: { readonly service: string };
  serviceStopped: { readonly service: string };
  servicePaused: { readonly service: string; readonly dependency: string; readonly code: string };
  serviceResumed: { readonly service: string; readonly pausedMs: number };
  leaseTaken: { readonly service: string; readonly lease: string; readonly epoch: number };
  leaseLost: { readonly service: string; readonly lease: string };
  messagesPublished: {
    readonly topic: string;
    readonly lane: string;
    readonly messages: number;
    readonly bytes: number;
  };
  batchHandled: {
    readonly service: string;
    readonly subscription: string;
    readonly lane: string;
    readonly messages: number;
    readonly acked: number;
    readonly durationMs: number;
  };
  batchFailed: {
    readonly service: string;
    readonly subscription: string;
    readonly messages: number;
    readonly code: string;
  };
  messageDiscarded: { readonly service: string; readonly subscription: string; readonly reason: string };
  messageRetried: { readonly service: string; readonly subscription: string; readonly reason: string };
  messageDeadLettered: { readonly service: string; readonly subscription: string; readonly code: string };
  eventsIngested: {
    readonly source: string;
    readonly object: string;
    readonly path: CapturePath;
    readonly events: number;
  };
  hintsReceived: { readonly source: string; readonly object: string; readonly hints: number };
  pushAnswered: { readonly source: string; readonly status: number; readonly reason: string };
  streamConnected: { readonly source: string; readonly channel: string };
  streamEnded: { readonly source: string; readonly channel: string; readonly code: string };
  checkpointMoved: { readonly source: string; readonly checkpoint: string };
  vendorCalled: {
    readonly source: string;
    readonly purpose: string;
    readonly operation: string;
    readonly status: number;
    readonly durationMs: number;
    readonly allowanceUsed: number | null;
    readonly allowanceMax: number | null;
  };
  vendorRetried: {
    readonly source: string;
    readonly operation: string;
    readonly code: string;
    readonly attempt: number;
  };
  vendorRefused: { readonly source: string; readonly operation: string };
  runStarted: { readonly runId: string; readonly kind: string; readonly source: string; readonly object: string };
  runProgressed: RunCount;
  runFinished: RunCount & { readonly state: string; readonly code: string | null; readonly durationMs: number };
  matchesDecided: { readonly outcome: string; readonly matches: number };
  rowsWritten: {
    readonly table: string;
    readonly lane: string;
    readonly rows: number;
    readonly refused: number;
    readonly durationMs: number;
    /** For each live row whose change time is known: from the source's commit to the row's commit. */
    readonly changeToRowMs: readonly number[];
  };
  configurationWarned: { readonly service: string; readonly code: string; readonly field: string };
  faultSeen: { readonly service: string; readonly code: string; readonly message: string };
}

interface RunCount {
  readonly runId: string;
  readonly kind: string;
  readonly source: string;
  readonly object: string;
  readonly records: number;
  /** Null until the source says how many there are. */
  readonly total: number | null;
}

/** How an event came: a pushed hint's read, the poll, a bulk backfill, a push with the whole record, a reconcile. */
export type CapturePath = 'hint' | 'poll' | 'backfill' | 'push' | 'reconcile';

export type TelemetryName = keyof TelemetryEvents;
export type TelemetryListener = <N extends TelemetryName>(name: N, fields: TelemetryEvents[N]) => void;

export interface Telemetry {
  emit<N extends TelemetryName>(name: N, fields: TelemetryEvents[N]): void;
}

/** Calls every listener in turn. A listener that throws is a bug and is not caught: telemetry must be cheap and total. */
export class TelemetryHub implements Telemetry {
  readonly #listeners = new Set<TelemetryListener>();

  emit<N extends TelemetryName>(name: N, fields: TelemetryEvents[N]): void {
    for (const listener of this.#listeners) listener(name, fields);
  }

  /** The returned function stops the listening. */
  listen(listener: TelemetryListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
