/**
 * Reads a request's body as bytes. The body parsers at hand read a refused body to its end before they answer, which a
 * sender that never ends turns into a held connection; here the refusal is at once.
 */
import type { IncomingMessage } from 'node:http';

export class BodyRefused extends Error {
  readonly status: 400 | 413 | 415;

  constructor(status: 400 | 413 | 415) {
    super(`The body was refused with ${status}.`);
    this.status = status;
  }
}

/** Rejects with `BodyRefused`: too large, declared or really; compressed, which could unpack to any size; or cut short. */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const { 'content-encoding': encoding, 'content-length': declared } = request.headers;
    if (encoding !== undefined && encoding !== 'identity') return reject(new BodyRefused(415));
    if (Number(declared ?? 0) > limitBytes) return reject(new BodyRefused(413));
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limitBytes) return void chunks.push(chunk);
      request.removeAllListeners('data').pause();
      reject(new BodyRefused(413));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    const cut = (): void => reject(new BodyRefused(400));
    request.once('error', cut).once('close', cut);
  });
}
