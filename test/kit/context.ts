/**
 * A context for one service without a runtime: what it publishes and records is kept in lists, store and objects are
 * maps (give the same ones to a second context to see a restart), and each port can be replaced.
 */
import { Codec } from '#core/codec.ts';
import { parseConfig } from '#core/config.ts';
import type { Clock, Random } from '#core/clock.ts';
import type { Fact, OpsEntity } from '#core/facts.ts';
import type { Message, Survives } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { StorePort } from '#core/ports/store.ts';
import type { VendorPort } from '#core/ports/vendor.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { Context, Declared } from '#core/service.ts';
import { TelemetryHub, type TelemetryEvents, type TelemetryName } from '#core/telemetry.ts';
import { seededRandom } from './random.ts';
import { virtualClock } from './virtual-clock.ts';

export interface Publish {
  readonly topic: string;
  readonly messages: readonly Message[];
  readonly survives: Survives;
}

export interface Told {
  readonly name: TelemetryName;
  readonly fields: TelemetryEvents[TelemetryName];
}

export interface FakeContextOptions {
  readonly config: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly store?: StorePort;
  readonly objects?: ObjectsPort;
  readonly vendor?: VendorPort;
  readonly warehouse?: WarehousePort;
  /** Called before a publish is taken: throw to have it fail, wait to have it take long. */
  readonly onPublish?: (publish: Publish) => Promise<void> | void;
}

export interface FakeContext<D extends Declared> {
  readonly context: Context<D>;
  readonly published: readonly Publish[];
  readonly facts: readonly Fact<OpsEntity>[];
  readonly told: readonly Told[];
  /** Messages published on a topic, in order. */
  readonly on: (topic: string) => readonly Message[];
  /** Aborts the context's signal. */
  readonly stop: () => void;
}

export function fakeContext<D extends Declared>(declared: D, options: FakeContextOptions): FakeContext<D> {
  const published: Publish[] = [];
  const facts: Fact<OpsEntity>[] = [];
  const told: Told[] = [];
  const telemetry = new TelemetryHub();
  telemetry.listen((name, fields) => void told.push({ name, fields }));
  const parsed = parseConfig(declared.config, options.config);
  if (!parsed.ok) throw new Error(parsed.faults.join('\n'));
  const stopping = new AbortController();
  const context: Context<Declared> = {
    ports: {
      store: options.store ?? memoryStore(),
      objects: options.objects ?? memoryObjects(),
      vendor: options.vendor ?? noVendor(),
      warehouse: options.warehouse ?? emptyWarehouse(),
    },
    config: parsed.config,
    codec: new Codec(),
    clock: options.clock ?? virtualClock(),
    random: options.random ?? seededRandom(1),
    telemetry,
    installation: 'test',
    leaseEpoch: 0,
    signal: stopping.signal,
    async publish(topic, messages, survives) {
      const publish = { topic, messages, survives };
      await options.onPublish?.(publish);
      published.push(publish);
    },
    async record(fact) {
      facts.push(fact);
    },
    exclusively: (_name, signal, work) => work(signal),
  };
  return {
    context: context,
    published,
    facts,
    told,
    on: (topic) => published.filter((publish) => publish.topic === topic).flatMap(({ messages }) => messages),
    stop: () => stopping.abort(new Error('stopped')),
  };
}

export function memoryStore(): StorePort {
  const values = new Map<string, { readonly value: string; readonly generation: string }>();
  let writes = 0;
  return {
    get: async (key) => values.get(key),
    async put(key, value, ifGeneration) {
      if ((values.get(key)?.generation ?? null) !== ifGeneration) return undefined;
      writes += 1;
      values.set(key, { value, generation: String(writes) });
      return String(writes);
    },
    async delete(key, ifGeneration) {
      return values.get(key)?.generation === ifGeneration && values.delete(key);
    },
    list: async (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}

export function memoryObjects(): ObjectsPort {
  const objects = new Map<string, Uint8Array>();
  return {
    put: async (name, bytes) => void objects.set(name, bytes.slice()),
    get: async (name) => objects.get(name),
    async *list(prefix) {
      yield* [...objects.keys()].filter((name) => name.startsWith(prefix)).sort();
    },
    delete: async (name) => void objects.delete(name),
  };
}

/** Holds nothing, or the ids given. */
export function emptyWarehouse(ids: readonly string[] = []): WarehousePort {
  const unused = (): never => {
    throw new Error('The warehouse is not used here.');
  };
  return {
    upsert: unused,
    plan: unused,
    apply: unused,
    query: unused,
    async *liveIds() {
      yield ids;
    },
  };
}

function noVendor(): VendorPort {
  const unused = (): never => {
    throw new Error('The vendor is not used here.');
  };
  return { request: unused, call: unused, stream: unused };
}
