/** The adapter on the simulator, and what the simulator holds, asked for without the adapter. */
import { systemClock } from '#adapters/clock/system.ts';
import {
  openBigqueryWarehouse,
  type BigqueryOptions,
  type BigqueryWarehouse,
} from '#adapters/warehouse/bigquery/index.ts';
import type { Table } from '#core/ports/warehouse.ts';
import { startBigquerySimulator, type BigquerySimulator } from '#tools/simulators/bigquery/index.ts';

process.env['METADATA_SERVER_DETECTION'] = 'none';

export const PROJECT = 'acme-sales';
export const STORE = 'sales_intelligence_store';
const BASE = `/bigquery/v2/projects/${PROJECT}`;

export type Opening = Partial<BigqueryOptions> & { readonly writeTimeoutMs?: number };

export interface Kit {
  readonly simulator: BigquerySimulator;
  readonly warehouse: BigqueryWarehouse;
  /** Another one on the same simulator, e.g. another process, or the next release. */
  open(options?: Opening): Promise<BigqueryWarehouse>;
  /** Cells as REST gives them: text, or null. */
  ask(sql: string): Promise<(string | null)[][]>;
  resource(path: string): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

export const OPTIONS = {
  projectId: PROJECT,
  location: 'US',
  dataset: 'sales_intelligence',
  writes: 'storage-write',
  maxStalenessSeconds: 0,
  policyTag: null,
  clock: systemClock,
} as const;

export async function startKit(tables: readonly Table[], options: Opening = {}): Promise<Kit> {
  const simulator = await startBigquerySimulator();
  const opened: BigqueryWarehouse[] = [];
  const open = async (more: Opening = {}): Promise<BigqueryWarehouse> => {
    const warehouse = await openBigqueryWarehouse({ ...OPTIONS, simulator, ...options, ...more });
    opened.push(warehouse);
    return warehouse;
  };
  const warehouse = await open();
  await warehouse.apply(tables, []);
  return {
    simulator,
    warehouse,
    open,
    ask: (sql) => ask(simulator.restUrl, sql),
    resource: (path) => call(`${simulator.restUrl}${BASE}${path}`),
    async stop() {
      simulator.faults.clear();
      await Promise.all(opened.map((each) => each.close()));
      await simulator.stop();
    },
  };
}

async function ask(restUrl: string, sql: string): Promise<(string | null)[][]> {
  const body = { query: sql, useLegacySql: false, formatOptions: { useInt64Timestamp: true }, maxResults: 100_000 };
  const answer = await call(`${restUrl}${BASE}/queries`, body);
  const rows = (answer['rows'] ?? []) as readonly { readonly f: readonly { readonly v: string | null }[] }[];
  return rows.map(({ f }) => f.map(({ v }) => v));
}

async function call(url: string, body?: object): Promise<Record<string, unknown>> {
  const response = await fetch(url, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json' },
  });
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(JSON.stringify(answer));
  return answer;
}
