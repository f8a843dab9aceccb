/**
 * The running pipeline's socket in its state folder: its owner's alone. One operation a request; the answer is lines of
 * JSON: `{"progress"}` and `{"chunk"}` as they come, at last `{"result"}` or `{"error"}`.
 */
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { codeOf, messageOf, Misconfigured } from '#core/errors.ts';
import type { Progress } from '#core/service.ts';
import type { EmbeddedRuntime } from './embedded.ts';
import { operate, type Emit, type OperationName, type Requests } from './operations.ts';

/** An operation's failure, as the other process told it. */
export class OperationFailed extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'OperationFailed';
    this.code = code;
  }
}

type Line =
  | { readonly progress: readonly [number, number | null, string] }
  | { readonly chunk: unknown }
  | { readonly result: unknown }
  | { readonly error: { readonly code: string; readonly message: string } };

export function socketPath(folder: string): string {
  return join(folder, 'tributary.sock');
}

/** Whether a pipeline runs on this folder. A socket that nobody answers is a dead process's. */
export function isRunning(folder: string): Promise<boolean> {
  const path = socketPath(folder);
  if (!existsSync(path)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Serves the runtime; the returned function closes and removes the socket. Throws `Misconfigured` if another process serves. */
export async function serveSocket(folder: string, runtime: EmbeddedRuntime): Promise<() => Promise<void>> {
  const path = socketPath(folder);
  if (await isRunning(folder)) throw alreadyRunning(folder);
  rmSync(path, { force: true });
  const server = createServer((incoming, response) => void answer(runtime, incoming, response));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    const before = process.umask(0o177);
    server.listen(path, resolve);
    process.umask(before);
  });
  chmodSync(path, 0o600);
  return async () => {
    server.closeAllConnections();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    rmSync(path, { force: true });
  };
}

export function alreadyRunning(folder: string): Misconfigured {
  return new Misconfigured(
    'already_running',
    `A pipeline already runs on ${folder}: stop it first, or give another folder with --state.`,
  );
}

async function answer(runtime: EmbeddedRuntime, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const aborted = new AbortController();
  response.on('close', () => aborted.abort());
  const write = (line: Line): void => void response.write(`${JSON.stringify(line)}\n`);
  try {
    const { operation, request: body } = JSON.parse(await text(incoming)) as {
      operation: OperationName;
      request: never;
    };
    const result = await operate(runtime, operation, body, {
      emit: (chunk) => write({ chunk }),
      progress: (done, total, what) => write({ progress: [done, total, what] }),
      signal: aborted.signal,
    });
    write({ result });
  } catch (error) {
    write({ error: { code: codeOf(error), message: messageOf(error) } });
  }
  response.end();
}

async function text(incoming: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

/** Runs an operation in the process that holds the folder. Throws `OperationFailed` with what it answered. */
export async function operateRemotely<N extends OperationName>(
  folder: string,
  name: N,
  body: Requests[N],
  io: { readonly emit: Emit; readonly progress: Progress },
): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({ socketPath: socketPath(folder), method: 'POST', path: '/' }, resolve);
    outgoing.once('error', reject);
    outgoing.end(JSON.stringify({ operation: name, request: body }));
  });
  for await (const raw of createInterface({ input: response })) {
    const line = JSON.parse(raw) as Line;
    if ('progress' in line) io.progress(...line.progress);
    else if ('chunk' in line) io.emit(line.chunk);
    else if ('error' in line) throw new OperationFailed(line.error.code, line.error.message);
    else return line.result;
  }
  throw new OperationFailed('connection_lost', 'The pipeline stopped before it answered: run the command again.');
}
