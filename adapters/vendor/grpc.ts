/**
 * gRPC calls by full method name, from definitions in proto files: a method that is in none cannot be called. Always over
 * TLS. One channel an endpoint, shared by all its calls and kept alive by pings, since a dead connection would otherwise
 * look like a quiet one.
 */
import { rootCertificates } from 'node:tls';
import {
  Client,
  credentials,
  Metadata,
  status as Status,
  type ClientDuplexStream,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync, type PackageDefinition } from '@grpc/proto-loader';
import { Misconfigured } from '#core/errors.ts';
import { RpcError, type VendorRpc, type VendorStream } from '#core/ports/vendor.ts';
import { readAuthorities } from './http.ts';

export interface GrpcOptions {
  /** Certificates trusted beside the usual ones, in PEM; null: none. */
  readonly caFile: string | null;
  readonly protoFiles: readonly string[];
  readonly keepaliveMs?: number;
  /** Silence after which a single call fails. */
  readonly callTimeoutMs?: number;
}

export interface GrpcCarrier {
  call<Out extends object, In>(rpc: VendorRpc, message: Out): Promise<In>;
  stream<Out extends object, In>(rpc: VendorRpc): VendorStream<Out, In>;
  close(): void;
}

type Method = MethodDefinition<object, object>;

/** Names as the proto file has them; 64-bit numbers as text, because a number would round them. */
const DECODING = { keepCase: true, longs: String, enums: String, bytes: Buffer, defaults: true } as const;
const LARGEST_MESSAGE_BYTES = 16_000_000;

export function createGrpc(options: GrpcOptions): GrpcCarrier {
  const { keepaliveMs = 30_000, callTimeoutMs = 30_000 } = options;
  const methods = methodsOf(options.protoFiles);
  const clients = new Map<string, Client>();
  const secure = credentials.createSsl(authorities(options.caFile));

  function client(endpoint: string): Client {
    const address = endpoint.replace(/^https:\/\//, '');
    let known = clients.get(address);
    if (known === undefined) {
      known = new Client(address, secure, {
        'grpc.keepalive_time_ms': keepaliveMs,
        'grpc.keepalive_timeout_ms': Math.min(keepaliveMs, 10_000),
        'grpc.keepalive_permit_without_calls': 0,
        'grpc.max_receive_message_length': LARGEST_MESSAGE_BYTES,
        'grpc.enable_retries': 0,
      });
      clients.set(address, known);
    }
    return known;
  }

  return {
    async call<Out extends object, In>(rpc: VendorRpc, message: Out) {
      const method = methodOf(methods, rpc.rpc);
      return unary<In>(client(rpc.endpoint), method, rpc, message, callTimeoutMs);
    },
    stream<Out extends object, In>(rpc: VendorRpc) {
      const { path, requestSerialize, responseDeserialize } = methodOf(methods, rpc.rpc);
      const duplex = client(rpc.endpoint).makeBidiStreamRequest(
        path,
        requestSerialize,
        responseDeserialize,
        metadataOf(rpc),
      );
      return streaming<Out, In>(duplex, rpc);
    },
    close() {
      for (const open of clients.values()) open.close();
      clients.clear();
    },
  };
}

function unary<In>(client: Client, method: Method, rpc: VendorRpc, message: object, timeoutMs: number): Promise<In> {
  return new Promise((resolve, reject) => {
    if (rpc.signal.aborted) return reject(rpc.signal.reason as Error);
    const abort = (): void => call.cancel();
    const call = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      message,
      metadataOf(rpc),
      // The wall clock of the machine, as grpc-js compares with it.
      { deadline: Date.now() + timeoutMs },
      (error, answer) => {
        rpc.signal.removeEventListener('abort', abort);
        if (error === null) resolve(answer as In);
        else reject(failure(error, rpc));
      },
    );
    rpc.signal.addEventListener('abort', abort, { once: true });
  });
}

function streaming<Out extends object, In>(
  duplex: ClientDuplexStream<object, object>,
  rpc: VendorRpc,
): VendorStream<Out, In> {
  const cancel = (): void => duplex.cancel();
  let ended: Error | undefined;
  // Also keeps an error that nobody is iterating for from being uncaught.
  duplex.on('error', (error: Partial<ServiceError>) => (ended = failure(error, rpc)));
  duplex.on('close', () => rpc.signal.removeEventListener('abort', cancel));
  if (rpc.signal.aborted) cancel();
  else rpc.signal.addEventListener('abort', cancel, { once: true });
  return {
    send: (message) =>
      new Promise((resolve, reject) => {
        if (ended !== undefined) return reject(ended);
        duplex.write(message, (error: Error | null | undefined) => (error ? reject(failure(error, rpc)) : resolve()));
      }),
    end: () => void duplex.end(),
    cancel,
    async *[Symbol.asyncIterator]() {
      try {
        for await (const message of duplex) yield message as In;
      } catch (error) {
        throw failure(error as Partial<ServiceError>, rpc);
      } finally {
        duplex.cancel();
      }
    },
  };
}

function metadataOf(rpc: VendorRpc): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(rpc.metadata)) metadata.set(name, value);
  return metadata;
}

/** Says status and code, never the server's words, which may quote what was sent. */
function failure(error: Partial<ServiceError> | Error, rpc: VendorRpc): Error {
  if (rpc.signal.aborted) return rpc.signal.reason as Error;
  if (error instanceof RpcError) return error;
  const { code, metadata } = error as Partial<ServiceError>;
  const status = (code === undefined ? undefined : Status[code]) ?? 'UNKNOWN';
  const errorCode = metadata?.get('error-code')[0]?.toString() ?? null;
  const told = errorCode === null ? '' : `, ${errorCode}`;
  return new RpcError({ status, errorCode }, `${rpc.rpc} ended with ${status}${told}.`, { cause: error });
}

function methodsOf(protoFiles: readonly string[]): ReadonlyMap<string, Method> {
  const methods = new Map<string, Method>();
  for (const file of protoFiles) {
    for (const definition of Object.values(loaded(file))) {
      if ('format' in definition) continue;
      for (const method of Object.values(definition)) methods.set((method as Method).path, method);
    }
  }
  return methods;
}

function loaded(file: string): PackageDefinition {
  try {
    return loadSync(file, DECODING);
  } catch (error) {
    throw new Misconfigured('proto_unreadable', `The protocol definition ${file} cannot be read.`, { cause: error });
  }
}

function methodOf(methods: ReadonlyMap<string, Method>, name: string): Method {
  const method = methods.get(name);
  if (method === undefined)
    throw new Misconfigured('unknown_rpc', `There is no definition of ${name}, so it cannot be called.`);
  return method;
}

function authorities(caFile: string | null): Buffer | null {
  return caFile === null ? null : Buffer.from([...rootCertificates, readAuthorities(caFile)].join('\n'));
}
