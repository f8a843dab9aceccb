/**
 * Google's SQL analyzer as a process: a line of JSON in (`SqlRequest`), a line of JSON out (`SqlVerdict[]`, or `{fault}`).
 * Ends when standard input closes, and the analyzer with it.
 */
import { createInterface } from 'node:readline';
import { analyse } from './analyse.ts';
import type { SqlRequest } from './protocol.ts';
import { startServer } from './server.ts';

const server = await startServer();
process.once('SIGTERM', () => process.stdin.destroy());
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await analyse(server, JSON.parse(line) as SqlRequest).catch((error: unknown) => ({
    fault: String(error),
  }));
  console.log(JSON.stringify(answer));
}
server.stop();
