/**
 * Google's own Pub/Sub emulator on a free loopback port. It is a Java program of the Google Cloud SDK and not needed for
 * anything else: where it is missing, `findPubsubEmulator` says why, and the tests that need it are skipped.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock } from '#adapters/clock/system.ts';
import { freePort } from '#tools/free-port.ts';
import { startGoodbyes } from './goodbyes.ts';

export type FoundEmulator = { readonly launcher: string } | { readonly missing: string };

export interface PubsubEmulator {
  /** `host:port` */
  readonly address: string;
  stop(): Promise<void>;
}

const run = promisify(execFile);
const STARTS_WITHIN_MS = 30_000;

export async function findPubsubEmulator(): Promise<FoundEmulator> {
  try {
    await run('java', ['-version']);
  } catch {
    return { missing: 'there is no Java' };
  }
  try {
    const { stdout } = await run('gcloud', ['info', '--format=value(installation.sdk_root)']);
    const launcher = join(stdout.trim(), 'platform', 'pubsub-emulator', 'bin', 'cloud-pubsub-emulator');
    return existsSync(launcher) ? { launcher } : { missing: 'the SDK has no component pubsub-emulator' };
  } catch {
    return { missing: 'there is no Google Cloud SDK' };
  }
}

/** What it does not notice of killed clients, `goodbyes` tells it. */
export async function startPubsubEmulator(launcher: string): Promise<PubsubEmulator> {
  const port = await freePort();
  // Its own process group: the launcher is a shell script that starts Java.
  const child = spawn(launcher, ['--host=127.0.0.1', `--port=${port}`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    await started(child);
  } catch (error) {
    await stop(child);
    throw error;
  }
  const goodbyes = await startGoodbyes(port);
  return {
    address: goodbyes.address,
    async stop() {
      await goodbyes.stop();
      await stop(child);
    },
  };
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const cancel = systemClock.after(STARTS_WITHIN_MS, () =>
      reject(new Error(`The emulator did not start: ${output}`)),
    );
    const read = (chunk: Buffer): void => {
      output += chunk.toString();
      if (!output.includes('Server started')) return;
      cancel();
      resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The emulator ended with ${code}: ${output}`)));
  });
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  process.kill(-child.pid, 'SIGKILL');
  await ended;
}
