/**
 * One request to Cloud Storage's JSON API and its answer, or an error that says who must act. Endpoint and credentials are
 * those of `@google-cloud/storage`, and its authenticated transport carries the request; its `File` methods do not, as of
 * 8.4.0: none ever gives up on a server that keeps silent (its `timeout` reaches a fetch that ignores it), an upload whose
 * checksum differs in the answer deletes the object without a precondition, be it newer by then, and a read that fails
 * ends all other requests of the process. `test/adapters/objects/gcs-client.test.ts` tells when that has changed.
 */
import { Storage } from '@google-cloud/storage';
import { PassThroughClient } from 'google-auth-library';
import type { Clock, Random } from '#core/clock.ts';
import { Misconfigured, Transient, Unauthorized, type TributaryError } from '#core/errors.ts';
import { isRecord } from '#core/vendor/json.ts';

export interface GcsOptions {
  readonly projectId: string;
  readonly bucket: string;
  /** A fake's address: nobody is asked for credentials then. Absent: Google's service, with ambient credentials. */
  readonly endpoint?: string;
  readonly clock: Clock;
  readonly random: Random;
}

export interface GcsRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Starts with a slash; what is variable in it is encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly body?: Buffer;
}

export interface GcsAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
}

/** Answers 2xx, 404 and 412. Throws `Transient` where the same request may succeed later, or its answer was lost. */
export type GcsWire = (request: GcsRequest, signal: AbortSignal) => Promise<GcsAnswer>;

/** What an upload takes at least, on a bad line. */
const BYTES_PER_MS = 500;
/** A name takes one write a second: who was refused for the rate waits that long. */
const THROTTLED_MS = 1_000;
const ANSWERS: ReadonlySet<number> = new Set([404, 412]);
const LATER: ReadonlySet<number> = new Set([408, 429]);

/** `silentMs`: how long the server may say nothing before the request is ended. */
export function openWire({ projectId, endpoint, clock }: GcsOptions, silentMs: number): GcsWire {
  const storage = new Storage({
    projectId,
    ...(endpoint === undefined ? {} : { apiEndpoint: endpoint, authClient: new PassThroughClient() }),
  });
  const base = endpoint ?? `https://storage.${storage.universeDomain}`;

  async function exchange(request: GcsRequest, ending: AbortController, heard: () => void): Promise<GcsAnswer> {
    const { method, path, query = {}, contentType, body } = request;
    const answer = await storage.authClient.request<AsyncIterable<Uint8Array>>({
      url: `${base}${path}?${new URLSearchParams(query).toString()}`,
      method,
      signal: ending.signal,
      responseType: 'stream',
      retry: false,
      // Left to the client, which may renew its token.
      validateStatus: (status) => status !== 401,
      ...(endpoint === undefined ? {} : { noProxy: [new URL(endpoint).origin] }),
      ...(contentType === undefined ? {} : { headers: { 'content-type': contentType } }),
      ...(body === undefined ? {} : { data: body }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of answer.data) {
      heard();
      chunks.push(chunk);
    }
    return { status: answer.status, headers: new Headers(answer.headers), body: Buffer.concat(chunks) };
  }

  return async (request, signal) => {
    const ending = new AbortController();
    const end = (): void => ending.abort(signal.reason);
    const silent = new Transient('gcs_silent', `Cloud Storage said nothing for ${silentMs} ms.`);
    const arm = (ms: number): (() => void) => clock.after(ms, () => ending.abort(silent));
    let disarm = arm(silentMs + (request.body?.length ?? 0) / BYTES_PER_MS);
    const heard = (): void => {
      disarm();
      disarm = arm(silentMs);
    };
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      // Raced, since fetching a token heeds no signal.
      return judged(await Promise.race([exchange(request, ending, heard), rejection(ending.signal)]));
    } catch (error) {
      throw ending.signal.aborted ? ending.signal.reason : errorOf(error);
    } finally {
      disarm();
      signal.removeEventListener('abort', end);
    }
  };
}

function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

/** https://cloud.google.com/storage/docs/json_api/v1/status-codes */
function judged(answer: GcsAnswer): GcsAnswer {
  const { status, headers } = answer;
  if ((status >= 200 && status < 300) || ANSWERS.has(status)) return answer;
  const reason = reasonOf(answer.body);
  if (LATER.has(status) || status >= 500 || /ratelimit/i.test(reason)) {
    const askedMs = Number(headers.get('retry-after') ?? 0) * 1_000 || (status < 500 ? THROTTLED_MS : 0);
    throw new Transient('gcs_busy', `Cloud Storage answered ${status}.`, { retryAfterMs: askedMs });
  }
  if (/\bmd5\b/i.test(reason)) throw new Transient('gcs_damaged', 'What Cloud Storage received was not what was sent.');
  if (status === 401 || status === 403) throw denied(status);
  throw new Misconfigured('gcs_refused', `Cloud Storage refused a request (${status} ${reason}): look at gcs.bucket.`);
}

function denied(status: number): Unauthorized {
  return new Unauthorized(
    'gcs_denied',
    `Cloud Storage denies access (${status}): grant the service account roles/storage.objectUser on the bucket.`,
  );
}

/** The error of the transport is left out: it holds the request, token and content. */
function errorOf(error: unknown): TributaryError | Error {
  if (error instanceof Transient || error instanceof Unauthorized || error instanceof Misconfigured) return error;
  const {
    code,
    message = '',
    response,
  } = error as {
    readonly code?: unknown;
    readonly message?: string;
    readonly response?: { readonly status?: number };
  };
  if (message.includes('Could not load the default credentials'))
    return new Unauthorized('gcs_denied', 'There are no Google credentials: run as a service account, or log in.');
  const status = response?.status;
  if (status !== undefined && status >= 400 && status < 500 && !LATER.has(status)) return denied(status);
  return new Transient(
    'gcs_unreachable',
    `Cloud Storage gave no whole answer (${typeof code === 'string' ? code : 'no code'}).`,
  );
}

function reasonOf(body: Buffer): string {
  try {
    const parsed: unknown = JSON.parse(body.toString());
    const error = isRecord(parsed) && isRecord(parsed['error']) ? parsed['error'] : {};
    const first: unknown = Array.isArray(error['errors']) ? error['errors'][0] : undefined;
    const reason = isRecord(first) ? first['reason'] : undefined;
    return `${typeof reason === 'string' ? reason : ''} ${typeof error['message'] === 'string' ? error['message'] : ''}`;
  } catch {
    return '';
  }
}
