/** How the Storage Write API says no: a gRPC status, with a StorageError among its details where Google defines one. */
import { Metadata, status as codes } from '@grpc/grpc-js';
import { Status, StorageError, type StatusMessage } from './protos.ts';

/** Thrown to end the RPC (`endsConnection`) or to be put into the answer to one request. */
export class WriteFailure extends Error {
  readonly status: StatusMessage;
  readonly endsConnection: boolean;

  constructor(
    code: number,
    message: string,
    options: { storageCode?: number; entity?: string; endsConnection?: boolean } = {},
  ) {
    const { storageCode, entity } = options;
    const text = entity === undefined ? message : `${message} Entity: ${entity}`;
    super(text);
    const details =
      storageCode === undefined
        ? []
        : [
            {
              type_url: 'type.googleapis.com/google.cloud.bigquery.storage.v1.StorageError',
              value: StorageError.encode({ code: storageCode, entity: entity ?? '', errorMessage: text }).finish(),
            },
          ];
    this.status = { code, message: text, details };
    this.endsConnection = options.endsConnection ?? false;
  }
}

/** As grpc-js wants the status of a call that fails; the details travel in `grpc-status-details-bin`. */
export function grpcStatus(failure: WriteFailure): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', Buffer.from(Status.encode(failure.status).finish()));
  return { code: failure.status.code ?? codes.UNKNOWN, details: failure.message, metadata };
}

export function tableNotFound(entity: string): WriteFailure {
  return new WriteFailure(codes.NOT_FOUND, 'Requested entity was not found.', {
    storageCode: 1,
    entity,
    endsConnection: true,
  });
}

export function streamNotFound(entity: string): WriteFailure {
  return new WriteFailure(codes.NOT_FOUND, 'Requested entity was not found.', {
    storageCode: 3,
    entity,
    endsConnection: true,
  });
}

export function permissionDenied(table: string): WriteFailure {
  return new WriteFailure(
    codes.PERMISSION_DENIED,
    `Permission 'TABLES_UPDATE_DATA' denied on resource '${table}' (or it may not exist).`,
    { endsConnection: true },
  );
}

/** A request that is wrong as a whole ends the connection with it. */
export function malformed(message: string, entity?: string): WriteFailure {
  return new WriteFailure(codes.INVALID_ARGUMENT, message, {
    ...(entity === undefined ? {} : { entity }),
    endsConnection: true,
  });
}
