/**
 * What the DuckDB adapter alone can take: first sync, then an update of every row in random key order, then live batches.
 *
 *     node tools/bench/duckdb.ts [rows] [rows per upsert]
 *
 * Rows are contacts (12 system and the entity's own columns). Nothing else may run on the machine. The upsert latency is
 * what a caller waits, checkpoints included.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { systemClock } from '#adapters/clock/system.ts';
import { openDuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import type { Row, Table, WarehousePort } from '#core/ports/warehouse.ts';
import { TABLES } from '#schemas/generated/tables.ts';

export interface DuckdbFigures {
  readonly rows: number;
  readonly columns: number;
  readonly rowsPerUpsert: number;
  readonly append: PassFigures;
  readonly update: PassFigures;
  /** Fifty rows an upsert, of keys that are there. */
  readonly live: PassFigures;
  readonly reopenMs: number;
  readonly peakMemoryBytes: number;
}

export interface PassFigures {
  readonly rowsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  /** Of all threads: tells more than the rate where other work shares the machine. */
  readonly cpuMicrosPerRow: number;
  readonly memoryBytes: number;
  readonly heapBytes: number;
}

const TABLE: Table = TABLES.contact;
const LIVE_ROWS = 50;
const LIVE_UPSERTS = 200;

export async function benchDuckdb(rows: number, rowsPerUpsert: number): Promise<DuckdbFigures> {
  const folder = await mkdtemp(join(tmpdir(), 'tributary-bench-'));
  const options = { path: join(folder, 'warehouse.duckdb'), clock: systemClock };
  try {
    const warehouse = await openDuckdbWarehouse(options);
    await warehouse.apply([TABLE], []);
    const inOrder = Array.from({ length: rows }, (_, index) => index);
    const append = await pass(warehouse, inOrder, rowsPerUpsert, 0);
    const update = await pass(warehouse, shuffled(inOrder), rowsPerUpsert, 1);
    const live = await pass(warehouse, shuffled(inOrder).slice(0, LIVE_ROWS * LIVE_UPSERTS), LIVE_ROWS, 2);
    await warehouse.close();
    const reopenMs = await reopened(options);
    return {
      rows,
      columns: 12 + TABLE.columns.length,
      rowsPerUpsert,
      append,
      update,
      live,
      reopenMs,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function pass(
  warehouse: WarehousePort,
  order: readonly number[],
  size: number,
  generation: number,
): Promise<PassFigures> {
  const latencies: number[] = [];
  let cpuMicros = 0;
  for (let from = 0; from < order.length; from += size) {
    const batch = order.slice(from, from + size).map((index) => contact(index, generation));
    const start = performance.now();
    const before = process.cpuUsage();
    const refused = await warehouse.upsert(TABLE, batch);
    const { user, system } = process.cpuUsage(before);
    cpuMicros += user + system;
    latencies.push(performance.now() - start);
    if (refused.length > 0) throw new Error(`Refused: ${refused[0]?.reason}`);
  }
  const total = latencies.reduce((sum, ms) => sum + ms, 0);
  const sorted = latencies.sort((a, b) => a - b);
  const quantile = (share: number): number => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
  return {
    rowsPerSecond: Math.round((order.length / total) * 1_000),
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    worstMs: quantile(1),
    cpuMicrosPerRow: Math.round((cpuMicros / order.length) * 10) / 10,
    memoryBytes: process.memoryUsage().rss,
    heapBytes: process.memoryUsage().heapTotal,
  };
}

/** Until the first upsert after a start is durable: opening, and reading the keys. */
async function reopened(options: Parameters<typeof openDuckdbWarehouse>[0]): Promise<number> {
  const start = performance.now();
  const warehouse = await openDuckdbWarehouse(options);
  await warehouse.upsert(TABLE, [contact(0, 3)]);
  const ms = Math.round(performance.now() - start);
  await warehouse.close();
  return ms;
}

function contact(index: number, generation: number): Row {
  const phone = `+1213555${String(index % 10_000).padStart(4, '0')}`;
  const given: Record<string, unknown> = {
    account_id: `001500000${String(index >> 3).padStart(9, '0')}`,
    owner_id: `005500000${String(index % 100).padStart(9, '0')}`,
    first_name: 'Christina',
    last_name: `Featherstone ${index}`,
    name: `Christina Featherstone ${index}`,
    title: 'VP of Sales',
    department: 'Sales',
    email: `christina.${index}@northwind${index % 1_000}.example.com`,
    email_valid: true,
    phone,
    mobile_phone: phone,
    phones: JSON.stringify([
      { kind: 'phone', value: phone, extension: null, country: 'US', reason: 'record', valid: true },
      { kind: 'mobile', value: phone, extension: null, country: 'US', reason: 'record', valid: true },
    ]),
    mailing_street: `${index} Long Meadow Street`,
    mailing_city: 'Springfield',
    mailing_state: 'IL',
    mailing_postal_code: '62704',
    mailing_country: 'United States',
    lead_source: 'Web',
    email_opt_out: false,
    created_at: 1_767_600_000_000_000 + index,
    modified_at: 1_767_600_000_000_000 + index + generation,
  };
  return {
    key: { source: 'salesforce', instance: '00D000000000001', object: 'Contact', id: contactId(index) },
    version: {
      epoch: 0,
      sourceSequence: 1_767_600_000_000_000 + index,
      issuedMicros: 1_767_700_000_000_000,
      generation,
    },
    deleted: false,
    observedAtMicros: 1_767_700_000_000_000 + generation,
    runId: 'run-1',
    trace: '4bf92f3577b34da6a3ce929d0e0e4736',
    values: Object.fromEntries(TABLE.columns.map(({ name }) => [name, given[name] ?? null])),
  };
}

function contactId(index: number): string {
  return `003500000${String(index).padStart(9, '0')}`;
}

/** Always the same order, so that two runs compare. */
function shuffled(items: readonly number[]): number[] {
  const copy = [...items];
  let state = 1;
  for (let last = copy.length - 1; last > 0; last--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (last + 1);
    [copy[last], copy[other]] = [copy[other] as number, copy[last] as number];
  }
  return copy;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const figures = await benchDuckdb(Number(process.argv[2] ?? 600_000), Number(process.argv[3] ?? 5_000));
  console.log(JSON.stringify({ node: process.version, cores: cpus().length, ...figures }, null, 2));
}
