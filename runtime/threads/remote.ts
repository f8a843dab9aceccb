/** The main thread's side of the sink thread: its hosts, its telemetry, and the warehouse's reads. */
import { Worker } from 'node:worker_threads';
import { Misconfigured } from '#core/errors.ts';
import type { RecordKey } from '#core/key.ts';
import type { QueryLimits, QueryRow, Table, WarehousePort } from '#core/ports/warehouse.ts';
import type { Declared } from '#core/service.ts';
import type { Telemetry } from '#core/telemetry.ts';
import type { HostView } from '../host.ts';
import type { Settings } from '../settings.ts';
import { revive } from './errors.ts';
import type { FromSink, HostState, ReadRequest, SinkThreadData, ToSink } from './protocol.ts';
import { isSink } from './sinks.ts';

/** Batches of rows live for less than a collection then: a tenth of the thread's time was spent on copying them. */
const YOUNG_GENERATION_MB = 96;

export interface SinkThread {
  readonly warehouse: WarehousePort;
  hosts(): readonly HostView[];
  stop(): Promise<void>;
}

/** Resolves when the sinks run. Throws what stopped the thread from starting. */
export async function startSinkThread(settings: Settings, telemetry: Telemetry): Promise<SinkThread> {
  const data: SinkThreadData = { values: settings.values };
  const worker = new Worker(new URL('./sink-thread.ts', import.meta.url), {
    workerData: data,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  const link = new Link(worker, telemetry);
  await link.started;
  const declared = settings.services.map(({ service }) => service.declared).filter(isSink);
  return {
    warehouse: new RemoteWarehouse(link),
    hosts: () => declared.map((one) => new RemoteHost(one, link)),
    stop: () => link.stop(),
  };
}

type Waiter = (message: Extract<FromSink, { readonly id: number }>) => void;

class Link {
  readonly started: Promise<void>;
  readonly states = new Map<string, HostState>();
  readonly #worker: Worker;
  readonly #stopped: Promise<void>;
  readonly #waiters = new Map<number, Waiter>();
  #lastId = 0;

  constructor(worker: Worker, telemetry: Telemetry) {
    this.#worker = worker;
    const [started, stopped] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    this.started = started.promise;
    this.#stopped = stopped.promise;
    this.#stopped.catch(() => undefined);
    worker.on('message', (message: FromSink) => {
      if (message.kind === 'started') started.resolve();
      else if (message.kind === 'hosts') message.hosts.forEach((host) => this.states.set(host.name, host));
      else if (message.kind === 'telemetry') message.events.forEach(([name, fields]) => telemetry.emit(name, fields));
      else if (message.kind === 'stopped') {
        if (message.error === null) stopped.resolve();
        else stopped.reject(revive(message.error));
      } else this.#waiters.get(message.id)?.(message);
    });
    worker.on('error', (error) => {
      started.reject(error);
      stopped.reject(error);
      telemetry.emit('faultSeen', {
        service: 'sink thread',
        code: 'thread_died',
        message: error instanceof Error ? error.message : String(error),
      });
    });
  }

  /** Reads chunk by chunk; leaving early cancels on the other side. */
  async *read(request: ReadRequest): AsyncGenerator<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    let isOver: boolean | undefined;
    try {
      for (let first = true; ; first = false) {
        const answer = await this.#ask(id, first ? { kind: 'read', id, request } : { kind: 'more', id });
        isOver = answer.kind !== 'chunk';
        if (answer.kind === 'failed') throw revive(answer.error);
        if (answer.kind === 'end') return;
        yield answer.chunk;
      }
    } finally {
      this.#waiters.delete(id);
      if (isOver !== true) this.#worker.postMessage({ kind: 'cancel', id } satisfies ToSink);
    }
  }

  async stop(): Promise<void> {
    this.#worker.postMessage({ kind: 'stop' } satisfies ToSink);
    await this.#stopped;
    await this.#worker.terminate();
  }

  #ask(id: number, message: ToSink): Promise<Extract<FromSink, { readonly id: number }>> {
    return new Promise((resolve) => {
      this.#waiters.set(id, resolve);
      this.#worker.postMessage(message);
    });
  }
}

class RemoteWarehouse implements WarehousePort {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  query(sql: string, limits: QueryLimits): AsyncIterable<readonly QueryRow[]> {
    return this.#link.read({ kind: 'query', sql, limits }) as AsyncIterable<readonly QueryRow[]>;
  }

  liveIds(table: Table, object: Omit<RecordKey, 'id'>, beforeSequence: number): AsyncIterable<readonly string[]> {
    return this.#link.read({ kind: 'liveIds', table: table.name, object, beforeSequence }) as AsyncIterable<
      readonly string[]
    >;
  }

  upsert(): Promise<never> {
    return Promise.reject(notHere());
  }

  plan(): Promise<never> {
    return Promise.reject(notHere());
  }

  apply(): Promise<never> {
    return Promise.reject(notHere());
  }
}

function notHere(): Misconfigured {
  return new Misconfigured('wrong_thread', 'The warehouse is written in the sink thread only.');
}

class RemoteHost implements HostView {
  readonly declared: Declared;
  readonly #link: Link;

  constructor(declared: Declared, link: Link) {
    this.declared = declared;
    this.#link = link;
  }

  get state(): HostView['state'] {
    return this.#link.states.get(this.declared.name)?.state ?? 'waiting';
  }

  get busy(): boolean {
    return this.#link.states.get(this.declared.name)?.busy ?? true;
  }

  get paused(): boolean {
    return this.state === 'paused';
  }

  command(name: string): Promise<never> {
    return Promise.reject(new Misconfigured('no_command', `${this.declared.name} has no command «${name}».`));
  }
}
