import { once } from 'node:events';
import { connect as http2 } from 'node:http2';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { v1 } from '@google-cloud/pubsub';
import { credentials } from '@grpc/grpc-js';
import { startGoodbyes, type Goodbyes } from '#tools/emulators/goodbyes.ts';
import { describeOnEmulator, unused, PROJECT } from '#test/adapters/broker/pubsub/kit.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Heard {
  readonly goodbyes: Goodbyes;
  /** All bytes of the next connection, once it is over. */
  readonly heard: Promise<Buffer>;
}

async function listener(): Promise<Heard> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const goodbyes = await startGoodbyes((server.address() as AddressInfo).port);
  ends.push(
    () => server.close(),
    () => goodbyes.stop(),
  );
  return { goodbyes, heard: promise };
}

async function connected(goodbyes: Goodbyes): Promise<Socket> {
  const [host, port] = goodbyes.address.split(':');
  const socket = connect(Number(port), host);
  await once(socket, 'connect');
  return socket;
}

/** Stream 5, which nobody ended: DATA without a body, the last of its stream. */
const GOODBYE = '000000000100000005';
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n').toString('hex');
const HEADERS = '000001010400000003' + '82';
const HEADERS_AND_END = '000001010500000003' + '82';
const OPEN = '000001010400000005' + '82';
const CUT_OFF = '000010000000000005' + 'abcd';

it.each([
  { name: 'a stream left open is ended', sent: PREFACE + OPEN, arrives: PREFACE + OPEN + GOODBYE },
  { name: 'a frame cut off is dropped', sent: PREFACE + OPEN + CUT_OFF, arrives: PREFACE + OPEN + GOODBYE },
  { name: 'a call that said all is left alone', sent: PREFACE + HEADERS_AND_END, arrives: PREFACE + HEADERS_AND_END },
  {
    name: 'a stream that was reset is left alone',
    sent: `${PREFACE}${HEADERS}00000403000000000300000008${OPEN}`,
    arrives: `${PREFACE}${HEADERS}00000403000000000300000008${OPEN}${GOODBYE}`,
  },
  { name: 'HTTP/1.1 passes untouched', sent: Buffer.from('GET / HTTP/1.1\r\n').toString('hex'), arrives: undefined },
])('when a client is gone, $name, however its bytes were cut', async ({ sent, arrives }) => {
  for (const bytesAtOnce of [1, 7, 1_000]) {
    const { goodbyes, heard } = await listener();
    const socket = await connected(goodbyes);
    const bytes = Buffer.from(sent, 'hex');
    socket.setNoDelay(true);
    for (let at = 0; at < bytes.length; at += bytesAtOnce) socket.write(bytes.subarray(at, at + bytesAtOnce));
    socket.end();
    expect((await heard).toString('hex')).toBe(arrives ?? sent);
  }
});

it("Node's own HTTP/2 client is understood", async () => {
  const { goodbyes, heard } = await listener();
  const session = http2(`http://${goodbyes.address}`);
  session.on('error', () => undefined);
  const request = session.request({ ':method': 'POST', ':path': '/pull' }, { endStream: false });
  request.on('error', () => undefined);
  await new Promise<void>((resolve) => request.write(Buffer.alloc(3_000), () => resolve()));
  session.socket.destroySoon();
  expect((await heard).subarray(-9).toString('hex')).toBe('000000000100000001');
});

await describeOnEmulator('Behind the goodbyes, the emulator', (world) => {
  it('gives a killed process no more messages', async () => {
    const { address } = await world.emulator();
    const client = await world.client();
    const [topic] = await client.createTopic(unused('topic'));
    const name = unused('subscription');
    await topic.createSubscription(name, { ackDeadlineSeconds: 60 });
    const dying = await middleman(address);
    const pulled = await pull(dying.address, name);
    await topic.publishMessage({ data: Buffer.from('first') });
    await expect.poll(() => pulled.messages).toEqual(['first']);
    dying.kill();
    const later = Array.from({ length: 30 }, (_, at) => `later ${at}`);
    for (const text of later) await topic.publishMessage({ data: Buffer.from(text) });
    const alive = await pull(address, name);
    // Far less than the ack deadline after which the emulator would try again.
    await expect.poll(() => alive.messages.filter((text) => text !== 'first').length, { timeout: 5_000 }).toBe(30);
  });
});

/** A way to the emulator that can be cut as a kill cuts it. */
async function middleman(address: string): Promise<{ readonly address: string; kill(): void }> {
  const [host, port] = address.split(':');
  const sockets: Socket[] = [];
  const server = createServer((client) => {
    const to = connect(Number(port), host);
    sockets.push(client, to);
    for (const socket of [client, to]) socket.on('error', () => undefined);
    client.pipe(to).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => server.close());
  const kill = (): void => {
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, kill };
}

interface Pulled {
  readonly messages: string[];
}

async function pull(address: string, subscription: string): Promise<Pulled> {
  const [servicePath, port] = address.split(':');
  const sslCreds = credentials.createInsecure();
  const options = { servicePath, port: Number(port), sslCreds, projectId: PROJECT };
  const subscriber = new v1.SubscriberClient(options as ConstructorParameters<typeof v1.SubscriberClient>[0]);
  const stream = subscriber.streamingPull();
  const messages: string[] = [];
  stream.on('error', () => undefined);
  stream.on('data', (answer: { receivedMessages: { message: { data: Buffer } }[] }) =>
    messages.push(...answer.receivedMessages.map(({ message }) => message.data.toString())),
  );
  stream.write({
    subscription: `projects/${PROJECT}/subscriptions/${subscription}`,
    streamAckDeadlineSeconds: 60,
  });
  ends.push(() => (stream.destroy(), subscriber.close()));
  return { messages };
}
