/** google.cloud.bigquery.storage.v1.BigQueryWrite on loopback, without TLS or credentials. */
import {
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type sendUnaryData,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import type { AppendFault } from '../faults.ts';
import { AppendConnection, type Writing } from './append.ts';
import { WriteFailure, grpcStatus } from './failure.ts';
import { AppendRowsRequest, AppendRowsResponse, type AppendRequest, type AppendResponse } from './protos.ts';
import { UNARY } from './unary.ts';

const SERVICE = '/google.cloud.bigquery.storage.v1.BigQueryWrite';
/** Beyond this gRPC itself refuses; below it the service answers by its own limit. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

interface Sized {
  readonly request: AppendRequest;
  readonly bytes: number;
}

type AppendCall = ServerDuplexStream<Sized, AppendResponse>;

export interface WriteServer {
  readonly endpoint: string;
  connections(): number;
  close(): Promise<void>;
}

export async function startWriteServer(writing: Writing, port: number): Promise<WriteServer> {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
  });
  const open = new Set<Connection>();
  writing.faults.connect((message) => {
    const ended = [...open];
    for (const connection of ended) connection.fail(new WriteFailure(14, message));
    return ended.length;
  });
  const unary = Object.entries(UNARY).map(
    ([name, { decode, encode }]) =>
      [
        name,
        {
          path: `${SERVICE}/${name}`,
          requestStream: false,
          responseStream: false,
          requestDeserialize: decode,
          requestSerialize: unused,
          responseSerialize: encode,
          responseDeserialize: unused,
        },
      ] as const,
  );
  const append = {
    path: `${SERVICE}/AppendRows`,
    requestStream: true,
    responseStream: true,
    requestDeserialize: (buffer: Buffer): Sized => ({
      request: AppendRowsRequest.decode(buffer),
      bytes: buffer.length,
    }),
    requestSerialize: unused,
    responseSerialize: (response: AppendResponse) => Buffer.from(AppendRowsResponse.encode(response).finish()),
    responseDeserialize: unused,
  };
  server.addService(
    { AppendRows: append, ...Object.fromEntries(unary) },
    {
      AppendRows: (call: AppendCall) => {
        const connection = new Connection(call, writing, () => open.delete(connection));
        open.add(connection);
      },
      ...Object.fromEntries(Object.entries(UNARY).map(([name, { handle }]) => [name, unaryHandler(writing, handle)])),
    },
  );
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    ),
  );
  return {
    endpoint: `127.0.0.1:${bound}`,
    connections: () => open.size,
    async close() {
      for (const connection of open) connection.stop();
      server.forceShutdown();
    },
  };
}

const unused = (): never => {
  throw new Error('Only the server side is used.');
};

function unaryHandler(writing: Writing, handle: (request: never, writing: Writing) => unknown) {
  return (call: ServerUnaryCall<never, unknown>, callback: sendUnaryData<unknown>): void => {
    Promise.resolve()
      .then(() => handle(call.request, writing))
      .then((answer) => callback(null, answer))
      .catch((error: unknown) =>
        callback(error instanceof WriteFailure ? grpcStatus(error) : { code: 13, details: String(error) }),
      );
  };
}

/** One open call: takes requests one after the other, with the faults that a test ordered. */
class Connection {
  readonly #call: AppendCall;
  readonly #writing: Writing;
  readonly #rows: AppendConnection;
  readonly #onEnd: () => void;
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #isOver = false;
  #idle: NodeJS.Timeout | null = null;

  constructor(call: AppendCall, writing: Writing, onEnd: () => void) {
    this.#call = call;
    this.#writing = writing;
    this.#rows = new AppendConnection(writing);
    this.#onEnd = onEnd;
    call.on('data', (sized: Sized) => this.#take(sized));
    call.on('end', () => void this.#last.then(() => this.#finish()));
    call.on('cancelled', () => this.stop());
    this.#waitForRequest();
  }

  fail(failure: WriteFailure): void {
    if (this.#isOver) return;
    this.stop();
    this.#call.emit('error', grpcStatus(failure));
  }

  stop(): void {
    this.#isOver = true;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#onEnd();
  }

  #finish(): void {
    if (this.#isOver) return;
    this.stop();
    this.#call.end();
  }

  #take(sized: Sized): void {
    this.#waitForRequest();
    if (++this.#waiting >= 4) this.#call.pause();
    this.#last = this.#last
      .then(() => this.#answer(sized))
      .catch((error: unknown) => {
        this.fail(error instanceof WriteFailure ? error : new WriteFailure(13, String(error)));
      })
      .finally(() => {
        if (--this.#waiting < 4) this.#call.resume();
      });
  }

  async #answer({ request, bytes }: Sized): Promise<void> {
    if (this.#isOver) return;
    const { faults } = this.#writing;
    const fault = faults.takeAppend(this.#rows.destination(request));
    if (fault !== null) return this.#suffer(fault, request, bytes);
    const answer = await this.#rows.answer(request, bytes);
    if (faults.switches.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, faults.switches.latencyMs));
    if (!this.#isOver) this.#call.write(answer);
  }

  async #suffer(fault: AppendFault, request: AppendRequest, bytes: number): Promise<void> {
    const answer = fault.isWritten ? await this.#rows.answer(request, bytes) : null;
    const message = `${fault.message}`;
    if (fault.kind === 'half-close') this.#finish();
    else if (fault.kind === 'reset') this.fail(new WriteFailure(fault.code ?? 14, message));
    else if (fault.kind === 'error')
      this.#call.write({
        ...(answer?.writeStream === undefined ? {} : { writeStream: answer.writeStream }),
        error: { code: fault.code ?? 13, message },
      });
  }

  #waitForRequest(): void {
    if (this.#idle !== null) clearTimeout(this.#idle);
    const { idleTimeoutMs } = this.#writing.faults.switches;
    this.#idle = setTimeout(
      () =>
        this.fail(
          new WriteFailure(10, `Closing the stream because there is no activity for ${idleTimeoutMs / 1000} seconds.`),
        ),
      idleTimeoutMs,
    );
    this.#idle.unref();
  }
}
