/**
 * Receives pushes over HTTP. It hands on the body's exact bytes, bounded in size and time, and never blames the sender for
 * a fault of ours: what a handler throws, or does not answer in time, is 503, after which vendors send again.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import type { Route, RouteHandler, WebPort, WebResponse, WebServer } from '#core/ports/web.ts';

export type ServedRoute = Route & { readonly handler: RouteHandler };

/** A slow or endless sender must not hold a socket: Node's own defaults are minutes. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
const CONNECTIONS_CHECK_MS = 2_000;
const MAX_HEADER_BYTES = 16_384;
const MAX_REQUESTS_PER_SOCKET = 1_000;
const MAX_CONNECTIONS = 1_000;

export const expressWeb: WebPort = {
  async listen({ host, port }, routes) {
    const server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      },
      appOf(routes),
    );
    server.maxRequestsPerSocket = MAX_REQUESTS_PER_SOCKET;
    server.maxConnections = MAX_CONNECTIONS;
    const bound = await bind(server, host, port);
    return {
      url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
      close: (timeoutMs) => close(server, timeoutMs),
    } satisfies WebServer;
  },
};

function appOf(routes: readonly ServedRoute[]): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  for (const route of routes) {
    app.post(route.path, rawBody(route.bodyLimitBytes), answer(route));
    app.all(route.path, (_request, response) => void response.status(405).set('allow', route.method).end());
  }
  app.use((_request, response) => void response.status(404).end());
  app.use(refuse);
  return app;
}

/** Whatever the content type says; compressed bodies are refused, since their size is not known before they are opened. */
function rawBody(limit: number): RequestHandler {
  return express.raw({ type: () => true, limit, inflate: false });
}

function answer(route: ServedRoute): RequestHandler {
  return async (request, response) => {
    const stop = new AbortController();
    const late = new Promise<WebResponse>((resolve) => {
      const timer = setTimeout(() => resolve({ status: 503 }), route.answerWithinMs);
      response.once('close', () => clearTimeout(timer));
    });
    const handled = handle(route, request, stop.signal);
    const { status, body } = await Promise.race([handled, late]);
    stop.abort();
    if (!response.headersSent) send(response, status, body);
  };
}

async function handle(route: ServedRoute, request: Request, signal: AbortSignal): Promise<WebResponse> {
  const bytes: unknown = request.body;
  try {
    return await route.handler(
      {
        method: request.method,
        path: request.path,
        headers: plainHeaders(request),
        body: bytes instanceof Uint8Array ? bytes : new Uint8Array(),
      },
      signal,
    );
  } catch {
    return { status: 503 };
  }
}

function plainHeaders(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}

function send(response: Response, status: number, body: string | undefined): void {
  response.status(status);
  if (body === undefined) response.end();
  else response.type('text/plain').send(body);
}

/** The body reader's own refusals (too large, cut short, compressed) say only their status; the socket is not read on. */
const refuse: ErrorRequestHandler = (error: unknown, request, response, _next) => {
  const status = statusOf(error);
  if (response.headersSent) return void request.socket.destroy();
  response
    .status(status)
    .set('connection', 'close')
    .end(() => request.socket.destroySoon());
};

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 503;
  return status >= 400 && status < 500 ? status : 503;
}

function bind(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

/** Stops listening, lets the requests under way finish, and cuts what is left after `timeoutMs`. */
function close(server: Server, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), timeoutMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
