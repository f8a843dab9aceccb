/** Telemetry events as metrics: what is counted and measured, and by which labels. Every label has few values. */
import type { Attributes, Counter, Gauge, Histogram, Meter, UpDownCounter } from '@opentelemetry/api';
import type { TelemetryEvents, TelemetryListener, TelemetryName } from '#core/telemetry.ts';

/** From a millisecond to a day: a backlog's age and a batch's time are on one scale. */
const BUCKETS_MS = [
  1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 900_000, 3_600_000,
  21_600_000, 86_400_000,
];

export interface Instruments {
  readonly counter: (name: string, description: string, unit?: string) => Counter;
  readonly upDown: (name: string, description: string) => UpDownCounter;
  readonly gauge: (name: string, description: string) => Gauge;
  /** In milliseconds. */
  readonly times: (name: string, description: string) => Histogram;
}

export function instrumentsOf(meter: Meter): Instruments {
  return {
    counter: (name, description, unit = '1') => meter.createCounter(`tributary.${name}`, { description, unit }),
    upDown: (name, description) => meter.createUpDownCounter(`tributary.${name}`, { description }),
    gauge: (name, description) => meter.createGauge(`tributary.${name}`, { description }),
    times: (name, description) =>
      meter.createHistogram(`tributary.${name}`, {
        description,
        unit: 'ms',
        advice: { explicitBucketBoundaries: BUCKETS_MS },
      }),
  };
}

type Handlers = { readonly [N in TelemetryName]?: (fields: TelemetryEvents[N]) => void };

export function metricsListener(instruments: Instruments): TelemetryListener {
  const handlers: Handlers = {
    ...flowMetrics(instruments),
    ...sourceMetrics(instruments),
    ...sinkMetrics(instruments),
  };
  return (name, fields) => (handlers[name] as ((fields: unknown) => void) | undefined)?.(fields);
}

function flowMetrics({ counter, upDown, times }: Instruments): Handlers {
  const published = counter('messages.published', 'Messages published.');
  const bytes = counter('messages.published.bytes', 'Bytes of the bodies published.', 'By');
  const handled = counter('messages.handled', 'Messages that a service has answered.');
  const acked = counter('messages.acked', 'Messages that are done with.');
  const duration = times('batch.duration', 'From hand-out of a batch to its answer.');
  const failed = counter('batch.failures', 'Batches whose messages come again.');
  const discarded = counter('messages.discarded', 'Messages that say nothing new or concern nobody.');
  const retried = counter('messages.retried', 'Messages that are to come again.');
  const parked = counter('messages.dead_lettered', 'Messages parked as dead letters.');
  const paused = upDown('services.paused', 'Services that wait for something they need.');
  const leases = counter('leases', 'Leases taken and lost.');
  const faults = counter('faults', 'Faults seen.');
  return {
    messagesPublished: ({ topic, lane, messages, bytes: size }) => {
      published.add(messages, { topic, lane });
      bytes.add(size, { topic, lane });
    },
    batchHandled: ({ service, subscription, lane, messages, acked: done, durationMs }) => {
      handled.add(messages, { service, subscription, lane });
      acked.add(done, { service, subscription, lane });
      duration.record(durationMs, { service, subscription, lane });
    },
    batchFailed: ({ service, subscription, code }) => failed.add(1, { service, subscription, code }),
    messageDiscarded: ({ service, reason }) => discarded.add(1, { service, reason: word(reason) }),
    messageRetried: ({ service, reason }) => retried.add(1, { service, reason: word(reason) }),
    messageDeadLettered: ({ service, code }) => parked.add(1, { service, code }),
    servicePaused: ({ service }) => paused.add(1, { service }),
    serviceResumed: ({ service }) => paused.add(-1, { service }),
    leaseTaken: ({ service, lease }) => leases.add(1, { service, lease, change: 'taken' }),
    leaseLost: ({ service, lease }) => leases.add(1, { service, lease, change: 'lost' }),
    faultSeen: ({ service, code }) => faults.add(1, { service, code }),
  };
}

function sourceMetrics({ counter, gauge, times }: Instruments): Handlers {
  const ingested = counter('events.ingested', 'Records read from sources and published.');
  const hints = counter('hints.received', 'Notifications of changes.');
  const pushes = counter('pushes.answered', 'Pushes answered.');
  const calls = counter('vendor.calls', 'Calls to sources.');
  const answers = times('vendor.duration', 'How long sources take to answer.');
  const allowance = gauge('vendor.allowance.used', 'Share of the allowance of calls that is used up, 0 to 1.');
  const streams = counter('streams', 'Streams of changes connected and ended.');
  const runs = counter('runs', 'Runs that ended: backfills, polls, reconciles.');
  return {
    eventsIngested: ({ source, object, path, events }) => ingested.add(events, { source, object, path }),
    hintsReceived: ({ source, object, hints: count }) => hints.add(count, { source, object }),
    pushAnswered: ({ source, status, reason }) => pushes.add(1, { source, status, reason: word(reason) }),
    vendorCalled: (call) => {
      const labels: Attributes = { source: call.source, purpose: call.purpose, operation: call.operation };
      calls.add(1, { ...labels, status: call.status });
      answers.record(call.durationMs, labels);
      if (call.allowanceUsed !== null && call.allowanceMax !== null && call.allowanceMax > 0)
        allowance.record(call.allowanceUsed / call.allowanceMax, { source: call.source });
    },
    streamConnected: ({ source, channel }) => streams.add(1, { source, channel, change: 'connected' }),
    streamEnded: ({ source, channel }) => streams.add(1, { source, channel, change: 'ended' }),
    runFinished: ({ kind, source, object, state }) => runs.add(1, { kind, source, object, state }),
  };
}

function sinkMetrics({ counter, times }: Instruments): Handlers {
  const matches = counter('matches.decided', 'Decisions whom an activity concerns.');
  const rows = counter('rows.written', 'Rows handed to the warehouse.');
  const refused = counter('rows.refused', 'Rows that the warehouse refused.');
  const duration = times('write.duration', 'How long a write to the warehouse takes.');
  const lag = times('change_to_row', "From a source's commit to the row's, of live changes.");
  return {
    matchesDecided: ({ outcome, matches: count }) => matches.add(count, { outcome }),
    rowsWritten: ({ table, lane, rows: written, refused: not, durationMs, changeToRowMs }) => {
      rows.add(written, { table, lane });
      if (not > 0) refused.add(not, { table, lane });
      duration.record(durationMs, { table, lane });
      for (const ms of changeToRowMs) lag.record(ms, { table });
    },
  };
}

/** A reason may go on with what somebody said: only its code is a label. */
function word(reason: string): string {
  return /^[\w.-]{1,60}/.exec(reason)?.[0] ?? 'other';
}
