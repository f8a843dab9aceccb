/** The official clients, pointed at a simulator as their documents say. */
import { BigQuery, type TableMetadata } from '@google-cloud/bigquery';
import { adapt, managedwriter } from '@google-cloud/bigquery-storage';
import { credentials } from '@grpc/grpc-js';
import { PassThroughClient } from 'google-auth-library';
import {
  startBigquerySimulator,
  type BigquerySimulator,
  type BigquerySimulatorOptions,
} from '#tools/simulators/bigquery/index.ts';

process.env['METADATA_SERVER_DETECTION'] = 'none';

export const PROJECT = 'acme-analytics';
export const DATASET = 'sales';

/** 2026-01-05T09:00:00Z. */
export const START_MS = Date.UTC(2026, 0, 5, 9);

export interface Kit {
  readonly simulator: BigquerySimulator;
  readonly rest: BigQuery;
  readonly writes: managedwriter.WriterClient;
  /** Runs GoogleSQL; rows as objects. */
  ask(sql: string, params?: Record<string, unknown>): Promise<Record<string, unknown>[]>;
  makeTable(name: string, metadata: TableMetadata): Promise<void>;
  stop(): Promise<void>;
}

/** Time stands still at `START_MS` unless a test moves it. */
export async function startKit(options: BigquerySimulatorOptions = {}): Promise<Kit> {
  const simulator = await startBigquerySimulator({ nowMs: () => START_MS, ...options });
  const rest = new BigQuery({
    projectId: PROJECT,
    apiEndpoint: simulator.restUrl,
    authClient: new PassThroughClient(),
    autoRetry: false,
  });
  const writes = writerOf(simulator);
  if (options.file === undefined) await rest.createDataset(DATASET);
  return {
    simulator,
    rest,
    writes,
    async ask(sql, params) {
      const [rows] = await rest.query({ query: sql, ...(params === undefined ? {} : { params }) });
      return rows as Record<string, unknown>[];
    },
    async makeTable(name, metadata) {
      await rest.dataset(DATASET).createTable(name, metadata);
    },
    async stop() {
      writes.close();
      await simulator.stop();
    },
  };
}

export function writerOf(simulator: BigquerySimulator): managedwriter.WriterClient {
  const [host, port] = simulator.grpcEndpoint.split(':') as [string, string];
  return new managedwriter.WriterClient({
    projectId: PROJECT,
    apiEndpoint: host,
    port: Number(port),
    sslCreds: credentials.createInsecure(),
  });
}

export interface JsonWriter {
  append(
    rows: readonly object[],
    offset?: number,
  ): Promise<{
    error?: { code?: unknown; message?: unknown } | null;
    rowErrors?: readonly { index?: unknown; message?: unknown }[] | null;
    appendResult?: unknown;
    updatedSchema?: unknown;
  }>;
  readonly connection: Awaited<ReturnType<managedwriter.WriterClient['createStreamConnection']>>;
  readonly errors: Error[];
  close(): void;
}

/** JSONWriter over the default stream of a table, made from the table's own schema; `changes` adds the pseudo columns. */
export async function jsonWriter(
  kit: Kit,
  table: string,
  options: { changes?: boolean; streamId?: string; schema?: object } = {},
): Promise<JsonWriter> {
  const [metadata] = (await kit.rest.dataset(DATASET).table(table).getMetadata()) as [{ schema: object }, unknown];
  const schema = adapt.convertBigQuerySchemaToStorageTableSchema(options.schema ?? metadata.schema);
  const extras = options.changes === true ? [adapt.withChangeType(), adapt.withChangeSequenceNumber()] : [];
  const protoDescriptor = adapt.convertStorageSchemaToProto2Descriptor(schema, 'root', ...extras);
  const connection = await kit.writes.createStreamConnection({
    streamId: options.streamId ?? managedwriter.DefaultStream,
    destinationTable: tablePath(table),
  });
  const errors: Error[] = [];
  connection.onConnectionError((error) => errors.push(error));
  const writer = new managedwriter.JSONWriter({ connection, protoDescriptor });
  return {
    connection,
    errors,
    append: async (rows, offset) => await writer.appendRows(rows as never, offset).getResult(),
    close: () => writer.close(),
  };
}

export function tablePath(table: string): string {
  return `projects/${PROJECT}/datasets/${DATASET}/tables/${table}`;
}

export function columns(...fields: readonly string[]): { fields: { name: string; type: string; mode: string }[] } {
  return {
    fields: fields.map((text) => {
      const [name, type, mode = 'NULLABLE'] = text.split(' ') as [string, string, string?];
      return { name, type, mode };
    }),
  };
}
