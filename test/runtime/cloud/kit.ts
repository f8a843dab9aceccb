/** A service of the cloud runtime in this process, on adapters in a folder. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { defineService, type AnyService, type Declared, type Living } from '#core/service.ts';
import { TelemetryHub, type TelemetryName } from '#core/telemetry.ts';
import { cloudLifecycle, untilDone, aborted, type Done } from '#runtime/cloud/process.ts';
import { serve, type ServeOptions, type Serving } from '#runtime/cloud/serve.ts';
import { openTraces } from '#runtime/cloud/traces.ts';
import { parseSettings, type Values } from '#runtime/settings.ts';

const DECLARED: Declared = {
  name: 'tester',
  doc: 'Stands in for a service.',
  source: null,
  uses: [],
  publishes: [],
  subscribes: {},
  routes: {},
  schedules: {},
  singletons: {},
  underLease: false,
  commands: {},
  config: {},
};
const LIVING: Living<Declared> = { handlers: {}, routes: {}, schedules: {}, singletons: {}, commands: {} };

export function service(declared: Partial<Declared>, start: AnyService['start'] = async () => LIVING): AnyService {
  return defineService({ ...DECLARED, ...declared }, start);
}

export function living(parts: Partial<Living<Declared>>): Living<Declared> {
  return { ...LIVING, ...parts };
}

export interface Run {
  readonly seen: { readonly name: TelemetryName; readonly fields: Readonly<Record<string, unknown>> }[];
  readonly options: ServeOptions;
  /** Resolves when ready; rejects when it cannot be. */
  readonly serving: Promise<Serving>;
  /** As SIGTERM does. */
  terminate(): Promise<Done<undefined>>;
}

export function run(
  folder: string,
  services: readonly AnyService[],
  values: Values = {},
  part: ServeOptions['part'] = 'all',
): Run {
  const [telemetry, lifecycle, stopping] = [new TelemetryHub(), cloudLifecycle(), new AbortController()];
  const seen: Run['seen'] = [];
  telemetry.listen((name, fields) => void seen.push({ name, fields: fields as Readonly<Record<string, unknown>> }));
  const settings = parseSettings(services, { 'state.folder': folder, 'web.port': '0', ...values });
  const options = { settings, services, part, telemetry, lifecycle, traces: openTraces(), version: 'test' };
  const serving = serve(options, stopping.signal);
  serving.catch(() => undefined);
  const done = untilDone(() => serving.then(() => aborted(stopping.signal)), options, stopping.signal);
  done.catch(() => undefined);
  return {
    seen,
    options,
    serving,
    terminate: () => {
      stopping.abort(new Error('SIGTERM'));
      return done;
    },
  };
}

export interface SilentServer {
  readonly address: string;
  /** Resolves with the first connection. */
  readonly asked: Promise<void>;
  close(): Promise<void>;
}

/** Takes connections and says nothing, as a dependency that hangs does. */
export async function silentServer(): Promise<SilentServer> {
  const sockets = new Set<Socket>();
  const asked = Promise.withResolvers<void>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    asked.resolve();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    asked: asked.promise,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
