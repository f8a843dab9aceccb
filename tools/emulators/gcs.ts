/**
 * A Cloud Storage fake (fake-gcs-server) on a free loopback port. It is a Go program, built once into the cache folder:
 * where Go is missing, or its modules cannot be fetched, `findFakeGcs` says so, and what needs it is skipped.
 *
 * Not as the service does it: a delete ignores its precondition, nothing is throttled, nobody needs rights, and writing
 * to a bucket that is missing makes it. Never set STORAGE_EMULATOR_HOST: Google's client then asks for other paths.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '#adapters/clock/system.ts';
import { freePort } from '#tools/free-port.ts';

export type FoundFakeGcs = { readonly binary: string } | { readonly missing: string };

export interface FakeGcs {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  stop(): Promise<void>;
}

export interface FakeGcsOptions {
  /** Where it keeps its objects; in memory without one. */
  readonly folder?: string;
  /** Made at the start if absent. */
  readonly buckets?: readonly string[];
}

const VERSION = 'v1.54.0';
const PACKAGE = `github.com/fsouza/fake-gcs-server@${VERSION}`;
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/tributary-tools');
const BINARY = join(CACHE, `fake-gcs-server-${VERSION}`);
const BUILDS_WITHIN_MS = 600_000;
const STARTS_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;
/** Ends the server when the process that started it is gone, killed too: its standard input is closed then. */
const UNTIL_STDIN_ENDS = '"$@" </dev/null & server=$!; cat >/dev/null; kill -9 $server; wait';

const run = promisify(execFile);

/** Builds it if it is not there yet; about a minute, once, of which `say` (standard error) is told. */
export async function findFakeGcs(say: (line: string) => void = (line) => console.error(line)): Promise<FoundFakeGcs> {
  if (existsSync(BINARY)) return { binary: BINARY };
  try {
    await run('go', ['version']);
  } catch {
    return { missing: 'there is no Go to build fake-gcs-server with' };
  }
  say(`Building fake-gcs-server ${VERSION}, once: about a minute.`);
  try {
    await build();
    return { binary: BINARY };
  } catch (error) {
    return { missing: `fake-gcs-server cannot be built: ${lastLine(error)}` };
  }
}

/** Several processes may build at once: each in a folder of its own, moved into place whole. */
async function build(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'build-'));
  try {
    const env = { ...process.env, CGO_ENABLED: '0', GOBIN: folder };
    await run('go', ['install', PACKAGE], { env, timeout: BUILDS_WITHIN_MS, cwd: folder });
    await rename(join(folder, 'fake-gcs-server'), BINARY);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export async function startFakeGcs(binary: string, options: FakeGcsOptions = {}): Promise<FakeGcs> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const backend =
    options.folder === undefined
      ? ['-backend', 'memory']
      : ['-backend', 'filesystem', '-filesystem-root', options.folder];
  const server = [binary, '-scheme', 'http', '-host', '127.0.0.1', '-port', String(port), '-public-host', host];
  const child = spawn('sh', ['-c', UNTIL_STDIN_ENDS, 'sh', ...server, ...backend, '-log-level', 'error'], {
    // Its own process group: the server is a child of the shell.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const endpoint = `http://${host}`;
  try {
    await answers(endpoint, child);
    for (const bucket of options.buckets ?? []) await createBucket(endpoint, bucket);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { endpoint, stop: () => stop(child) };
}

/** Does nothing if it exists. */
export async function createBucket(endpoint: string, name: string): Promise<void> {
  const buckets = `${endpoint}/storage/v1/b`;
  if ((await fetch(`${buckets}/${name}`)).ok) return;
  const headers = { 'content-type': 'application/json' };
  const made = await fetch(`${buckets}?project=local`, { method: 'POST', headers, body: JSON.stringify({ name }) });
  if (!made.ok) throw new Error(`The bucket ${name} cannot be made: ${made.status}.`);
}

async function answers(endpoint: string, child: ChildProcess): Promise<void> {
  let output = '';
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const lastMs = systemClock.monotonicMs() + STARTS_WITHIN_MS;
  while (systemClock.monotonicMs() < lastMs) {
    const up = await fetch(`${endpoint}/_internal/healthcheck`).catch(() => undefined);
    if (up?.ok === true) return;
    await systemClock.sleep(LOOK_EVERY_MS);
  }
  throw new Error(`The Cloud Storage fake did not start: ${output}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
  return (stderr ?? message).trim().split('\n').at(-1) ?? message;
}
