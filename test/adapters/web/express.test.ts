import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { createExpressWeb } from '#adapters/web/express.ts';
import type { RouteHandler, WebRequest, WebServer } from '#core/ports/web.ts';
import { virtualClock, type VirtualClock } from '#test/kit/virtual-clock.ts';

const LIMIT = 1_000;
let server: WebServer | undefined;

afterEach(async () => {
  await server?.close(1_000);
  server = undefined;
});

async function serve(handler: RouteHandler, clock: VirtualClock | typeof systemClock = systemClock): Promise<string> {
  const route = { path: '/hooks/dialpad', method: 'POST', bodyLimitBytes: LIMIT, answerWithinMs: 2_000 } as const;
  server = await createExpressWeb({ clock }).listen({ host: '127.0.0.1', port: 0 }, [{ ...route, handler }]);
  return server.url;
}

const ok: RouteHandler = async () => ({ status: 200 });

/** Sends bytes as they are, and answers all that comes back until the other side closes. */
async function raw(url: string, ...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = open(url);
  for (const part of parts) socket.write(part);
  return rest(socket);
}

function open(url: string): Socket {
  const { hostname, port } = new URL(url);
  // What the server cuts in the middle of our sending is what the test is about.
  return connect(Number(port), hostname).on('error', () => undefined);
}

async function rest(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
  await once(socket, 'close');
  return text;
}

const head = (...lines: readonly string[]): string =>
  ['POST /hooks/dialpad HTTP/1.1', 'Host: test', ...lines, '', ''].join('\r\n');

