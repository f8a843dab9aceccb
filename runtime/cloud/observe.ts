/** What is seen of a process from outside: metrics and spans by OTLP where a collector is configured, traces in log lines always. */
import type { Otel } from '#adapters/telemetry/otel/index.ts';
import { systemClock } from '#adapters/clock/system.ts';
import { MICROS_PER_MS } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { BatchHandler, BrokerPort, Delivered, SubscriptionSpec } from '#core/ports/broker.ts';
import type { TelemetryHub } from '#core/telemetry.ts';
import type { RuntimeConfig } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { traceReader, type Traces } from './traces.ts';

export interface ObserveOptions {
  readonly config: RuntimeConfig;
  readonly names: readonly string[];
  readonly version: string;
  readonly instance: string;
  readonly telemetry: TelemetryHub;
  readonly lifecycle: Lifecycle;
}

const CLOSE_WITHIN_MS = 1_200;

/** Undefined where none is configured: then nothing of OpenTelemetry is loaded. To be called first, so that it is closed last. */
export async function observe(options: ObserveOptions): Promise<Otel | undefined> {
  const { config, names, version, instance, telemetry, lifecycle } = options;
  const endpoint = config['otel.endpoint'];
  if (endpoint === null) return undefined;
  const { openOtel } = await import('#adapters/telemetry/otel/index.ts');
  const otel = openOtel({
    endpoint,
    service: names.join('+'),
    version,
    installation: config.installation,
    instance,
    clock: systemClock,
    onFault: (error) =>
      telemetry.emit('faultSeen', { service: 'runtime', code: 'telemetry_lost', message: messageOf(error) }),
  });
  telemetry.listen(otel.listener);
  lifecycle.onStop('otel', () => otel.close(CLOSE_WITHIN_MS));
  return otel;
}

/** The broker, with each batch handled under its trace and, if there is a collector, within a span. */
export function observedBroker(broker: BrokerPort, traces: Traces, otel: Otel | undefined): BrokerPort {
  const tracesOf = traceReader();
  return {
    publish: (topic, messages, survives) => broker.publish(topic, messages, survives),
    consume: (spec, handler) => broker.consume(spec, observed(spec, handler, { tracesOf, traces, otel })),
    seek: (subscription, time) => broker.seek(subscription, time),
    ensure: (topics, subscriptions) => broker.ensure(topics, subscriptions),
  };
}

interface Observing {
  readonly tracesOf: ReturnType<typeof traceReader>;
  readonly traces: Traces;
  readonly otel: Otel | undefined;
}

function observed(spec: SubscriptionSpec, handler: BatchHandler, { tracesOf, traces, otel }: Observing): BatchHandler {
  return (batch, signal) => {
    const found = tracesOf(batch);
    const work = (): ReturnType<BatchHandler> => handler(batch, signal);
    return traces.during(found[0], () => {
      if (otel === undefined) return work();
      const { service, name: subscription, topic, lane } = spec;
      const oldestAgeMs = ageMs(batch);
      return otel.batch(
        { service, subscription, topic, lane, messages: batch.length, oldestAgeMs, traces: found },
        work,
      );
    });
  };
}

function ageMs(batch: readonly Delivered[]): number {
  const oldest = batch.reduce(
    (least, { publishedAt }) => Math.min(least, publishedAt.getTime()),
    Number.POSITIVE_INFINITY,
  );
  return Math.max(0, Math.round(systemClock.nowMicros() / MICROS_PER_MS - oldest));
}
