/**
 * Receives pushes. The body reaches the handler as its exact bytes, whatever the content type says, because signatures
 * are over bytes. Our own faults answer 503, which senders try again; a 4xx would make them give up.
 */
import { createServer, type Server, type ServerOptions, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import type { Clock } from '#core/clock.ts';
import { Misconfigured } from '#core/errors.ts';
import type { Route, RouteHandler, WebPort, WebRequest, WebResponse } from '#core/ports/web.ts';
import { BodyRefused, readBody } from './body.ts';

type Served = Route & { readonly handler: RouteHandler };

/** Slow or endless senders are cut; the largest push known is read in well under a second. */
const LIMITS: ServerOptions = {
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16_384,
  // How often the three timeouts above are checked: Node's default of 30 s would make them 30 s longer.
  connectionsCheckingInterval: 1_000,
};
const REQUESTS_PER_SOCKET = 1_000;

/** Answers the platform: a status, and why, as JSON. Must neither wait nor throw. */
export type Probe = () => { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

export interface ExpressWebOptions {
  readonly clock: Clock;
  /** By path. */
  readonly probes?: Readonly<Record<string, Probe>>;
  /** Replaces some of the limits, for tests. */
  readonly limits?: ServerOptions;
}

export function createExpressWeb(options: ExpressWebOptions): WebPort {
  return {
    async listen(address, routes) {
      const server = createServer({ ...LIMITS, ...options.limits }, application(routes, options));
      server.maxRequestsPerSocket = REQUESTS_PER_SOCKET;
      const answering = new Set<ServerResponse>();
      server.on('request', (_request, response) => {
        answering.add(response);
        response.once('close', () => answering.delete(response));
      });
      await listening(server, address);
      const { port } = server.address() as AddressInfo;
      const host = address.host.includes(':') ? `[${address.host}]` : address.host;
      const close = (timeoutMs: number): Promise<void> => closed(server, answering, timeoutMs, options.clock);
      return { url: `http://${host}:${port}`, close };
    },
  };
}

function application(routes: readonly Served[], { clock, probes = {} }: ExpressWebOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.enable('strict routing');
  for (const [path, probe] of Object.entries(probes))
    app.get(path, (_request, response) => {
      const { status, body } = probe();
      response.set('cache-control', 'no-store').status(status).json(body);
    });
  for (const route of routes) {
    app.post(route.path, answering(route, clock));
    app.all(route.path, (_request, response) => void response.set('allow', route.method).status(405).end());
  }
  app.use((_request, response) => void response.status(404).end());
  app.use(fault);
  return app;
}

function answering(route: Served, clock: Clock): RequestHandler {
  return async (request, response) => {
    const body = await readBody(request, route.bodyLimitBytes);
    const answer = await answerInTime(route, received(request, body), clock);
    response.status(answer.status);
    if (answer.body === undefined) response.end();
    else response.type('text/plain').end(answer.body);
  };
}

/** What the handler still does after the time is up is its own affair: its signal is aborted, its answer ignored. */
function answerInTime(route: Served, request: WebRequest, clock: Clock): Promise<WebResponse> {
  const controller = new AbortController();
  return new Promise((resolve) => {
    const cancel = clock.after(route.answerWithinMs, () => {
      resolve({ status: 503 });
      controller.abort();
    });
    const settle = (answer: WebResponse): void => {
      cancel();
      resolve(answer);
    };
    const failed = (): void => settle({ status: 503 });
    Promise.resolve()
      .then(() => route.handler(request, controller.signal))
      .then(settle, failed);
  });
}

function received(request: Request, body: Uint8Array): WebRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return { method: request.method, path: request.path, headers, body };
}

/**
 * A body that cannot be had, or a fault of ours. The socket goes with the answer, or what is still being sent would be
 * read as the next request. No text of the error is sent: it may quote the request.
 */
const fault: ErrorRequestHandler = (error: unknown, request, response, _next) => {
  if (response.headersSent || request.socket.destroyed) return void request.destroy();
  const status = error instanceof BodyRefused ? error.status : 503;
  response.once('finish', () => request.socket.destroySoon());
  response.set('connection', 'close').status(status).end();
};

function listening(server: Server, address: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const where = `${address.host}:${address.port}`;
      const message = `The receiver cannot listen on ${where} (${error.code}): choose another address or port.`;
      reject(new Misconfigured('cannot_listen', message, { cause: error }));
    };
    server.once('error', failed);
    server.listen({ host: address.host, port: address.port, exclusive: true }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

/** Answers what is under way, then ends what is left after the time. */
function closed(
  server: Server,
  answering: ReadonlySet<ServerResponse>,
  timeoutMs: number,
  clock: Clock,
): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(timeoutMs, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
    // Otherwise a sender would keep the connection, and us, after its answer.
    for (const response of answering) if (!response.headersSent) response.setHeader('connection', 'close');
  });
}
