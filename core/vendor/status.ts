/** What a status says about trying again, for HTTP and for RPCs. */
import { MICROS_PER_MS } from '../clock.ts';
import { RpcError } from '../ports/vendor.ts';

/** True where the same request, later, may be answered: not for 501 and 505, which never will be. */
export function worthRetrying(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

const LONGEST_WAIT_MS = 15 * 60_000;

/** `Retry-After` in seconds or as a date (RFC 9110); null where there is none or it makes no sense. */
export function retryAfterMs(headers: Readonly<Record<string, string>>, nowMicros: number): number | null {
  const text = headers['retry-after']?.trim();
  if (text === undefined || text === '') return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMicros / MICROS_PER_MS;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), LONGEST_WAIT_MS) : null;
}

/** HTTP's numbers for the statuses of an RPC, so that usage facts know one kind. */
const RPC_STATUS: Readonly<Record<string, number>> = {
  OK: 200,
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
};

export function rpcStatusNumber(error: unknown): number {
  return error instanceof RpcError ? (RPC_STATUS[error.failure.status] ?? 503) : 0;
}
