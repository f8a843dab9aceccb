/** One writer for each table, made when its first row comes, and made anew when the table changed. */
import { managedwriter } from '@google-cloud/bigquery-storage';
import { credentials } from '@grpc/grpc-js';
import type { RefusedRow, Row, Table } from '#core/ports/warehouse.ts';
import { InsertWriter } from './insert-writer.ts';
import { storeDataset, type BigqueryOptions } from './options.ts';
import type { Rest } from './rest.ts';
import { TableWriter } from './table-writer.ts';

export interface Writer {
  readonly table: Table;
  upsert(rows: readonly Row[]): Promise<readonly RefusedRow[]>;
  close(): Promise<void>;
}

export type WriterClient = InstanceType<typeof managedwriter.WriterClient>;

/** Longest silence after a write. The service answers in seconds even where it is slow. */
export const WRITE_TIMEOUT_MS = 60_000;

export class Writers {
  readonly #options: BigqueryOptions & { readonly writeTimeoutMs: number };
  readonly #rest: Rest;
  readonly #writers = new Map<string, Writer>();
  #client: WriterClient | undefined;

  constructor(options: BigqueryOptions & { readonly writeTimeoutMs: number }, rest: Rest) {
    this.#options = options;
    this.#rest = rest;
  }

  async of(table: Table): Promise<Writer> {
    const known = this.#writers.get(table.name);
    if (known?.table === table) return known;
    const writer = this.#make(table);
    this.#writers.set(table.name, writer);
    // What is under way on the old one ends first: a connection keeps the columns it began with.
    await known?.close();
    return writer;
  }

  #make(table: Table): Writer {
    const dataset = storeDataset(this.#options);
    if (this.#options.writes === 'insert-all') return new InsertWriter(table, this.#rest, dataset);
    const { projectId, clock, writeTimeoutMs } = this.#options;
    this.#client ??= openClient(this.#options);
    const path = `projects/${projectId}/datasets/${dataset}/tables/${table.name}`;
    return new TableWriter({ client: this.#client, path, table, clock, timeoutMs: writeTimeoutMs });
  }

  /** Drains, so that every table is written with its present columns from now on. */
  async renew(): Promise<void> {
    const writers = [...this.#writers.values()];
    this.#writers.clear();
    await Promise.all(writers.map((writer) => writer.close()));
  }

  async close(): Promise<void> {
    await this.renew();
    this.#client?.close();
    this.#client = undefined;
  }
}

/** Its own credentials: this client's auth library is another generation than that of Google's other clients. */
function openClient({ projectId, simulator }: BigqueryOptions): WriterClient {
  if (simulator === undefined) return new managedwriter.WriterClient({ projectId });
  const { hostname, port } = new URL(`grpc://${simulator.grpcEndpoint}`);
  const sslCreds = credentials.createInsecure();
  return new managedwriter.WriterClient({ projectId, apiEndpoint: hostname, port: Number(port), sslCreds });
}
