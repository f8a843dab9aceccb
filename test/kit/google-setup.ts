/** Stand-ins for Google's services, once for all files of the project `google`: emulator, simulator and fake, each of its own process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestProject } from 'vitest/node';

export interface Google {
  readonly pubsub: string;
  readonly bigquery: { readonly restUrl: string; readonly grpcEndpoint: string };
  readonly gcs: { readonly endpoint: string; readonly bucket: string };
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Null outside of the project `google`. */
    google: Google | { readonly missing: string } | null;
  }
}

const MAIN = join(import.meta.dirname, '../../tools/stand-ins/main.ts');

export interface StandIns {
  readonly google: Google | { readonly missing: string };
  stop(): Promise<void>;
}

/** `missing` where a program is not on this machine; throws for any other fault. */
export async function startStandIns(folder: string): Promise<StandIns> {
  const flags = ['--state-dir', folder, '--pubsub', '--bigquery', '--gcs'];
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) {
    const stop = async (): Promise<void> => {
      child.kill('SIGTERM');
      await exited;
    };
    return { google: JSON.parse(line) as Google, stop };
  }
  const [code] = (await exited) as [number | null];
  if (code !== 3) throw new Error(`The stand-ins did not start: ${said}`);
  return { google: { missing: said.trim() }, stop: async () => undefined };
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-google-'));
  const standIns = await startStandIns(folder);
  project.provide('google', standIns.google);
  return async () => {
    await standIns.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
