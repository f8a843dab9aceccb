/**
 * Requests over kept-alive connections. Nothing is decided here: no redirect is followed, no attempt repeated, any status
 * is an answer. What is not a complete answer is `Transient`, also when it shows only while the body is read.
 */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { Readable, type Duplex } from 'node:stream';
import { Agent, errors, type Dispatcher } from 'undici';
import type { Clock } from '#core/clock.ts';
import { Misconfigured, Transient } from '#core/errors.ts';
import type { VendorRequest, VendorResponse } from '#core/ports/vendor.ts';

export interface HttpOptions {
  readonly clock: Clock;
  /** Certificates trusted beside the usual ones, in PEM; null: none. */
  readonly caFile: string | null;
}

export interface HttpCarrier {
  request(request: VendorRequest): Promise<VendorResponse>;
  close(): Promise<void>;
}

const CONNECTIONS_PER_ORIGIN = 32;
const CONNECT_TIMEOUT_MS = 10_000;
/** Below the 5 s after which many servers close: a request sent into a closing connection would fail. */
const KEEP_ALIVE_MS = 4_000;

export function createHttp(options: HttpOptions): HttpCarrier {
  const agent = new Agent({
    connections: CONNECTIONS_PER_ORIGIN,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connect: { timeout: CONNECT_TIMEOUT_MS, ...authorities(options.caFile) },
  });
  return {
    request: (request) => send(agent, options.clock, request),
    // Not `close`, which waits for answers that somebody may never read.
    close: () => agent.destroy(),
  };
}

async function send(agent: Agent, clock: Clock, request: VendorRequest): Promise<VendorResponse> {
  const { origin, pathname, search } = new URL(request.url);
  const issuedMicros = clock.nowMicros();
  try {
    const answer = await agent.request({
      origin,
      path: `${pathname}${search}`,
      method: request.method,
      headers: { 'accept-encoding': 'gzip, deflate', ...request.headers },
      body: request.body ?? null,
      signal: request.signal,
      headersTimeout: request.timeoutMs,
      bodyTimeout: request.timeoutMs,
    });
    const headers = lowered(answer.headers);
    return { status: answer.statusCode, headers, body: bodyOf(answer, headers, request), issuedMicros };
  } catch (error) {
    throw failure(error, request);
  }
}

/** The connection's errors reach the reader as `Transient`, through the decoder too; a body cut within gzip is one of them. */
function bodyOf(
  answer: Dispatcher.ResponseData,
  headers: Record<string, string>,
  request: VendorRequest,
): ReadableStream<Uint8Array> {
  const decoder = decoderOf(headers['content-encoding']);
  if (decoder !== null) {
    delete headers['content-encoding'];
    delete headers['content-length'];
    answer.body.on('error', (error) => decoder.destroy(error));
    decoder.on('close', () => answer.body.destroy());
    answer.body.pipe(decoder);
  }
  return readable(decoder ?? answer.body, request);
}

/** Pulled chunk by chunk, so a slow reader holds up the sender and memory stays small. */
function readable(stream: Readable, request: VendorRequest): ReadableStream<Uint8Array> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await chunks.next();
          if (next.done === true) controller.close();
          else controller.enqueue(next.value);
        } catch (error) {
          controller.error(failure(error, request));
        }
      },
      cancel() {
        // Without a listener, being destroyed in the middle would be an uncaught error.
        stream.on('error', () => undefined);
        stream.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}

function decoderOf(encoding: string | undefined): Duplex | null {
  switch (encoding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      return null;
  }
}

function lowered(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) all[name.toLowerCase()] = Array.isArray(value) ? value.join(', ') : value;
  }
  return all;
}

/** Says where, never what: neither path, query nor headers, which may hold secrets or personal data. */
function failure(error: unknown, request: VendorRequest): Error {
  if (request.signal.aborted) return request.signal.reason as Error;
  const { host } = new URL(request.url);
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) {
    return new Transient('vendor_silent', `${host} was silent for ${request.timeoutMs} ms.`, { cause: error });
  }
  if (error instanceof errors.InvalidArgumentError) {
    return new Misconfigured('invalid_request', `A request to ${host} is malformed: check its URL and headers.`);
  }
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY/.test(code)) {
    const advice = 'give the file of its authority, or correct the address';
    return new Misconfigured('vendor_untrusted', `The certificate of ${host} is not trusted (${code}): ${advice}.`, {
      cause: error,
    });
  }
  return new Transient('vendor_unreachable', `${host} gave no complete answer (${code}).`, { cause: error });
}

function authorities(caFile: string | null): { readonly ca?: string[] } {
  return caFile === null ? {} : { ca: [...rootCertificates, readAuthorities(caFile)] };
}

export function readAuthorities(caFile: string): string {
  try {
    return readFileSync(caFile, 'utf8');
  } catch (error) {
    throw new Misconfigured(
      'ca_file_unreadable',
      `The file of certificates ${caFile} cannot be read: give the path of a PEM file.`,
      { cause: error },
    );
  }
}
