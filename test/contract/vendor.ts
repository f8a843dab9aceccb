/** What every way to a source promises: it carries exactly, says when it sent, and calls an incomplete answer what it is. */
import { gzipSync } from 'node:zlib';
import { Metadata, status, type ServerDuplexStream, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '#core/clock.ts';
import { Transient } from '#core/errors.ts';
import { RpcError, type VendorPort, type VendorRequest, type VendorRpc } from '#core/ports/vendor.ts';
import { virtualClock, type VirtualClock } from '#test/kit/virtual-clock.ts';
import {
  makeCertificate,
  startGrpcSource,
  startHttpSource,
  type Certificate,
  type GrpcSource,
  type HttpSource,
} from './vendor-servers.ts';

export interface VendorUnderTest {
  readonly vendor: VendorPort;
  close(): Promise<void>;
}

type Message = Readonly<Record<string, unknown>>;
type Make = (options: { readonly clock: Clock; readonly caFile: string | null }) => VendorUnderTest;

const SECRET = 'token-that-must-not-show';

export function describeVendorContract(name: string, make: Make): void {
  describe(`the vendor contract: ${name}`, () => {
    let certificate: Certificate;
    let http: HttpSource;
    let grpc: GrpcSource;
    let clock: VirtualClock;
    let under: VendorUnderTest;

    beforeAll(async () => {
      certificate = await makeCertificate();
    });
    afterAll(() => certificate.remove());
    beforeEach(async () => {
      http = await startHttpSource(certificate);
      grpc = await startGrpcSource(certificate);
      clock = virtualClock();
      under = make({ clock, caFile: certificate.caFile });
    });
    afterEach(async () => {
      await under.close();
      await http.close();
      grpc.close();
    });

    const request = (changes: Partial<VendorRequest> = {}): VendorRequest => ({
      instance: 'org',
      method: 'GET',
      url: `${http.origin}/path/to?q=${SECRET}`,
      headers: { authorization: `Bearer ${SECRET}` },
      purpose: 'poll',
      timeoutMs: 10_000,
      signal: new AbortController().signal,
      ...changes,
    });

    async function text(changes: Partial<VendorRequest> = {}): Promise<string> {
      const { body } = await under.vendor.request(request(changes));
      return new Response(body).text();
    }

    async function failure(work: Promise<unknown>): Promise<Error> {
      const error = await work.then(
        () => new Error('It did not fail.'),
        (thrown: unknown) => thrown as Error,
      );
      expect(`${error.name} ${error.message}`).not.toContain(SECRET);
      return error;
    }

    describe('a request', () => {
      it('fails as transient when the connection is cut before an answer', async () => {
        http.answer = (incoming) => void incoming.socket.destroy();
        expect(await failure(text())).toBeInstanceOf(Transient);
      });

      it('fails as transient, while reading, when the body is shorter than announced', async () => {
        http.answer = (_incoming, response) => {
          response.writeHead(200, { 'content-length': 100 });
          response.write('half', () => response.destroy());
        };
        const { status: answered, body } = await under.vendor.request(request());
        expect(answered).toBe(200);
        expect(await failure(new Response(body).text())).toBeInstanceOf(Transient);
      });

      it('fails as transient, while reading, when a chunked body is cut', async () => {
        http.answer = (_incoming, response) => void response.write('half', () => response.destroy());
        const { body } = await under.vendor.request(request());
        expect(await failure(new Response(body).text())).toBeInstanceOf(Transient);
      });

      it('fails as transient when a packed body is cut, or is not what it says', async () => {
        const packed = gzipSync('x'.repeat(100_000));
        for (const sent of [packed.subarray(0, packed.length - 20), Buffer.from('not packed at all')]) {
          http.answer = (_incoming, response) => void response.setHeader('content-encoding', 'gzip').end(sent);
          expect(await failure(text())).toBeInstanceOf(Transient);
        }
      });

      it('fails as transient when the other side is silent, before or within the answer', async () => {
        http.answer = () => undefined;
        expect(await failure(text({ timeoutMs: 200 }))).toMatchObject({ code: 'vendor_silent' });
        http.answer = (_incoming, response) => void response.write('then nothing');
        const { body } = await under.vendor.request(request({ timeoutMs: 200 }));
        expect(await failure(new Response(body).text())).toMatchObject({ code: 'vendor_silent' });
      });

      it('fails as transient when nobody listens', async () => {
        expect(await failure(text({ url: 'https://127.0.0.1:1/' }))).toBeInstanceOf(Transient);
      });

      it('is not sent to a server whose certificate is not trusted', async () => {
        let seen = false;
        http.answer = (_incoming, response) => {
          seen = true;
          response.end();
        };
        const stranger = make({ clock, caFile: null });
        expect(await failure(stranger.vendor.request(request()))).toMatchObject({ code: 'vendor_untrusted' });
        expect(seen).toBe(false);
        await stranger.close();
      });

      it('answers any status, and follows no redirect', async () => {
        for (const sent of [200, 301, 302, 307, 400, 401, 404, 429, 500, 503]) {
          http.answer = (_incoming, response) => void response.writeHead(sent, { location: '/elsewhere' }).end('said');
          const { status: answered, body } = await under.vendor.request(request());
          expect(answered).toBe(sent);
          expect(await new Response(body).text()).toBe('said');
        }
      });

      it('carries method, path, headers and bytes exactly, and answers headers in lower case', async () => {
        const sent = Uint8Array.from([0, 255, 10, 13, 128]);
        let seen: unknown;
        http.answer = (incoming, response) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () => {
            const { method, url, headers } = incoming;
            seen = { method, url, custom: headers['x-custom'], bytes: Buffer.concat(chunks) };
            response.writeHead(200, { 'Sforce-Locator': 'null', 'X-Two': ['a', 'b'] }).end();
          });
        };
        const { headers, body } = await under.vendor.request(
          request({
            method: 'POST',
            url: `${http.origin}/a%2Fb?q=SELECT%20Id+1`,
            headers: { 'X-Custom': 'as it is' },
            body: sent,
          }),
        );
        await body.cancel();
        expect(seen).toEqual({
          method: 'POST',
          url: '/a%2Fb?q=SELECT%20Id+1',
          custom: 'as it is',
          bytes: Buffer.from(sent),
        });
        expect(headers).toMatchObject({ 'sforce-locator': 'null', 'x-two': 'a, b' });
      });

      it('unpacks a body, and leaves bytes alone that are not packed', async () => {
        http.answer = (_incoming, response) =>
          void response.setHeader('content-encoding', 'gzip').end(gzipSync('packed'));
        expect(await text()).toBe('packed');
        http.answer = (_incoming, response) => void response.end(gzipSync('packed'));
        const { body } = await under.vendor.request(request());
        expect(Buffer.from(await new Response(body).arrayBuffer())).toEqual(gzipSync('packed'));
      });

      it('is stamped with the time it was sent, not with that of its answer', async () => {
        const before = clock.nowMicros();
        http.answer = (_incoming, response) => {
          clock.stepWall(5_000);
          response.end();
        };
        const { issuedMicros, body } = await under.vendor.request(request());
        await body.cancel();
        expect(issuedMicros).toBe(before);
      });

      it('uses connections again', async () => {
        for (let sent = 0; sent < 5; sent++) await text();
        // A second one may be opened while the first is not yet free.
        expect(http.connections).toBeLessThanOrEqual(2);
      });

      it('holds up the sender of a body that nobody reads, and lets go of it when cancelled', async () => {
        const total = 64_000_000;
        let written = 0;
        let closed = false;
        http.answer = (_incoming, response) => {
          const more = (): void => {
            while (written < total) {
              written += 64_000;
              if (!response.write(Buffer.alloc(64_000))) return void response.once('drain', more);
            }
          };
          response.once('close', () => (closed = true));
          more();
        };
        const { body } = await under.vendor.request(request());
        const reader = body.getReader();
        await reader.read();
        await steady(() => written);
        expect(written).toBeLessThan(total / 2);
        await reader.cancel();
        await expect.poll(() => closed).toBe(true);
      });

      it('ends with the reason of its signal', async () => {
        http.answer = () => undefined;
        const controller = new AbortController();
        const sent = under.vendor.request(request({ signal: controller.signal }));
        const reason = new Error('stopping');
        controller.abort(reason);
        await expect(sent).rejects.toBe(reason);
        await expect(under.vendor.request(request({ signal: controller.signal }))).rejects.toBe(reason);
      });
    });

    describe('a remote call', () => {
      const rpc = (method: string, changes: Partial<VendorRpc> = {}): VendorRpc => ({
        rpc: `/eventbus.v1.PubSub/${method}`,
        endpoint: grpc.endpoint,
        instance: 'org',
        metadata: { accesstoken: SECRET, tenantid: '00D000000000001' },
        purpose: 'prompt',
        signal: new AbortController().signal,
        ...changes,
      });

      const refusal = (code: status, errorCode?: string): Error => {
        const metadata = new Metadata();
        if (errorCode !== undefined) metadata.set('error-code', errorCode);
        return Object.assign(new Error(`refused ${SECRET}`), { code, details: `refused ${SECRET}`, metadata });
      };

      async function read(stream: AsyncIterable<Message>): Promise<Message[]> {
        const seen: Message[] = [];
        for await (const message of stream) seen.push(message);
        return seen;
      }

      it('cannot publish: there is no definition to call', async () => {
        for (const method of ['Publish', 'PublishStream']) {
          expect(await failure(under.vendor.call(rpc(method), {}))).toMatchObject({ code: 'unknown_rpc' });
          expect(() => under.vendor.stream(rpc(method))).toThrow(/no definition/);
        }
      });

      it('tells a failure by status and by the code in the trailer', async () => {
        const code = 'sfdc.platform.eventbus.grpc.service.auth.error';
        grpc.answers = {
          GetTopic: (_call: unknown, done: sendUnaryData<object>) => done(refusal(status.UNAUTHENTICATED, code)),
          GetSchema: (_call: unknown, done: sendUnaryData<object>) => done(refusal(status.NOT_FOUND)),
        };
        const refused = await failure(under.vendor.call(rpc('GetTopic'), { topic_name: 't' }));
        expect(refused).toBeInstanceOf(RpcError);
        expect(refused).toMatchObject({ failure: { status: 'UNAUTHENTICATED', errorCode: code } });
        expect(await failure(under.vendor.call(rpc('GetSchema'), {}))).toMatchObject({
          failure: { status: 'NOT_FOUND', errorCode: null },
        });
      });

      it('fails as unavailable when nobody listens', async () => {
        const refused = await failure(under.vendor.call(rpc('GetTopic', { endpoint: '127.0.0.1:1' }), {}));
        expect(refused).toMatchObject({ failure: { status: 'UNAVAILABLE' } });
      });

      it('carries metadata and message, and answers fields as the protocol names them', async () => {
        let seen: unknown;
        grpc.answers = {
          GetTopic: (call: ServerUnaryCall<Message, object>, done: sendUnaryData<object>) => {
            seen = { ...call.request, token: call.metadata.get('accesstoken')[0] };
            done(null, { topic_name: 't', can_subscribe: true, schema_id: 's' });
          },
        };
        const answer = await under.vendor.call<object, Message>(rpc('GetTopic'), { topic_name: '/data/ChangeEvents' });
        expect(seen).toEqual({ topic_name: '/data/ChangeEvents', token: SECRET });
        expect(answer).toMatchObject({ topic_name: 't', can_subscribe: true, can_publish: false, schema_id: 's' });
      });

      it('streams both ways, with bytes as bytes, until the other side ends', async () => {
        grpc.answers = {
          Subscribe: (call: ServerDuplexStream<Message, object>) => {
            call.on('data', (fetch: Message) => {
              const event = { id: 'e', schema_id: 's', payload: Buffer.from([0, 255]) };
              const { num_requested: asked } = fetch;
              call.write({ events: [{ event, replay_id: Buffer.from([1, 2]) }], pending_num_requested: asked });
            });
            call.on('end', () => call.end());
          },
        };
        const stream = under.vendor.stream<Message, Message>(rpc('Subscribe'));
        await stream.send({ topic_name: 't', replay_preset: 'EARLIEST', num_requested: 3 });
        await stream.send({ num_requested: 4 });
        stream.end();
        const seen = await read(stream);
        expect(seen.map((message) => message.pending_num_requested)).toEqual([3, 4]);
        expect(seen[0]).toMatchObject({
          events: [{ event: { payload: Buffer.from([0, 255]) }, replay_id: Buffer.from([1, 2]) }],
        });
      });

      it('gives what came before a failure, then the failure', async () => {
        const code = 'sfdc.platform.eventbus.grpc.subscription.fetch.replayid.corrupted';
        grpc.answers = {
          Subscribe: (call: ServerDuplexStream<Message, object>) => {
            call.write({ pending_num_requested: 1 }, () => call.emit('error', refusal(status.INVALID_ARGUMENT, code)));
          },
        };
        const seen: Message[] = [];
        const reading = (async () => {
          const stream = under.vendor.stream<Message, Message>(rpc('Subscribe'));
          await stream.send({ topic_name: 't' });
          for await (const message of stream) seen.push(message);
        })();
        expect(await failure(reading)).toMatchObject({ failure: { status: 'INVALID_ARGUMENT', errorCode: code } });
        expect(seen).toHaveLength(1);
      });

      it('is ended on the other side too when cancelled, aborted, or no longer read', async () => {
        let ended = 0;
        grpc.answers = {
          Subscribe: (call: ServerDuplexStream<Message, object>) => {
            call.on('cancelled', () => ended++);
            call.on('data', () => call.write({ pending_num_requested: 1 }));
          },
        };
        const controller = new AbortController();
        const ways: ((stream: ReturnType<typeof open>) => void)[] = [
          (stream) => stream.cancel(),
          () => controller.abort(new Error('stopping')),
        ];
        const open = () => under.vendor.stream<Message, Message>(rpc('Subscribe', { signal: controller.signal }));
        const read1 = open();
        await read1.send({ topic_name: 't' });
        for await (const _message of read1) break;
        await expect.poll(() => ended).toBe(1);
        for (const [index, way] of ways.entries()) {
          const stream = open();
          await stream.send({ topic_name: 't' });
          const messages = stream[Symbol.asyncIterator]();
          await messages.next();
          way(stream);
          await expect(messages.next()).rejects.toThrow();
          await expect.poll(() => ended).toBe(index + 2);
        }
      });

      it('refuses to send on a stream that has failed', async () => {
        grpc.answers = {
          Subscribe: (call: ServerDuplexStream<Message, object>) =>
            void call.emit('error', refusal(status.UNAVAILABLE)),
        };
        const stream = under.vendor.stream<Message, Message>(rpc('Subscribe'));
        await failure(read(stream));
        expect(await failure(stream.send({ topic_name: 't' }))).toMatchObject({ failure: { status: 'UNAVAILABLE' } });
      });
    });
  });
}

/** Waits until a figure has stopped growing. */
async function steady(figure: () => number): Promise<void> {
  let last = -1;
  await expect
    .poll(
      () => {
        const same = figure() === last;
        last = figure();
        return same;
      },
      { interval: 100 },
    )
    .toBe(true);
}
