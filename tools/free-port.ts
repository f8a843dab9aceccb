/** Ports for programs that cannot say which one they took. */
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that systems hand out of themselves (from 32768 on Linux, 49152 elsewhere): nobody is given it meanwhile. */
const [LOWEST, HIGHEST] = [20_000, 32_000];

/** A port of loopback that nobody listens on now, and hardly anybody will until the caller's program does. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
