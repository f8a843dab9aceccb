/** The pipeline as a process of its own, the way an operator starts it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentName } from '#core/config.ts';
import type { Emit, OperationName, Requests, Status } from '#runtime/operations.ts';
import { operateRemotely } from '#runtime/socket.ts';
import type { Company } from './company.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');

/** Lives of one pipeline on one folder. */
export class Pipeline {
  readonly #acme: Company;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #said = '';

  constructor(acme: Company, values: Readonly<Record<string, string | undefined>>) {
    this.#acme = acme;
    const own = Object.entries(values).map(([name, value]) => [environmentName(name), value ?? '']);
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('TRIBUTARY_'));
    this.#environment = Object.fromEntries([...inherited, ...own]) as Record<string, string>;
  }

  start(): void {
    const child = spawn(process.execPath, [MAIN, 'start', '--json', '--state', join(this.#acme.folder, 'state')], {
      env: this.#environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr?.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
    this.#child = child;
  }

  /** Fails if the process ends by itself meanwhile. */
  async until(condition: () => boolean | Promise<boolean>): Promise<void> {
    for (const endMs = performance.now() + 30_000; !(await condition()); await sleep(5)) {
      if (this.#child?.exitCode !== null) throw new Error(`The pipeline ended by itself: ${this.#said}`);
      if (performance.now() > endMs) throw new Error(`The condition did not come true. ${this.#said}`);
    }
  }

  /** Rows, asked for at its socket. */
  async rows(sql: string): Promise<Readonly<Record<string, unknown>>[]> {
    const rows: Readonly<Record<string, unknown>>[] = [];
    const emit = (chunk: unknown): void => void rows.push(...(chunk as typeof rows));
    await this.#operate('query', { sql, rows: 1_000_000, timeoutMs: 10_000 }, emit);
    return rows;
  }

  /** False also while it does not answer yet. */
  async isIdle(): Promise<boolean> {
    const status = await this.#operate('status', {}).catch(() => null);
    return (status as Status | null)?.idle === true;
  }

  /** Parked messages by code. */
  async deadLetters(): Promise<Readonly<Record<string, number>>> {
    return ((await this.#operate('status', {})) as Status).deadLetters;
  }

  #operate<N extends OperationName>(name: N, body: Requests[N], emit: Emit = () => undefined): Promise<unknown> {
    return operateRemotely(join(this.#acme.folder, 'state'), name, body, { emit, progress: () => undefined });
  }

  get pid(): number {
    return this.#child?.pid ?? -1;
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