describe('the receiver', () => {
  it('hands on the exact bytes, whatever they are and whatever the content type says', async () => {
    const seen: WebRequest[] = [];
    const url = await serve(async (request) => {
      seen.push(request);
      return { status: 204 };
    });
    const bodies = [
      { type: 'application/json', bytes: Uint8Array.from([0xff, 0xfe, 0x00, 0xc3, 0x28]) },
      { type: 'application/x-www-form-urlencoded', bytes: Buffer.from('a=1&b=%20+') },
      { type: 'text/plain; charset=utf-16', bytes: Buffer.from('{"not": "json"') },
      { type: 'multipart/form-data', bytes: Buffer.from('eyJhbGciOiJIUzI1NiJ9.e30.x\r\n') },
    ];
    for (const { type, bytes } of bodies) {
      const answer = await fetch(`${url}/hooks/dialpad?x=1`, {
        method: 'POST',
        headers: { 'Content-Type': type },
        body: bytes,
      });
      expect(answer.status).toBe(204);
      expect(Buffer.from(seen.at(-1)?.body ?? [])).toEqual(Buffer.from(bytes));
      expect(seen.at(-1)).toMatchObject({ method: 'POST', path: '/hooks/dialpad', headers: { 'content-type': type } });
    }
  });

  it('hands on an empty body as no bytes', async () => {
    let length = -1;
    const url = await serve(async ({ body }) => {
      length = body.length;
      return { status: 200 };
    });
    await fetch(`${url}/hooks/dialpad`, { method: 'POST' });
    expect(length).toBe(0);
  });

  it('refuses a body declared too large before it is sent, and ends the connection', async () => {
    const url = await serve(ok);
    const answer = await raw(url, head(`Content-Length: ${LIMIT + 1}`), 'x');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('ends a chunked body that never ends once it is too large', async () => {
    let called = false;
    const url = await serve(async () => {
      called = true;
      return { status: 200 };
    });
    const socket = open(url);
    socket.write(head('Transfer-Encoding: chunked'));
    const chunk = `${(500).toString(16)}\r\n${'x'.repeat(500)}\r\n`;
    const answered = rest(socket);
    const sending = setInterval(() => socket.write(chunk), 5);
    expect(await answered).toMatch(/^HTTP\/1\.1 413 /);
    clearInterval(sending);
    expect(called).toBe(false);
  });

  it('accepts a body of exactly the limit', async () => {
    const url = await serve(ok);
    const answer = await fetch(`${url}/hooks/dialpad`, { method: 'POST', body: 'x'.repeat(LIMIT) });
    expect(answer.status).toBe(200);
  });

  it('does not unpack a compressed body, which could be a bomb', async () => {
    const url = await serve(ok);
    const answer = await fetch(`${url}/hooks/dialpad`, {
      method: 'POST',
      headers: { 'content-encoding': 'gzip' },
      body: 'x',
    });
    expect(answer.status).toBe(415);
  });

  it('answers 503, never 4xx, and no detail when the handler fails', async () => {
    const url = await serve(async () => {
      throw Object.assign(new Error('secret detail'), { status: 400 });
    });
    const answer = await fetch(`${url}/hooks/dialpad`, { method: 'POST', body: 'x' });
    expect(answer.status).toBe(503);
    expect(await answer.text()).toBe('');
  });

  it('answers 503 and aborts the handler when it takes too long', async () => {
    const clock = virtualClock();
    let started = false;
    let aborted = false;
    const url = await serve((_request, signal) => {
      started = true;
      signal.addEventListener('abort', () => (aborted = true));
      return new Promise(() => undefined);
    }, clock);
    const answer = fetch(`${url}/hooks/dialpad`, { method: 'POST', body: 'x' });
    await clock.until(() => started, 100, 0);
    await clock.advance(2_000);
    expect((await answer).status).toBe(503);
    expect(aborted).toBe(true);
  });

  it('keeps a connection after an answer, and reads the next request on it', async () => {
    const url = await serve(ok);
    const socket = open(url);
    const answered = rest(socket);
    socket.write(head('Content-Length: 1') + 'x');
    await once(socket, 'data');
    socket.write(head('Content-Length: 1', 'Connection: close') + 'x');
    expect((await answered).match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  it.each([
    ['GET', '/hooks/dialpad', 405],
    ['PUT', '/hooks/dialpad', 405],
    ['POST', '/hooks/other', 404],
    ['POST', '/hooks/dialpad/', 404],
    ['POST', '/HOOKS/dialpad', 404],
    ['GET', '/', 404],
    ['POST', '/hooks/%2e%2e/dialpad', 404],
  ])('answers %s %s with %i, without a body or a name of the server', async (method, path, status) => {
    const url = await serve(ok);
    const answer = await fetch(`${url}${path}`, { method });
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe('');
    expect(answer.headers.get('x-powered-by')).toBeNull();
  });

  it('refuses headers too large', async () => {
    const url = await serve(ok);
    expect(await raw(url, head(`X-Large: ${'x'.repeat(20_000)}`))).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('cuts a sender that is too slow, without calling the handler', async () => {
    let called = false;
    const handler: RouteHandler = async () => {
      called = true;
      return { status: 200 };
    };
    const limits = { headersTimeout: 100, requestTimeout: 200, connectionsCheckingInterval: 20 };
    const route = { path: '/hook', method: 'POST', bodyLimitBytes: LIMIT, answerWithinMs: 2_000, handler } as const;
    server = await createExpressWeb({ clock: systemClock, limits }).listen({ host: '127.0.0.1', port: 0 }, [route]);
    expect(await raw(server.url, 'POST /hook HTTP/1.1\r\nHo')).toMatch(/^HTTP\/1\.1 408 /);
    expect(await raw(server.url, 'POST /hook HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nx')).toMatch(
      /^HTTP\/1\.1 408 /,
    );
    expect(called).toBe(false);
  });

  it('answers what is under way before it closes', async () => {
    let finish = (): void => undefined;
    let started = false;
    const url = await serve(async () => {
      started = true;
      await new Promise<void>((resolve) => (finish = resolve));
      return { status: 200 };
    });
    const answer = fetch(`${url}/hooks/dialpad`, { method: 'POST', body: 'x' });
    await expect.poll(() => started).toBe(true);
    const closed = server?.close(5_000);
    finish();
    expect((await answer).status).toBe(200);
    await closed;
    await expect(fetch(url)).rejects.toThrow();
  });

  it('closes in time although a sender never finishes', async () => {
    const url = await serve(ok);
    const socket = open(url);
    socket.write(head('Content-Length: 10') + 'x');
    await once(socket, 'ready');
    await server?.close(50);
  });

  it('says so when the port is taken', async () => {
    const url = await serve(ok);
    const port = Number(new URL(url).port);
    await expect(
      createExpressWeb({ clock: systemClock }).listen({ host: '127.0.0.1', port }, []),
    ).rejects.toMatchObject({ code: 'cannot_listen' });
  });
});
