/**
 * A service is a value. Its declared half says what it is (topics, routes, schedules, leases, commands, configuration):
 * from it the embedded runtime wires itself, the cloud gets its topology and `tributary topology` draws its map. Its
 * `start` gives the living half, which must answer for all that was declared: forgetting a handler does not compile.
 */
import type { Clock, Random } from './clock.ts';
import type { Codec } from './codec.ts';
import type { ConfigOf, ConfigSpec } from './config.ts';
import type { Fact, OpsEntity } from './facts.ts';
import type { BatchHandler, Flow, Message, Survives } from './ports/broker.ts';
import type { ObjectsPort } from './ports/objects.ts';
import type { StorePort } from './ports/store.ts';
import type { VendorPort } from './ports/vendor.ts';
import type { WarehousePort } from './ports/warehouse.ts';
import type { Route, RouteHandler } from './ports/web.ts';
import type { Telemetry } from './telemetry.ts';
import type { Topic } from './topics.ts';

/** What a service may ask for by name; publishing and consuming are always given, and only as declared. */
export interface Ports {
  readonly store: StorePort;
  readonly objects: ObjectsPort;
  readonly vendor: VendorPort;
  readonly warehouse: WarehousePort;
}

/** Each becomes two subscriptions, one a lane. */
export interface Subscribes {
  readonly topic: Topic;
  readonly sharing: 'shared' | 'broadcast';
  readonly ackDeadlineSeconds: number;
  readonly flow: Flow;
}

export interface Schedule {
  /** From the end of one run to the start of the next. */
  readonly everySeconds: number;
  readonly doc: string;
}

export interface CommandSpec {
  readonly doc: string;
  /** Argument name → what it means; `required` ones first. */
  readonly arguments: Readonly<Record<string, { readonly doc: string; readonly required: boolean }>>;
}

export interface Declared {
  readonly name: string;
  readonly doc: string;
  /** The source whose configuration switches it on; null: always on. */
  readonly source: string | null;
  readonly uses: readonly (keyof Ports)[];
  readonly publishes: readonly Topic[];
  readonly subscribes: Readonly<Record<string, Subscribes>>;
  readonly routes: Readonly<Record<string, Route>>;
  readonly schedules: Readonly<Record<string, Schedule>>;
  /** Long work that runs in one instance at a time, each under a lease of its own. */
  readonly singletons: Readonly<Record<string, { readonly doc: string }>>;
  /** One instance of the whole service at a time: its subscriptions are consumed only under the lease. */
  readonly underLease: boolean;
  readonly commands: Readonly<Record<string, CommandSpec>>;
  readonly config: ConfigSpec;
}

export interface Context<D extends Declared> {
  readonly ports: Pick<Ports, D['uses'][number]>;
  readonly config: ConfigOf<D['config']>;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  /** Names this installation in facts. */
  readonly installation: string;
  /** The lease's epoch if the service runs under one, else 0. */
  readonly leaseEpoch: number;
  /** Aborted when the service must stop. */
  readonly signal: AbortSignal;
  publish(topic: D['publishes'][number], messages: readonly Message[], survives: Survives): Promise<void>;
  /** Publishes a fact to `ops.event`. */
  record<E extends OpsEntity>(fact: Fact<E>): Promise<void>;
  /**
   * Does `work` while no other process of this installation, and nothing else in this one, does what this service calls
   * `name`; waits until then. `work`'s signal is aborted with `signal`, and when it can no longer be known that none does.
   */
  exclusively<T>(name: string, signal: AbortSignal, work: (held: AbortSignal) => Promise<T>): Promise<T>;
}

export type CommandArguments = Readonly<Record<string, string | undefined>>;

/** Progress of long work, for whoever watches. `total` is null until known. */
export type Progress = (done: number, total: number | null, what: string) => void;

/** What a command answers, as JSON. */
export type CommandResult = Readonly<Record<string, unknown>>;

export type Command = (args: CommandArguments, progress: Progress, signal: AbortSignal) => Promise<CommandResult>;

export interface Living<D extends Declared> {
  readonly handlers: { readonly [K in keyof D['subscribes']]: BatchHandler };
  readonly routes: { readonly [K in keyof D['routes']]: RouteHandler };
  readonly schedules: { readonly [K in keyof D['schedules']]: (signal: AbortSignal) => Promise<void> };
  /** Called under the lease; called again, with back-off, when it throws `Transient` or ends early. */
  readonly singletons: { readonly [K in keyof D['singletons']]: (signal: AbortSignal) => Promise<void> };
  readonly commands: { readonly [K in keyof D['commands']]: Command };
  /** Whether the dependency that was down answers again; rejects while it does not. */
  readonly probe?: () => Promise<void>;
  /** Work that is under way inside the service and not visible as unacked messages (a linger, a first backfill). */
  readonly busy?: () => boolean;
  /** Called after the consumers were drained. */
  readonly stop?: () => Promise<void>;
}

export interface Service<D extends Declared = Declared> {
  readonly declared: D;
  start(context: Context<D>): Promise<Living<D>>;
}

/** A service whose own types are forgotten, as the runtime handles it. */
export interface AnyService {
  readonly declared: Declared;
  start(context: Context<Declared>): Promise<Living<Declared>>;
}

export function defineService<const D extends Declared>(
  declared: D,
  start: (context: Context<D>) => Promise<Living<D>>,
): Service<D> & AnyService {
  return { declared, start };
}

/** Flow for stages that only compute: large batches, nothing held long. */
export const COMPUTE_FLOW: Flow = {
  batchMessages: 1_000,
  batchBytes: 4_000_000,
  lingerMs: 0,
  outstandingMessages: 4_000,
  outstandingBytes: 32_000_000,
};
