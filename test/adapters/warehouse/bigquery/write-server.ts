/** AppendRows on loopback, answered by the test itself: for what no service should do, and no simulator does. */
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  AppendRowsRequest,
  AppendRowsResponse,
  type AppendRequest,
  type AppendResponse,
} from '#tools/simulators/bigquery/write/protos.ts';

export type Call = ServerDuplexStream<AppendRequest, AppendResponse>;

export interface WriteServer {
  readonly endpoint: string;
  /** Calls that the client has not cancelled and the server has not ended. */
  open(): number;
  stop(): void;
}

const unused = (): never => {
  throw new Error('Only the server side is used.');
};

/** `onCall` is given every new connection, with its number from 0. */
export async function startWriteServer(onCall: (call: Call, number: number) => void, port = 0): Promise<WriteServer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  const open = new Set<Call>();
  let number = 0;
  const method = {
    path: '/google.cloud.bigquery.storage.v1.BigQueryWrite/AppendRows',
    requestStream: true,
    responseStream: true,
    requestDeserialize: (buffer: Buffer): AppendRequest => AppendRowsRequest.decode(buffer),
    requestSerialize: unused,
    responseSerialize: (answer: AppendResponse) => Buffer.from(AppendRowsResponse.encode(answer).finish()),
    responseDeserialize: unused,
  };
  const handle = (call: Call): void => {
    open.add(call);
    for (const end of ['cancelled', 'finish', 'close'] as const) call.on(end, () => open.delete(call));
    call.on('error', () => open.delete(call));
    onCall(call, number++);
  };
  server.addService({ AppendRows: method }, { AppendRows: handle });
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    ),
  );
  return { endpoint: `127.0.0.1:${bound}`, open: () => open.size, stop: () => server.forceShutdown() };
}

/** How many rows a request carries. */
export function rowsIn({ protoRows }: AppendRequest): number {
  return protoRows?.rows?.serializedRows?.length ?? 0;
}

export const WRITTEN: AppendResponse = { appendResult: {} };
