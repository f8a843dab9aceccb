/**
 * All traffic towards a source passes here. An adapter only carries, and says when the attempt that succeeded was sent;
 * allow-list, budget, retry and the usage row are one wrapper in `core/vendor`.
 */
export type Purpose = 'auth' | 'settled' | 'prompt' | 'poll' | 'backfill';

export interface VendorRequest {
  readonly instance: string;
  readonly method: 'GET' | 'POST' | 'PATCH';
  /** Absolute URL of the request, query included. */
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly purpose: Purpose;
  /** Longest silence of the other side before the request fails as `Transient`. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface VendorResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Must be read to its end or cancelled. Fails as `Transient` if the connection is cut or the body is shorter than announced. */
  readonly body: ReadableStream<Uint8Array>;
  /** When the attempt that succeeded was sent, by our clock: the third part of a version. */
  readonly issuedMicros: number;
}

/** A bidirectional stream of decoded messages, as a gRPC call gives it. Iterating reads; `cancel` ends both halves. */
export interface VendorStream<Out, In> extends AsyncIterable<In> {
  send(message: Out): Promise<void>;
  end(): void;
  cancel(): void;
}

export interface VendorRpc {
  /** Full method name, e.g. `/eventbus.v1.PubSub/Subscribe`. */
  readonly rpc: string;
  readonly endpoint: string;
  readonly instance: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly purpose: Purpose;
  readonly signal: AbortSignal;
}

/** How a call's failure is told apart: gRPC status by name, and the `error-code` trailer where the server sends one. */
export interface RpcFailure {
  readonly status: string;
  readonly errorCode: string | null;
}

export interface VendorPort {
  /** Answers any HTTP status; throws `Transient` when there was no complete answer. */
  request(request: VendorRequest): Promise<VendorResponse>;
  /** One request, one response. Throws `RpcError`. */
  call<Out extends object, In>(rpc: VendorRpc, message: Out): Promise<In>;
  /** Iterating throws `RpcError` when the stream ends with another status than OK. */
  stream<Out extends object, In>(rpc: VendorRpc): VendorStream<Out, In>;
}

export class RpcError extends Error {
  readonly failure: RpcFailure;

  constructor(failure: RpcFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'RpcError';
    this.failure = failure;
  }
}
