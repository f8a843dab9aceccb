/** A proxy before the Cloud Storage fake that does what networks and services do now and then. */
import { createServer, request as forward, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export type Fault =
  | { readonly kind: 'none' }
  /** It is done, but the answer never comes: the connection breaks. */
  | { readonly kind: 'lost' }
  /** Not done, and no answer. */
  | { readonly kind: 'hung' }
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  | { readonly kind: 'altered'; readonly alter: (body: Buffer) => Buffer };

export interface GcsProxy {
  readonly endpoint: string;
  readonly seen: readonly Seen[];
  /** Connections that are open now. */
  connections(): Promise<number>;
  /** Asked for every request. */
  fault: (request: Seen) => Fault;
  stop(): Promise<void>;
}

export const NONE: Fault = { kind: 'none' };

/** The faults in turn, for requests that match; then none. */
export function inTurn(matches: (request: Seen) => boolean, ...faults: Fault[]): (request: Seen) => Fault {
  return (request) => (matches(request) ? faults.shift() : undefined) ?? NONE;
}

export const isUpload = ({ method }: Seen): boolean => method === 'POST';
export const isRead = ({ method, url }: Seen): boolean => method === 'GET' && url.includes('alt=media');
export const isDelete = ({ method }: Seen): boolean => method === 'DELETE';

export async function startGcsProxy(target: string): Promise<GcsProxy> {
  const seen: Seen[] = [];
  const server: Server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const request = { method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers };
      seen.push(request);
      const fault = proxy.fault(request);
      if (fault.kind === 'hung') return;
      if (fault.kind === 'answer') return void outgoing.writeHead(fault.status, fault.headers).end(fault.body);
      void pass(target, request, Buffer.concat(chunks)).then(({ status, headers, body }) => {
        if (fault.kind === 'lost') return void outgoing.destroy();
        const answered = fault.kind === 'altered' ? fault.alter(body) : body;
        outgoing.writeHead(status, { ...headers, 'content-length': String(answered.length) }).end(answered);
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const proxy: GcsProxy = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    connections: () => new Promise((resolve) => server.getConnections((_, count) => resolve(count))),
    fault: () => NONE,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}

function pass(target: string, { method, url, headers }: Seen, body: Buffer): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { host: _, ...rest } = headers;
    const passed = forward(`${target}${url}`, { method, headers: rest }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const { 'transfer-encoding': _chunked, ...kept } = answer.headers;
        resolve({ status: answer.statusCode ?? 0, headers: kept, body: Buffer.concat(chunks) });
      });
    });
    passed.on('error', reject).end(body);
  });
}
