/** What the tests of this service stand on: its ports in memory, and the service started with them. */
import { Codec, type RawEvent } from '#core/codec.ts';
import { parseConfig } from '#core/config.ts';
import { DependencyDown, Transient } from '#core/errors.ts';
import type { Fact, OpsEntity } from '#core/facts.ts';
import type { Message } from '#core/ports/broker.ts';
import type { StorePort } from '#core/ports/store.ts';
import type { VendorPort } from '#core/ports/vendor.ts';
import type { WebResponse } from '#core/ports/web.ts';
import type { Living } from '#core/service.ts';
import { TelemetryHub, type TelemetryEvents, type TelemetryName } from '#core/telemetry.ts';
import { compareVersions } from '#core/version.ts';
import { CONFIG } from '#services/ingest-dialpad/config.ts';
import { DECLARED, type DialpadContext } from '#services/ingest-dialpad/declared.ts';
import service from '#services/ingest-dialpad/service.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock, type VirtualClock } from '#test/kit/virtual-clock.ts';
import { CompactSign } from 'jose';

export const SECRET = 'a-secret-of-at-least-thirty-two-bytes';

export interface Emitted {
  readonly name: TelemetryName;
  readonly fields: TelemetryEvents[TelemetryName];
}

export interface Bench {
  readonly clock: VirtualClock;
  readonly context: DialpadContext;
  readonly living: Living<typeof DECLARED>;
  /** What is durably published, in order. */
  readonly published: RawEvent[];
  readonly runs: Fact<'run'>[];
  readonly emitted: Emitted[];
  /** The broker is away while this is true. */
  isBrokerDown: boolean;
  push(body: string | Uint8Array): Promise<WebResponse>;
  /** The rows after all that was published: the newest version of each key. */
  rows(): Map<string, RawEvent>;
}

export interface BenchOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly vendor?: VendorPort;
  readonly store?: StorePort;
  readonly clock?: VirtualClock;
  /** What a publish waits for. */
  readonly beforePublish?: () => Promise<void>;
}

const codec = new Codec();

export async function bench(options: BenchOptions = {}): Promise<Bench> {
  const parsed = parseConfig(CONFIG, {
    'dialpad.companyId': 'acme',
    'dialpad.apiKey': 'key-1',
    'dialpad.webhookSecrets': SECRET,
    ...options.config,
  });
  if (!parsed.ok) throw new Error(parsed.faults.join('\n'));
  const clock = options.clock ?? virtualClock();
  const telemetry = new TelemetryHub();
  const made = {
    isBrokerDown: false,
    published: [] as RawEvent[],
    runs: [] as Fact<'run'>[],
    emitted: [] as Emitted[],
  };
  telemetry.listen((name, fields) => made.emitted.push({ name, fields }));
  const context: DialpadContext = {
    ports: { store: options.store ?? memoryStore(), vendor: options.vendor ?? noVendor },
    config: parsed.config,
    codec,
    clock,
    random: seededRandom(1),
    telemetry,
    installation: 'test',
    leaseEpoch: 0,
    signal: new AbortController().signal,
    publish: async (_topic, messages: readonly Message[], survives) => {
      await options.beforePublish?.();
      if (made.isBrokerDown) throw new DependencyDown('broker', 'The broker is away.');
      if (survives !== 'power') throw new Error('What is acked to the outside must survive power loss.');
      for (const message of messages) made.published.push(codec.decodeRaw('dialpad', message));
    },
    exclusively: (_name, signal, work) => work(signal),
    record: async <E extends OpsEntity>(fact: Fact<E>) => {
      made.runs.push(fact as Fact<'run'>);
    },
  };
  const living = await service.start(context);
  return Object.assign(made, {
    clock,
    context,
    living,
    push: (body: string | Uint8Array) =>
      living.routes.calls(
        { method: 'POST', path: DECLARED.routes.calls.path, headers: {}, body: Buffer.from(body) },
        context.signal,
      ),
    rows: () => rowsOf(made.published),
  });
}

export function rowsOf(events: readonly RawEvent[]): Map<string, RawEvent> {
  const rows = new Map<string, RawEvent>();
  for (const event of events) {
    const key = `${event.envelope.object}/${event.envelope.id}`;
    const held = rows.get(key);
    if (held === undefined || compareVersions(event.envelope.version, held.envelope.version) > 0) rows.set(key, event);
  }
  return rows;
}

export function recordOf(event: RawEvent | undefined): Record<string, unknown> {
  return JSON.parse(event?.record ?? 'null') as Record<string, unknown>;
}

export function signed(payload: string | Uint8Array, secret = SECRET): Promise<string> {
  const key = new TextEncoder().encode(secret);
  return new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key);
}

export function memoryStore(): StorePort {
  const values = new Map<string, { value: string; generation: string }>();
  let last = 0;
  return {
    get: async (key) => values.get(key),
    put: async (key, value, ifGeneration) => {
      if ((values.get(key)?.generation ?? null) !== ifGeneration) return undefined;
      const generation = String((last += 1));
      values.set(key, { value, generation });
      return generation;
    },
    delete: async (key, ifGeneration) => values.get(key)?.generation === ifGeneration && values.delete(key),
    list: async (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)),
  };
}

const noVendor: VendorPort = {
  request: () => Promise.reject(new Error('This test has no vendor.')),
  call: () => Promise.reject(new Error('Dialpad has no RPCs.')),
  stream: () => {
    throw new Error('Dialpad has no RPCs.');
  },
};

/** The vendor over plain HTTP; `sent` keeps what was asked. A cut or short body is `Transient`, as the port promises. */
export function httpVendor(clock: { nowMicros(): number }): VendorPort & { readonly sent: string[] } {
  const sent: string[] = [];
  return {
    ...noVendor,
    sent,
    async request(request) {
      const issuedMicros = clock.nowMicros();
      const { pathname, search } = new URL(request.url);
      sent.push(`${request.method} ${pathname}${search}`);
      try {
        const response = await fetch(request.url, { method: request.method, headers: { ...request.headers } });
        const body = new Blob([await response.bytes()]).stream() as VendorBody;
        return { status: response.status, headers: Object.fromEntries(response.headers), body, issuedMicros };
      } catch (cause) {
        throw new Transient('no_answer', 'There was no complete answer.', { cause });
      }
    },
  };
}

type VendorBody = Awaited<ReturnType<VendorPort['request']>>['body'];
