/** Google's own message types of the Storage Write API, as its client publishes them. */
import protos from '@google-cloud/bigquery-storage/build/protos/protos.js';

const v1 = protos.google.cloud.bigquery.storage.v1;

export const {
  AppendRowsRequest,
  AppendRowsResponse,
  BatchCommitWriteStreamsRequest,
  BatchCommitWriteStreamsResponse,
  CreateWriteStreamRequest,
  FinalizeWriteStreamRequest,
  FinalizeWriteStreamResponse,
  FlushRowsRequest,
  FlushRowsResponse,
  GetWriteStreamRequest,
  StorageError,
  TableFieldSchema,
  WriteStream,
} = v1;
export const { Status } = protos.google.rpc;

export type AppendRequest = protos.google.cloud.bigquery.storage.v1.AppendRowsRequest;
export type AppendResponse = protos.google.cloud.bigquery.storage.v1.IAppendRowsResponse;
export type Descriptor = protos.google.protobuf.IDescriptorProto;
export type FieldDescriptor = protos.google.protobuf.IFieldDescriptorProto;
export type TableSchema = protos.google.cloud.bigquery.storage.v1.ITableSchema;
export type TableField = protos.google.cloud.bigquery.storage.v1.ITableFieldSchema;
export type StreamMessage = protos.google.cloud.bigquery.storage.v1.IWriteStream;
export type StatusMessage = protos.google.rpc.IStatus;

/** Requests of the unary calls, decoded. */
export interface Requests {
  readonly CreateWriteStreamRequest: protos.google.cloud.bigquery.storage.v1.CreateWriteStreamRequest;
  readonly GetWriteStreamRequest: protos.google.cloud.bigquery.storage.v1.GetWriteStreamRequest;
  readonly FinalizeWriteStreamRequest: protos.google.cloud.bigquery.storage.v1.FinalizeWriteStreamRequest;
  readonly FlushRowsRequest: protos.google.cloud.bigquery.storage.v1.FlushRowsRequest;
  readonly BatchCommitWriteStreamsRequest: protos.google.cloud.bigquery.storage.v1.BatchCommitWriteStreamsRequest;
}
