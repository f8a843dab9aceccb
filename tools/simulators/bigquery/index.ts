/**
 * Google BigQuery on loopback: the Storage Write API over gRPC and REST v2, with the rows in DuckDB. Written from Google's
 * documents. It asks for no credentials, knows every project, and is one location wide.
 */
import { TableAdmin } from './catalog/admin.ts';
import { mountControl } from './control.ts';
import { Faults } from './faults.ts';
import { Jobs } from './rest/jobs.ts';
import { startRest } from './rest/server.ts';
import { Engine } from './sql/engine.ts';
import { StatementRunner } from './sql/run.ts';
import { Store } from './store/store.ts';
import { startWriteServer } from './write/server.ts';
import { Streams } from './write/streams.ts';

export interface BigquerySimulatorOptions {
  /** A DuckDB file that keeps tables and rows for the next start; without it they are in memory and gone at the end. */
  readonly file?: string;
  /** 0, the usual: any free port. */
  readonly restPort?: number;
  readonly grpcPort?: number;
  /** DuckDB's memory, in its notation; default 512MB. What does not fit spills to a temporary folder. */
  readonly memoryLimit?: string;
  readonly threads?: number;
  /** Milliseconds since 1970; default the machine's clock. Staleness, deletes, insert ids and delays go by it. */
  readonly nowMs?: () => number;
}

export interface BigquerySimulator {
  /** For a client's `apiEndpoint`: `http://127.0.0.1:<port>`. */
  readonly restUrl: string;
  /** `127.0.0.1:<port>`, without TLS. */
  readonly grpcEndpoint: string;
  readonly faults: Faults;
  /** Moves the simulator's clock forward. */
  advance(ms: number): void;
  /** Open AppendRows connections. */
  connections(): number;
  stop(): Promise<void>;
}

export async function startBigquerySimulator(options: BigquerySimulatorOptions = {}): Promise<BigquerySimulator> {
  const { file, restPort = 0, grpcPort = 0, memoryLimit = '512MB', threads = 2 } = options;
  const clock = options.nowMs ?? Date.now;
  let advancedMs = 0;
  const nowMs = () => clock() + advancedMs;
  const advance = (ms: number) => void (advancedMs += ms);
  const faults = new Faults();
  const store = await Store.open({ file: file ?? null, memoryLimit, threads }, nowMs);
  const engine = new Engine(store, nowMs);
  const noParameter = () => 'NULL';
  const admin = new TableAdmin(store, nowMs, (sql, ref) =>
    engine.describe({ sql, defaults: { projectId: ref.projectId, datasetId: null }, parameter: noParameter }),
  );
  const parts = { store, admin, faults, nowMs };
  const jobs = new Jobs(engine, new StatementRunner(store, admin, nowMs), nowMs);
  const writes = await startWriteServer({ store, streams: new Streams(), faults, nowMs }, grpcPort);
  const state = () => ({ nowMs: nowMs(), connections: writes.connections(), switches: faults.switches });
  const rest = await startRest(parts, jobs, (app) => mountControl(app, { faults, advance, state }), restPort);
  return {
    restUrl: rest.url,
    grpcEndpoint: writes.endpoint,
    faults,
    advance,
    connections: () => writes.connections(),
    async stop() {
      await Promise.all([rest.close(), writes.close()]);
      jobs.close();
      await store.close();
    },
  };
}
