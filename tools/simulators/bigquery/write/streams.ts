/**
 * Write streams that were created: COMMITTED rows are seen at once, BUFFERED ones after a flush, PENDING ones after the
 * stream is finalized and committed. Every table also has `_default`, which is not created and takes no offsets.
 */
import { status as codes } from '@grpc/grpc-js';
import type { Table, TableRef } from '../catalog/catalog.ts';
import type { Row } from '../store/appending.ts';
import { WriteFailure, malformed, streamNotFound } from './failure.ts';

export type StreamKind = 'COMMITTED' | 'PENDING' | 'BUFFERED';

export interface Stream {
  readonly name: string;
  readonly table: Table;
  readonly kind: StreamKind;
  readonly createdMs: number;
  rowCount: number;
  /** Rows not yet seen by queries, in their order. */
  held: Row[];
  flushed: number;
  isFinalized: boolean;
  committedMs: number | null;
}

const NAME = /^projects\/([^/]+)\/datasets\/([^/]+)\/tables\/([^/]+)(?:\/(?:streams\/)?([^/]+))?$/;

export interface StreamName {
  readonly table: TableRef;
  readonly tableName: string;
  /** Null for the table itself. */
  readonly stream: string | null;
}

export function parseName(name: string): StreamName {
  const match = NAME.exec(name);
  if (match === null) throw malformed(`Invalid stream name or table name: ${name}`);
  const [, projectId, datasetId, tableId, stream] = match as unknown as [
    string,
    string,
    string,
    string,
    string | undefined,
  ];
  const tableName = `projects/${projectId}/datasets/${datasetId}/tables/${tableId}`;
  return { table: { projectId, datasetId, tableId }, tableName, stream: stream ?? null };
}

export class Streams {
  readonly #streams = new Map<string, Stream>();
  #created = 0;

  create(table: Table, tableName: string, kind: StreamKind, nowMs: number): Stream {
    this.#created++;
    const id = Buffer.from(`simulated-${this.#created}`).toString('base64url');
    const name = `${tableName}/streams/${id}`;
    const stream = {
      name,
      table,
      kind,
      createdMs: nowMs,
      rowCount: 0,
      held: [],
      flushed: 0,
      isFinalized: false,
      committedMs: null,
    };
    this.#streams.set(name, stream);
    return stream;
  }

  get(name: string): Stream {
    const stream = this.#streams.get(name);
    if (stream === undefined) throw streamNotFound(name);
    return stream;
  }
}

/** The offset of the first row, or the service's word for an offset that is behind or ahead of the stream's end. */
export function checkOffset(stream: Stream, offset: number | null): number {
  if (stream.isFinalized)
    throw new WriteFailure(codes.INVALID_ARGUMENT, `Stream is finalized: ${stream.name}`, { storageCode: 6 });
  const end = stream.rowCount;
  if (offset !== null && offset < end)
    throw new WriteFailure(
      codes.ALREADY_EXISTS,
      `The offset is within stream, expected offset ${end}, received ${offset}`,
      { storageCode: 8, entity: stream.name },
    );
  if (offset !== null && offset > end)
    throw new WriteFailure(
      codes.OUT_OF_RANGE,
      `The offset is beyond stream, expected offset ${end}, received ${offset}`,
      { storageCode: 9, entity: stream.name },
    );
  return end;
}
