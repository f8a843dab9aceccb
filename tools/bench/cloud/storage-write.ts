/**
 * Rows of contacts, by our adapter (checked, encoded, appended) and by the client's own JSON writer, which encodes too; both
 * with the same rows a request and as many requests under way.
 */
import { adapt, managedwriter } from '@google-cloud/bigquery-storage';
import { credentials } from '@grpc/grpc-js';
import { systemClock } from '#adapters/clock/system.ts';
import { openBigqueryWarehouse } from '#adapters/warehouse/bigquery/index.ts';
import { COLUMN_KINDS, columnsOf, isRequired } from '#adapters/warehouse/bigquery/columns.ts';
import type { Row, Table } from '#core/ports/warehouse.ts';
import { changeSequenceNumber } from '#core/version.ts';
import { TABLES } from '#schemas/generated/tables.ts';
import { takeTurns, type Comparison } from './rounds.ts';

interface Addresses {
  readonly restUrl: string;
  readonly grpcEndpoint: string;
}

const PROJECT = 'bench';
const BATCH = 1_000;
const UNDER_WAY = 2;
const TABLE: Table = TABLES.contact;

export async function compareStorageWrite(
  simulator: Addresses,
  { rows, rounds }: { readonly rows: number; readonly rounds: number },
): Promise<readonly Comparison[]> {
  const warehouse = await openBigqueryWarehouse({
    projectId: PROJECT,
    location: 'US',
    dataset: 'sales_intelligence',
    writes: 'storage-write',
    maxStalenessSeconds: 0,
    policyTag: null,
    clock: systemClock,
    simulator,
  });
  await warehouse.apply([TABLE], []);
  const raw = await rawWriter(simulator);
  let version = 0;
  try {
    const rates = await takeTurns(
      rounds,
      rows,
      () => (
        (version += 1),
        inBatches(contacts(rows, version), async (batch) => {
          const refused = await warehouse.upsert(TABLE, batch);
          if (refused.length > 0) throw new Error(`Rows were refused: ${JSON.stringify(refused[0])}`);
        })
      ),
      () => ((version += 1), inBatches(contacts(rows, version).map(jsonOf), (batch) => raw.append(batch))),
    );
    return [{ what: `BigQuery upsert of ${columnsOf(TABLE).length} columns`, unit: 'rows', ...rates }];
  } finally {
    raw.close();
    await warehouse.close();
  }
}

interface RawWriter {
  append(rows: readonly Json[]): Promise<void>;
  close(): void;
}
type Json = Readonly<Record<string, string | number | boolean | null>>;

async function rawWriter({ grpcEndpoint }: Addresses): Promise<RawWriter> {
  const [host = '', port = ''] = grpcEndpoint.split(':');
  const client = new managedwriter.WriterClient({
    projectId: PROJECT,
    apiEndpoint: host,
    port: Number(port),
    sslCreds: credentials.createInsecure(),
  });
  const connection = await client.createStreamConnection({
    streamId: managedwriter.DefaultStream,
    destinationTable: `projects/${PROJECT}/datasets/sales_intelligence_store/tables/${TABLE.name}`,
  });
  const fields = columnsOf(TABLE).map((column) => {
    const { restType: type } = COLUMN_KINDS[column.type];
    return { name: column.name, type, mode: isRequired(column) ? 'REQUIRED' : 'NULLABLE' };
  });
  const protoDescriptor = adapt.convertStorageSchemaToProto2Descriptor(
    adapt.convertBigQuerySchemaToStorageTableSchema({ fields }),
    'root',
    adapt.withChangeType(),
    adapt.withChangeSequenceNumber(),
  );
  const writer = new managedwriter.JSONWriter({ connection, protoDescriptor });
  return {
    async append(rows) {
      const { error, rowErrors } = await writer.appendRows([...rows]).getResult();
      if (error || (rowErrors?.length ?? 0) > 0) throw new Error(`The raw client was refused: ${error?.message}`);
    },
    close() {
      writer.close();
      client.close();
    },
  };
}

function jsonOf({ key, version, deleted, observedAtMicros, runId, trace, values }: Row): Json {
  return {
    ...key,
    epoch: version.epoch,
    source_sequence: version.sourceSequence,
    issued_micros: version.issuedMicros,
    generation: version.generation,
    deleted,
    observed_at: observedAtMicros,
    run_id: runId,
    trace,
    ...(values as Json),
    _CHANGE_TYPE: 'UPSERT',
    _CHANGE_SEQUENCE_NUMBER: changeSequenceNumber(version),
  };
}

async function inBatches<T>(all: readonly T[], send: (batch: readonly T[]) => Promise<void>): Promise<void> {
  let at = 0;
  const sender = async (): Promise<void> => {
    while (at < all.length) {
      const from = at;
      at += BATCH;
      await send(all.slice(from, from + BATCH));
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, sender));
}

/** Texts in every column of text; half of all others null, as in a CRM. */
function contacts(count: number, sequence: number): readonly Row[] {
  return Array.from({ length: count }, (_, index) => ({
    key: { source: 'salesforce', instance: '00D000000000001', object: 'Contact', id: `003${index}` },
    version: { epoch: 0, sourceSequence: sequence, issuedMicros: sequence, generation: 0 },
    deleted: false,
    observedAtMicros: 1_767_700_000_000_000 + index,
    runId: null,
    trace: '0af7651916cd43dd8448eb211c80319c',
    values: Object.fromEntries(TABLE.columns.map((column, at) => [column.name, valueOf(column, index, at)])),
  }));
}

function valueOf({ name, type, nullable }: Table['columns'][number], index: number, at: number): unknown {
  if (type === 'string') return `${name} ${index}`;
  if (type === 'timestamp') return 1_767_700_000_000_000 + index;
  if (type === 'bool') return index % 2 === 0;
  if (type === 'int64') return nullable && at % 2 === 1 ? null : index;
  if (type === 'json') return nullable ? null : '[]';
  if (nullable) return null;
  throw new Error(`The bench has no value for ${name}.`);
}
