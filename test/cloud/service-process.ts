/** One service as a process of its own, as a container runs it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { environmentName } from '#core/config.ts';
import type { Values } from '#runtime/settings.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');
const READY_WITHIN_MS = 60_000;

export class ServiceProcess {
  readonly name: string;
  readonly #port: number;
  readonly #environment: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  #said = '';

  constructor(name: string, port: number, values: Values) {
    this.name = name;
    this.#port = port;
    const inherited = Object.entries(process.env).filter(([key]) => !key.startsWith('TRIBUTARY_'));
    const own = Object.entries({ ...values, 'web.port': String(port) });
    this.#environment = Object.fromEntries([
      ...inherited,
      ...own.map(([key, value]) => [environmentName(key), value ?? '']),
    ]) as NodeJS.ProcessEnv;
  }

  /** What it said on standard error and output, for a test that fails. */
  get said(): string {
    return this.#said.slice(-4_000);
  }

  start(): void {
    const child = spawn(process.execPath, [MAIN, 'serve', this.name], {
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const listen = (chunk: Buffer): void => void (this.#said = `${this.#said}${chunk.toString()}`.slice(-20_000));
    child.stdout.on('data', listen);
    child.stderr.on('data', listen);
    this.#child = child;
  }

  /** Fails if it ends by itself meanwhile. */
  async untilReady(): Promise<void> {
    const end = performance.now() + READY_WITHIN_MS;
    for (;;) {
      if (this.#child?.exitCode !== null) throw new Error(`${this.name} ended by itself: ${this.said}`);
      const answer = await fetch(`http://127.0.0.1:${this.#port}/readyz`).catch(() => undefined);
      if (answer?.ok === true) return;
      if (performance.now() > end) throw new Error(`${this.name} is not ready: ${this.said}`);
      await sleep(50);
    }
  }

  /** As a machine that fails does: nothing is drained. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** As the platform ends an instance. Answers its exit code, and how long it took. */
  async terminate(): Promise<{ readonly code: number | null; readonly tookMs: number }> {
    const startedMs = performance.now();
    return { code: await this.#end('SIGTERM'), tookMs: performance.now() - startedMs };
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    const [code] = (await exited) as [number | null];
    return code;
  }
}
