/** An OpenTelemetry collector on loopback that keeps what it is sent (OTLP over HTTP, JSON). */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Span {
  readonly name: string;
  readonly traceId: string;
  readonly links: readonly { readonly traceId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code?: number; readonly message?: string };
}

export interface Point {
  readonly metric: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Of a histogram its sum. */
  readonly value: number;
  readonly count: number;
}

export interface Collector {
  readonly endpoint: string;
  readonly spans: Span[];
  /** The last export's: sums are cumulative. */
  points(metric: string): readonly Point[];
  readonly resources: Readonly<Record<string, unknown>>[];
  /** Answered instead of 200. */
  status: number;
  close(): Promise<void>;
}

interface Json {
  readonly [name: string]: unknown;
}

export async function startCollector(): Promise<Collector> {
  const spans: Span[] = [];
  const resources: Readonly<Record<string, unknown>>[] = [];
  let points: readonly Point[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      response.writeHead(collector.status).end('{}');
      if (collector.status !== 200) return;
      const body = JSON.parse(Buffer.concat(parts).toString()) as Json;
      if (request.url === '/v1/traces')
        for (const each of list(body['resourceSpans'])) {
          resources.push(attributesOf((each['resource'] as Json)['attributes']));
          for (const scope of list(each['scopeSpans'])) spans.push(...list(scope['spans']).map(spanFrom));
        }
      if (request.url === '/v1/metrics')
        points = list(body['resourceMetrics'])
          .flatMap((each) => list(each['scopeMetrics']))
          .flatMap((scope) => list(scope['metrics']))
          .flatMap(pointsFrom);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const collector: Collector = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    resources,
    points: (metric) => points.filter((point) => point.metric === metric),
    status: 200,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return collector;
}

function list(value: unknown): readonly Json[] {
  return (value ?? []) as readonly Json[];
}

function attributesOf(value: unknown): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    list(value).map(({ key, value: inner }) => [key as string, plain(Object.values(inner as Json)[0])]),
  );
}

/** Whole numbers may be written as text. */
function plain(value: unknown): unknown {
  return typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

function spanFrom(span: Json): Span {
  return {
    name: span['name'] as string,
    traceId: span['traceId'] as string,
    links: list(span['links']) as unknown as Span['links'],
    attributes: attributesOf(span['attributes']),
    status: span['status'] as Span['status'],
  };
}

function pointsFrom({ name, sum, gauge, histogram }: Json): readonly Point[] {
  const data = (sum ?? gauge ?? histogram) as Json;
  return list(data['dataPoints']).map((point) => ({
    metric: name as string,
    attributes: attributesOf(point['attributes']),
    value: Number(point['asInt'] ?? point['asDouble'] ?? point['sum']),
    count: Number(point['count'] ?? 1),
  }));
}
