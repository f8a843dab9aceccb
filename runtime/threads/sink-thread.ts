/** The second thread: the sinks over the same broker file, and the warehouse, which answers the main thread's reads. */
import { parentPort, workerData } from 'node:worker_threads';
import { TABLES } from '#schemas/generated/tables.ts';
import { Misconfigured } from '#core/errors.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import { TelemetryHub, type TelemetryEvents, type TelemetryName } from '#core/telemetry.ts';
import { discoverServices } from '../discover.ts';
import { openGround } from '../ground.ts';
import { ServiceHost } from '../host.ts';
import { Lifecycle } from '../lifecycle.ts';
import { parseSettings } from '../settings.ts';
import { startHosts } from '../start-hosts.ts';
import { serialize } from './errors.ts';
import type { FromSink, ReadRequest, SinkThreadData, ToSink } from './protocol.ts';
import { isSink } from './sinks.ts';

const TELL_EVERY_MS = 25;

async function run(
  tell: (message: FromSink) => void,
  onMessage: (listener: (message: ToSink) => void) => void,
): Promise<void> {
  const lifecycle = new Lifecycle();
  const telemetry = new TelemetryHub();
  const { values } = workerData as SinkThreadData;
  const settings = parseSettings(await discoverServices(), values);
  const sinks = { ...settings, services: settings.services.filter(({ service }) => isSink(service.declared)) };
  const ground = await openGround({ settings: sinks, telemetry, provision: true }, lifecycle);
  const hosts = sinks.services.map(({ service, config }) => new ServiceHost(service, config, ground.hostPorts));
  const forwarding = forward(telemetry, hosts, tell);
  await startHosts(hosts, lifecycle);
  const reads = new Reads(ground.warehouse, tell);
  onMessage((message) => {
    if (message.kind !== 'stop') return reads.handle(message);
    void lifecycle
      .stop()
      .then(() => null, serialize)
      .then((error) => {
        forwarding.flush();
        clearInterval(forwarding.timer);
        tell({ kind: 'stopped', error });
        parentPort?.close();
      });
  });
  forwarding.flush();
  tell({ kind: 'started' });
}

/** Telemetry and the hosts' states leave in bundles: a message a batch would cost more than the batch's bookkeeping. */
function forward(
  telemetry: TelemetryHub,
  hosts: readonly ServiceHost[],
  tell: (message: FromSink) => void,
): { readonly timer: NodeJS.Timeout; flush(): void } {
  let events: [TelemetryName, TelemetryEvents[TelemetryName]][] = [];
  let known = '';
  telemetry.listen((name, fields) => void events.push([name, fields]));
  const flush = (): void => {
    if (events.length > 0) tell({ kind: 'telemetry', events });
    events = [];
    const states = hosts.map(({ declared, state, busy }) => ({ name: declared.name, state, busy }));
    if (JSON.stringify(states) === known) return;
    known = JSON.stringify(states);
    tell({ kind: 'hosts', hosts: states });
  };
  return { timer: setInterval(flush, TELL_EVERY_MS), flush };
}

class Reads {
  readonly #warehouse: WarehousePort;
  readonly #tell: (message: FromSink) => void;
  readonly #open = new Map<number, AsyncIterator<unknown>>();

  constructor(warehouse: WarehousePort, tell: (message: FromSink) => void) {
    this.#warehouse = warehouse;
    this.#tell = tell;
  }

  handle(message: Exclude<ToSink, { kind: 'stop' }>): void {
    if (message.kind === 'read') this.#open.set(message.id, this.#iterate(message.request)[Symbol.asyncIterator]());
    const iterator = this.#open.get(message.id);
    if (iterator === undefined) return;
    if (message.kind === 'cancel') {
      this.#open.delete(message.id);
      void iterator.return?.();
    } else void this.#next(message.id, iterator);
  }

  async #next(id: number, iterator: AsyncIterator<unknown>): Promise<void> {
    try {
      const result = await iterator.next();
      if (result.done === true) this.#finish(id, { kind: 'end', id });
      else this.#tell({ kind: 'chunk', id, chunk: result.value });
    } catch (error) {
      this.#finish(id, { kind: 'failed', id, error: serialize(error) });
    }
  }

  #finish(id: number, last: FromSink): void {
    this.#open.delete(id);
    this.#tell(last);
  }

  #iterate(request: ReadRequest): AsyncIterable<unknown> {
    if (request.kind === 'query') return this.#warehouse.query(request.sql, request.limits);
    const table = Object.values(TABLES).find(({ name }) => name === request.table);
    if (table === undefined) throw new Misconfigured('unknown_table', `There is no table ${request.table}.`);
    return this.#warehouse.liveIds(table, request.object, request.beforeSequence);
  }
}

const port = parentPort;
if (port !== null)
  await run(
    (message) => port.postMessage(message),
    (listen) => void port.on('message', listen),
  );
