/**
 * Metrics and traces by OTLP over HTTP (JSON), to a collector: https://opentelemetry.io/docs/specs/otlp/#otlphttp
 * Headers, for instance of an authenticated collector, are taken from OTEL_EXPORTER_OTLP_HEADERS by the exporters
 * themselves. A collector that is down or slow costs figures, never work.
 */
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Clock } from '#core/clock.ts';
import type { Disposition } from '#core/disposition.ts';
import type { TelemetryListener } from '#core/telemetry.ts';
import { instrumentsOf, metricsListener } from './metrics.ts';
import { GivenTraces, spanOf, type BatchFacts } from './spans.ts';

export type { BatchFacts } from './spans.ts';

export interface OtelOptions {
  /** Without a path: `/v1/metrics` and `/v1/traces` are added. */
  readonly endpoint: string;
  readonly service: string;
  readonly version: string;
  readonly installation: string;
  /** This process. */
  readonly instance: string;
  readonly clock: Clock;
  readonly metricsEveryMs?: number;
  readonly onFault: (error: unknown) => void;
}

export interface Backlog {
  readonly name: string;
  readonly unackedMessages: number;
  readonly oldestAgeMs: number | null;
}

export interface Otel {
  readonly listener: TelemetryListener;
  /** Does `work` within a span, and measures it. */
  batch(facts: BatchFacts, work: () => Promise<readonly Disposition[]>): Promise<readonly Disposition[]>;
  /** Asked with every export. */
  observe(backlog: () => readonly Backlog[] | null): void;
  /** Sends what is left; gives up after `withinMs`. Never rejects. */
  close(withinMs: number): Promise<void>;
}

const METRICS_EVERY_MS = 30_000;
const SPANS_EVERY_MS = 2_000;
const EXPORT_WITHIN_MS = 5_000;
const FAULTS_EVERY_MS = 60_000;

export function openOtel(options: OtelOptions): Otel {
  const { service, version, installation, instance, clock, metricsEveryMs = METRICS_EVERY_MS } = options;
  const resource = resourceFromAttributes({
    'service.namespace': 'tributary',
    'service.name': service,
    'service.version': version,
    'service.instance.id': instance,
    'tributary.installation': installation,
  });
  const { metrics, spans } = exportersOf(options);
  const reader = new PeriodicExportingMetricReader({
    exporter: metrics,
    exportIntervalMillis: metricsEveryMs,
    exportTimeoutMillis: Math.min(EXPORT_WITHIN_MS, metricsEveryMs),
  });
  const meters = new MeterProvider({ resource, readers: [reader] });
  const ids = new GivenTraces();
  const tracers = new TracerProvider({
    resource,
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor({ exporter: spans, scheduledDelayMillis: SPANS_EVERY_MS })],
  });
  const meter = meters.getMeter('tributary', version);
  const instruments = instrumentsOf(meter);
  const age = instruments.times('message.age', "How long a batch's oldest message has waited: the backlog's age.");
  const tracer = tracers.getTracer('tributary', version);
  observeMemory(meter);
  return {
    listener: metricsListener(instruments),
    batch: (facts, work) => {
      const { service: by, subscription, lane } = facts;
      age.record(facts.oldestAgeMs, { service: by, subscription, lane });
      return spanOf(tracer, ids, facts, work);
    },
    observe: (backlog) => observeBacklog(meter, backlog),
    close: (withinMs) => {
      const closing = Promise.allSettled([meters.shutdown(), tracers.shutdown()]);
      return new Promise((resolve) => {
        const cancel = clock.after(withinMs, resolve);
        void closing.then(() => {
          cancel();
          resolve();
        });
      });
    },
  };
}

type Meter = ReturnType<MeterProvider['getMeter']>;

function observeMemory(meter: Meter): void {
  const memory = meter.createObservableGauge('process.memory.usage', { unit: 'By', description: 'Resident memory.' });
  memory.addCallback((result) => result.observe(process.memoryUsage.rss()));
}

function observeBacklog(meter: Meter, backlog: () => readonly Backlog[] | null): void {
  const messages = meter.createObservableGauge('tributary.backlog.messages', { description: 'Messages that wait.' });
  const oldest = meter.createObservableGauge('tributary.backlog.age', { unit: 'ms', description: 'Of the oldest.' });
  meter.addBatchObservableCallback(
    (result) => {
      for (const { name: subscription, unackedMessages, oldestAgeMs } of backlog() ?? []) {
        result.observe(messages, unackedMessages, { subscription });
        result.observe(oldest, oldestAgeMs ?? 0, { subscription });
      }
    },
    [messages, oldest],
  );
}

function exportersOf({ endpoint, clock, onFault }: OtelOptions) {
  let toldMs = Number.NEGATIVE_INFINITY;
  const fault = (error: unknown): void => {
    if (clock.monotonicMs() - toldMs < FAULTS_EVERY_MS) return;
    toldMs = clock.monotonicMs();
    onFault(error);
  };
  const base = endpoint.replace(/\/+$/, '');
  const timeoutMillis = EXPORT_WITHIN_MS;
  return {
    metrics: telling(new OTLPMetricExporter({ url: `${base}/v1/metrics`, timeoutMillis }), fault),
    spans: telling(new OTLPTraceExporter({ url: `${base}/v1/traces`, timeoutMillis }), fault),
  };
}

type Done = (result: { code: number; error?: Error }) => void;

/** The SDK tells failures only to its own logger, of which there is one a process. */
function telling<I, E extends { export(items: I, done: Done): void }>(exporter: E, fault: (error: unknown) => void): E {
  const send = exporter.export.bind(exporter);
  exporter.export = (items: I, done: Done) =>
    send(items, (result) => {
      if (result.code !== 0) fault(result.error ?? new Error('The collector refused.'));
      done(result);
    });
  return exporter;
}
