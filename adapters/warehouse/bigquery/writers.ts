/** One writer for each table, made when its first row comes, and made anew when the table changed. */
import { BigQueryWriteClient } from '@google-cloud/bigquery-storage';
import { credentials } from '@grpc/grpc-js';
import type { RefusedRow, Row, Table } from '#core/ports/warehouse.ts';
import { columnsOf } from './columns.ts';
import { InsertWriter } from './insert-writer.ts';
import { storeDataset, type BigqueryOptions } from './options.ts';
import type { Rest } from './rest.ts';
import { storedTable } from './stored.ts';
import { TableWriter } from './table-writer.ts';

export interface Writer {
  readonly table: Table;
  upsert(rows: readonly Row[]): Promise<readonly RefusedRow[]>;
  close(): Promise<void>;
}

/** Longest silence after a write. The service answers in seconds even where it is slow. */
export const WRITE_TIMEOUT_MS = 60_000;

export type WritersOptions = BigqueryOptions & { readonly writeTimeoutMs: number };

export class Writers {
  readonly #options: WritersOptions;
  readonly #rest: Rest;
  readonly #writers = new Map<string, Writer>();
  #client: BigQueryWriteClient | undefined;
  #drained: Promise<unknown> = Promise.resolve();

  constructor(options: WritersOptions, rest: Rest) {
    this.#options = options;
    this.#rest = rest;
  }

  of(table: Table): Writer {
    const known = this.#writers.get(table.name);
    if (known !== undefined && isSame(known.table, table)) return known;
    // What is under way on the old one ends first: a connection keeps the columns it began with.
    const writer = this.#make(table, Promise.all([this.#drained, known?.close()]));
    this.#writers.set(table.name, writer);
    return writer;
  }

  #make(table: Table, drained: Promise<unknown>): Writer {
    const dataset = storeDataset(this.#options);
    if (this.#options.writes === 'insert-all') return new InsertWriter(table, this.#rest, dataset);
    const { projectId, clock, writeTimeoutMs, onFault } = this.#options;
    this.#client ??= openClient(this.#options);
    return new TableWriter({
      client: this.#client,
      path: `projects/${projectId}/datasets/${dataset}/tables/${table.name}`,
      table,
      clock,
      timeoutMs: writeTimeoutMs,
      after: drained.then(() => undefined),
      exists: async () => (await storedTable(this.#rest, dataset, table.name)) !== undefined,
      onFault: (error) => onFault?.({ message: `The connection for ${table.name} ended`, error }),
    });
  }

  /** Drains, so that every table is written with its present columns from now on. */
  async renew(): Promise<void> {
    const writers = [...this.#writers.values()];
    this.#writers.clear();
    this.#drained = Promise.all([this.#drained, ...writers.map((writer) => writer.close())]);
    await this.#drained;
  }

  async close(): Promise<void> {
    await this.renew();
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }
}

/** Another object may say the same of a table, and is no reason for another connection. */
function isSame(a: Table, b: Table): boolean {
  return a === b || said(a) === said(b);
}

function said(table: Table): string {
  return columnsOf(table)
    .map(({ name, type, nullable }) => `${name} ${type} ${nullable}`)
    .join();
}

/** After an outage a channel is tried again at intervals that would else grow to two minutes; a dead one is found in time. */
const CHANNEL = {
  'grpc.initial_reconnect_backoff_ms': 250,
  'grpc.max_reconnect_backoff_ms': 10_000,
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

/** Its own credentials: this client's auth library is another generation than that of Google's other clients. */
function openClient({ projectId, simulator }: BigqueryOptions): BigQueryWriteClient {
  if (simulator === undefined) return new BigQueryWriteClient({ projectId, ...CHANNEL });
  const { hostname, port } = new URL(`grpc://${simulator.grpcEndpoint}`);
  const sslCreds = credentials.createInsecure();
  return new BigQueryWriteClient({ projectId, apiEndpoint: hostname, port: Number(port), sslCreds, ...CHANNEL });
}
