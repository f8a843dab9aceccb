/** The calls of the Storage Write API beside AppendRows: about streams that were created. */
import { status as codes } from '@grpc/grpc-js';
import type { Table } from '../catalog/catalog.ts';
import type { Writing } from './append.ts';
import { WriteFailure, malformed, permissionDenied, tableNotFound } from './failure.ts';
import {
  BatchCommitWriteStreamsRequest,
  BatchCommitWriteStreamsResponse,
  CreateWriteStreamRequest,
  FinalizeWriteStreamRequest,
  FinalizeWriteStreamResponse,
  FlushRowsRequest,
  FlushRowsResponse,
  GetWriteStreamRequest,
  WriteStream,
  type Requests,
  type StreamMessage,
} from './protos.ts';
import { schemaMessage } from './schema-message.ts';
import { parseName, type Stream, type StreamKind } from './streams.ts';

interface Unary {
  readonly decode: (buffer: Buffer) => unknown;
  readonly encode: (answer: never) => Buffer;
  readonly handle: (request: never, writing: Writing) => unknown;
}

const bytes = (encoded: { finish(): Uint8Array }) => Buffer.from(encoded.finish());
const { Type } = WriteStream;
const KINDS: ReadonlyMap<number, StreamKind> = new Map([
  [Type.COMMITTED, 'COMMITTED'],
  [Type.PENDING, 'PENDING'],
  [Type.BUFFERED, 'BUFFERED'],
]);
const VIEW_FULL = 2;

export const UNARY: Readonly<Record<string, Unary>> = {
  CreateWriteStream: {
    decode: (buffer) => CreateWriteStreamRequest.decode(buffer),
    encode: (answer: StreamMessage) => bytes(WriteStream.encode(answer)),
    handle(request: Requests['CreateWriteStreamRequest'], writing) {
      const { table, tableName } = found(request.parent, writing);
      const kind = KINDS.get(Number(request.writeStream?.type ?? 0));
      if (kind === undefined)
        throw malformed('Invalid write stream type: it must be COMMITTED, PENDING or BUFFERED.', request.parent);
      return described(writing.streams.create(table, tableName, kind, writing.nowMs()), true);
    },
  },
  GetWriteStream: {
    decode: (buffer) => GetWriteStreamRequest.decode(buffer),
    encode: (answer: StreamMessage) => bytes(WriteStream.encode(answer)),
    handle(request: Requests['GetWriteStreamRequest'], writing) {
      const { table, stream } = found(request.name, writing);
      const isFull = Number(request.view) === VIEW_FULL;
      if (stream === '_default')
        return {
          name: request.name,
          type: Type.COMMITTED,
          ...(isFull ? { tableSchema: schemaMessage(table.fields) } : {}),
        };
      return described(writing.streams.get(request.name), isFull);
    },
  },
  FinalizeWriteStream: {
    decode: (buffer) => FinalizeWriteStreamRequest.decode(buffer),
    encode: (answer: { rowCount: number }) => bytes(FinalizeWriteStreamResponse.encode(answer)),
    handle(request: Requests['FinalizeWriteStreamRequest'], writing) {
      const stream = created(request.name, writing);
      stream.isFinalized = true;
      return { rowCount: stream.rowCount };
    },
  },
  FlushRows: {
    decode: (buffer) => FlushRowsRequest.decode(buffer),
    encode: (answer: { offset: number }) => bytes(FlushRowsResponse.encode(answer)),
    async handle(request: Requests['FlushRowsRequest'], writing) {
      const stream = created(request.writeStream, writing);
      if (stream.kind !== 'BUFFERED')
        throw new WriteFailure(codes.INVALID_ARGUMENT, 'FlushRows is only for streams of type BUFFERED.', {
          storageCode: 4,
          entity: stream.name,
        });
      const offset = Number(request.offset?.value ?? 0);
      if (offset >= stream.rowCount)
        throw new WriteFailure(codes.OUT_OF_RANGE, `The offset ${offset} is beyond the stream's end.`, {
          storageCode: 9,
          entity: stream.name,
        });
      const rows = stream.held.splice(0, Math.max(0, offset + 1 - stream.flushed));
      stream.flushed = Math.max(stream.flushed, offset + 1);
      await writing.store.append(stream.table, rows);
      return { offset };
    },
  },
  BatchCommitWriteStreams: {
    decode: (buffer) => BatchCommitWriteStreamsRequest.decode(buffer),
    encode: (answer: object) => bytes(BatchCommitWriteStreamsResponse.encode(answer)),
    async handle(request: Requests['BatchCommitWriteStreamsRequest'], writing) {
      const streams = request.writeStreams.map((name) => created(name, writing));
      const streamErrors = streams.flatMap(commitFault);
      if (streamErrors.length > 0) return { streamErrors };
      const nowMs = writing.nowMs();
      for (const stream of streams) {
        stream.committedMs = nowMs;
        await writing.store.append(stream.table, stream.held);
        stream.held = [];
      }
      return { commitTime: timestamp(nowMs), streamErrors: [] };
    },
  },
};

function commitFault(stream: Stream): readonly { code: number; entity: string; errorMessage: string }[] {
  const fault = (code: number, errorMessage: string) => [{ code, entity: stream.name, errorMessage }];
  if (stream.kind !== 'PENDING') return fault(4, 'Only streams of type PENDING are committed.');
  if (stream.committedMs !== null) return fault(2, 'The stream is already committed.');
  return stream.isFinalized ? [] : fault(5, 'The stream is not finalized.');
}

function found(name: string, { store, faults }: Writing): { table: Table; tableName: string; stream: string | null } {
  const { table: ref, tableName, stream } = parseName(name);
  if (faults.denies(ref.datasetId, ref.tableId)) throw permissionDenied(tableName);
  const table = store.catalog.findTable(ref);
  if (table === undefined) throw tableNotFound(name);
  return { table, tableName, stream };
}

function created(name: string, writing: Writing): Stream {
  if (found(name, writing).stream === '_default')
    throw new WriteFailure(codes.INVALID_ARGUMENT, 'The operation is not supported on the default stream.', {
      storageCode: 4,
      entity: name,
    });
  return writing.streams.get(name);
}

function described(stream: Stream, isFull: boolean): StreamMessage {
  return {
    name: stream.name,
    type: Type[stream.kind],
    createTime: timestamp(stream.createdMs),
    ...(stream.committedMs === null ? {} : { commitTime: timestamp(stream.committedMs) }),
    ...(isFull ? { tableSchema: schemaMessage(stream.table.fields) } : {}),
    writeMode: 1,
  };
}

function timestamp(ms: number): { seconds: number; nanos: number } {
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}
