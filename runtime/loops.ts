/** What a service does without being sent a message: schedules, each run after the other, and singletons, each under a lease. */
import { backoffMs } from '#core/retry.ts';
import type { Declared, Living } from '#core/service.ts';
import type { HostPorts } from './host-ports.ts';
import type { Leases } from './leases.ts';

export interface LoopsOptions {
  readonly declared: Declared;
  readonly ports: HostPorts;
  readonly leases: Leases;
  readonly living: () => Living<Declared> | undefined;
  /** Each schedule runs under a lease named after it: two instances must not poll twice. */
  readonly leasedSchedules: boolean;
  readonly tell: (what: string, error: unknown) => void;
}

/** How long to wait before what failed is tried again; `attempt` counts from 2. */
export const RESTART = { attempts: Number.MAX_SAFE_INTEGER, baseMs: 500, ceilingMs: 30_000 };
export const SLOWEST_ATTEMPT = 12;

export class Loops {
  readonly #options: LoopsOptions;
  readonly #running: Promise<void>[] = [];

  constructor(options: LoopsOptions) {
    this.#options = options;
  }

  /** Runs until `signal` is aborted: by a stop, or because the service lost its lease. */
  start(signal: AbortSignal): void {
    const { declared, leases, leasedSchedules } = this.#options;
    for (const [name, { everySeconds }] of Object.entries(declared.schedules)) {
      const repeat = (held: AbortSignal): Promise<void> => this.#repeat(name, everySeconds * 1_000, held);
      this.add(() => (leasedSchedules ? this.#underLease(leases, name, signal, repeat) : repeat(signal)));
    }
    for (const name of Object.keys(declared.singletons))
      this.add(() => this.#underLease(leases, name, signal, (held) => this.#again(name, held)));
  }

  add(work: () => Promise<void>): void {
    this.#running.push(this.#guarded('loop', work));
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  async #underLease(
    leases: Leases,
    name: string,
    signal: AbortSignal,
    work: (held: AbortSignal) => Promise<void>,
  ): Promise<void> {
    while (!signal.aborted) await leases.hold(`${this.#options.declared.name}.${name}`, signal, work);
  }

  async #repeat(name: string, everyMs: number, signal: AbortSignal): Promise<void> {
    const { ports, living } = this.#options;
    while (!signal.aborted) {
      await this.#guarded(`schedule ${name}`, async () => living()?.schedules[name]?.(signal));
      await ports.clock.sleep(everyMs, signal).catch(ended);
    }
  }

  /** Runs a singleton again and again, at growing intervals if it does not last, until its lease ends. */
  async #again(name: string, held: AbortSignal): Promise<void> {
    const { ports, living } = this.#options;
    const { clock, random } = ports;
    for (let attempt = 2; !held.aborted; attempt += 1) {
      const startedMs = clock.monotonicMs();
      await this.#guarded(name, async () => living()?.singletons[name]?.(held));
      if (clock.monotonicMs() - startedMs > RESTART.ceilingMs) attempt = 1;
      const pauseMs = backoffMs(RESTART, Math.min(attempt, SLOWEST_ATTEMPT), random, 100);
      if (!held.aborted) await clock.sleep(pauseMs, held).catch(ended);
    }
  }

  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.tell(what, error);
    }
  }
}

/** The loop's own condition says whether to go on. */
const ended = (): void => undefined;
