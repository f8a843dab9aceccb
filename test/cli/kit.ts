/** Runs the command line as a user does: a process of its own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { vi } from 'vitest';
import { main } from '#cli/main.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export function tributary(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

export function lastJson(ran: Ran): unknown {
  return JSON.parse(ran.out.trim().split('\n').at(-1) ?? '');
}

/** The same in this process, which costs no second of start-up: for commands that end by themselves. One at a time. */
export async function commandLine(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const [before, lines] = [process.exitCode, { out: [] as string[], err: [] as string[] }];
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.out.push(line)),
    vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.err.push(line)),
  ];
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  process.exitCode = undefined;
  try {
    const code = await main(args);
    return { code, out: lines.out.map((line) => `${line}\n`).join(''), err: lines.err.join('\n') };
  } finally {
    process.exitCode = before;
    vi.unstubAllEnvs();
    for (const spy of spies) spy.mockRestore();
  }
}
