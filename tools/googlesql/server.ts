/**
 * The analyzer as the npm package carries it: a native program that answers over gRPC on loopback. The package's own
 * client is left aside, because it cannot tell when the program is up, or that it ended.
 */
import * as grpc from '@grpc/grpc-js';
import * as loader from '@grpc/proto-loader';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from '../free-port.ts';

const FILES = join(import.meta.dirname, 'node_modules/@fivetrandevelopers/zetasql/lib/zetasql');
const UP_WITHIN_MS = 30_000;
const MAX_BYTES = 256 * 1024 * 1024;

type Message = Readonly<Record<string, unknown>>;
type Method = (request: Message, done: (error: grpc.ServiceError | null, answer: Message) => void) => void;

export interface AnalyzerServer {
  /** Rejects with a `grpc.ServiceError` where the analyzer refuses: code 3 for SQL that is wrong. */
  call(
    method: 'Analyze' | 'RegisterCatalog' | 'UnregisterCatalog' | 'GetLanguageOptions',
    request: Message,
  ): Promise<Message>;
  stop(): void;
}

/** Throws if the program cannot start here, or does not answer within 30 s. */
export async function startServer(): Promise<AnalyzerServer> {
  const port = await freePort();
  const program = spawn(join(FILES, programName()), ['127.0.0.1', String(port)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const client = clientOf(port);
  const stop = (): void => {
    client.close();
    program.kill('SIGKILL');
  };
  try {
    await Promise.race([ready(client), ended(program)]);
  } catch (error) {
    stop();
    throw error;
  }
  return { stop, call: (method, request) => call(client, method, request) };
}

function programName(): string {
  return `remote_server${process.arch === 'arm64' ? '_arm' : ''}${process.platform === 'darwin' ? '' : '.so'}`;
}

function clientOf(port: number): grpc.Client {
  const definition = loader.loadSync('local_service.proto', {
    includeDirs: [join(FILES, 'protos')],
    defaults: false,
    oneofs: true,
    longs: String,
    enums: String,
  });
  const loaded = grpc.loadPackageDefinition(definition) as unknown as {
    readonly zetasql: { readonly local_service: { readonly ZetaSqlLocalService: typeof grpc.Client } };
  };
  return new loaded.zetasql.local_service.ZetaSqlLocalService(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {
    'grpc.max_send_message_length': MAX_BYTES,
    'grpc.max_receive_message_length': MAX_BYTES,
    'grpc.max_reconnect_backoff_ms': 200,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.enable_http_proxy': 0,
  });
}

function call(client: grpc.Client, name: string, request: Message): Promise<Message> {
  const method = (client as unknown as Readonly<Record<string, Method>>)[name]!.bind(client);
  return new Promise((resolve, reject) => {
    method(request, (error, answer) => (error === null ? resolve(answer) : reject(error)));
  });
}

function ready(client: grpc.Client): Promise<void> {
  const deadline = performance.timeOrigin + performance.now() + UP_WITHIN_MS;
  return new Promise((resolve, reject) => {
    client.waitForReady(deadline, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

function ended(program: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    program.once('error', reject);
    program.once('exit', (code, signal) => {
      reject(new Error(`The analyzer's program ended with ${signal ?? String(code)}: does it fit this machine?`));
    });
  });
}
