/**
 * The one way to a source: allow-list, budget, retry and usage around the vendor port. Every service that reads a source
 * makes one of these and sends nothing past it.
 */
import type { Clock, Random } from '../clock.ts';
import { codeOf, Transient } from '../errors.ts';
import { RpcError, type VendorPort, type VendorRequest, type VendorResponse } from '../ports/vendor.ts';
import type { VendorRpc, VendorStream } from '../ports/vendor.ts';
import { withRetry, type RetryPolicy } from '../retry.ts';
import type { Telemetry } from '../telemetry.ts';
import type { AllowList, Permit } from './allow-list.ts';
import type { Budget } from './budget.ts';
import { retryAfterMs, rpcStatusNumber, worthRetrying } from './status.ts';

export interface Allowance {
  readonly used: number;
  readonly max: number;
}

export interface VendorClientOptions {
  readonly source: string;
  readonly port: VendorPort;
  readonly list: AllowList;
  readonly budget: Budget;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy?: RetryPolicy;
  /** What an answer's headers say about the allowance, if they do. */
  readonly allowanceOf?: (headers: Readonly<Record<string, string>>) => Allowance | null;
  readonly onAllowance?: (allowance: Allowance) => void;
}

export interface VendorClient {
  /**
   * Sends, and reads the answer as part of the attempt: `read` is called once an attempt and must read the body to its
   * end or cancel it. Tried again when there was no complete answer, the status asks for it, or `read` throws
   * `Transient`; any other status reaches `read`. What is not on the list is never sent (`Misconfigured`, `not_allowed`).
   */
  exchange<T>(request: VendorRequest, read: (response: VendorResponse) => Promise<T>): Promise<T>;
  call<Out extends object, In>(rpc: VendorRpc, message: Out): Promise<In>;
  stream<Out extends object, In>(rpc: VendorRpc): VendorStream<Out, In>;
}

export const VENDOR_RETRY: RetryPolicy = { attempts: 6, baseMs: 500, ceilingMs: 30_000 };

export function vendorClient(options: VendorClientOptions): VendorClient {
  const { source, port, list, budget, telemetry, clock, random, policy = VENDOR_RETRY } = options;

  function permit(check: () => Permit, operation: string): Permit {
    try {
      return check();
    } catch (error) {
      telemetry.emit('vendorRefused', { source, operation });
      throw error;
    }
  }

  function called(
    purpose: string,
    operation: string,
    status: number,
    startMs: number,
    allowance: Allowance | null,
  ): void {
    const durationMs = clock.monotonicMs() - startMs;
    const [allowanceUsed, allowanceMax] = [allowance?.used ?? null, allowance?.max ?? null];
    telemetry.emit('vendorCalled', { source, purpose, operation, status, durationMs, allowanceUsed, allowanceMax });
    if (allowance !== null) options.onAllowance?.(allowance);
  }

  function retrying<T>(operation: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const onRetry = (error: Transient, attempt: number): void =>
      telemetry.emit('vendorRetried', { source, operation, code: error.code, attempt });
    return withRetry(work, { policy, clock, random, signal, onRetry });
  }

  async function attempt(request: VendorRequest, operation: string): Promise<VendorResponse> {
    await budget.take(request.purpose, request.signal);
    const startMs = clock.monotonicMs();
    let response: VendorResponse;
    try {
      response = await port.request(request);
    } catch (error) {
      called(request.purpose, operation, 0, startMs, null);
      throw error;
    }
    called(request.purpose, operation, response.status, startMs, options.allowanceOf?.(response.headers) ?? null);
    if (!worthRetrying(response.status)) return response;
    await response.body.cancel();
    const wait = retryAfterMs(response.headers, clock.nowMicros());
    throw new Transient(`http_${response.status}`, `${source} answered ${response.status}; tried again later.`, {
      ...(wait === null ? {} : { retryAfterMs: wait }),
    });
  }

  return {
    async exchange(request, read) {
      const { operation, url } = permit(() => list.request(request), request.method);
      const checked = { ...request, url };
      return retrying(operation, request.signal, async () => read(await attempt(checked, operation)));
    },

    async call<Out extends object, In>(rpc: VendorRpc, message: Out): Promise<In> {
      const { operation } = permit(() => list.rpc(rpc), 'RPC');
      return retrying(operation, rpc.signal, async () => {
        const startMs = clock.monotonicMs();
        try {
          const answer = await port.call<Out, In>(rpc, message);
          called(rpc.purpose, operation, 200, startMs, null);
          return answer;
        } catch (error) {
          called(rpc.purpose, operation, rpcStatusNumber(error), startMs, null);
          throw asTransient(error, source);
        }
      });
    },

    stream<Out extends object, In>(rpc: VendorRpc): VendorStream<Out, In> {
      const { operation } = permit(() => list.rpc(rpc), 'RPC');
      called(rpc.purpose, operation, 200, clock.monotonicMs(), null);
      return port.stream<Out, In>(rpc);
    },
  };
}

const PASSING = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'INTERNAL', 'ABORTED', 'UNKNOWN']);

/** A failure of an RPC that the same call, later, may not meet. */
function asTransient(error: unknown, source: string): unknown {
  if (!(error instanceof RpcError) || !PASSING.has(error.failure.status)) return error;
  const code = `rpc_${error.failure.status.toLowerCase()}`;
  return new Transient(code, `${source} answered ${error.failure.status}; tried again later.`, { cause: error });
}

/** For logs: the code of anything a client throws, an RPC's status by name. */
export function vendorCodeOf(error: unknown): string {
  return error instanceof RpcError ? `rpc_${error.failure.status.toLowerCase()}` : codeOf(error);
}
