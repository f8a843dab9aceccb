/**
 * A proxy before Google's Pub/Sub emulator that says goodbye for clients that cannot. The emulator never notices that a
 * connection broke: it keeps handing every second message to the streaming pulls of a process that was killed, each for
 * ten seconds or longer, and again after that (seen after a FIN and after a reset; the service notices). A cancelled
 * stream before the end of the connection does not help either. What it does notice is a client that has no more to say,
 * so that is what the proxy tells it of every stream left open.
 */
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';

export interface Goodbyes {
  /** `host:port` */
  readonly address: string;
  stop(): Promise<void>;
}

/** RFC 9113: what a client sends first, and the parts of a frame's header. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const HEADER_BYTES = 9;
const [DATA, HEADERS, RST_STREAM] = [0, 1, 3];
const END_STREAM = 0x1;

export async function startGoodbyes(port: number): Promise<Goodbyes> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const emulator = connect(port, '127.0.0.1');
    for (const socket of [client, emulator]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      // What matters of an error is the close after it.
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    }
    const frames = new ClientFrames();
    client.on('data', (chunk: Buffer) => {
      if (!emulator.write(frames.whole(chunk))) client.pause();
    });
    emulator.on('drain', () => client.resume());
    client.once('close', () => emulator.end(frames.farewell()));
    emulator.pipe(client);
    emulator.once('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What one client sends: passed on by whole frames, so that a goodbye can follow whatever was cut off. */
class ClientFrames {
  /** Streams whose client has more to say: only streaming pulls stay long. */
  readonly #open = new Set<number>();
  #held: Buffer = Buffer.alloc(0);
  #speaks: 'unknown' | 'http2' | 'other' = 'unknown';

  whole(chunk: Buffer): Buffer {
    if (this.#speaks === 'other') return chunk;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    let at = 0;
    if (this.#speaks === 'unknown') {
      const known = Math.min(bytes.length, PREFACE.length);
      if (bytes.compare(PREFACE, 0, known, 0, known) !== 0) {
        this.#speaks = 'other';
        return bytes;
      }
      if (known === PREFACE.length) {
        this.#speaks = 'http2';
        at = known;
      }
    }
    if (this.#speaks === 'http2') at = this.#read(bytes, at);
    this.#held = bytes.subarray(at);
    return bytes.subarray(0, at);
  }

  /** Answers where the first frame begins that is not whole yet. */
  #read(bytes: Buffer, from: number): number {
    let at = from;
    while (bytes.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const [type, flags, stream] = [bytes[at + 3], bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5) & 0x7fffffff];
      const ends = type === RST_STREAM || ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0);
      if (type === HEADERS) this.#open.add(stream);
      if (ends) this.#open.delete(stream);
      at = end;
    }
    return at;
  }

  /** An empty last frame for every stream that is open; of one that the server has ended meanwhile, it is ignored. */
  farewell(): Buffer {
    const goodbyes = [...this.#open].map((stream) => {
      const frame = Buffer.alloc(HEADER_BYTES);
      frame[4] = END_STREAM;
      frame.writeUInt32BE(stream, 5);
      return frame;
    });
    return Buffer.concat(goodbyes);
  }
}
