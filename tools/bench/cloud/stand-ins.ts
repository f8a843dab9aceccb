/** The emulator and the simulator, in a process of their own, as `npm start` starts them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface StandIns {
  readonly addresses: {
    readonly pubsub: string;
    readonly bigquery: { readonly restUrl: string; readonly grpcEndpoint: string };
  };
  stop(): Promise<void>;
}

const MAIN = join(import.meta.dirname, '../../stand-ins/main.ts');

export async function startStandIns(folder: string): Promise<StandIns> {
  const flags = ['--state-dir', folder, '--pubsub', '--bigquery'];
  const child = spawn(process.execPath, [MAIN, ...flags], { stdio: ['pipe', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout }))
    return {
      addresses: JSON.parse(line) as StandIns['addresses'],
      async stop() {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      },
    };
  throw new Error('The stand-ins did not start: see the lines above.');
}
