/**
 * Runs one service for as long as it lives.
 *
 *     waiting for its lease ──▶ running ⇄ paused (a dependency is down; a probe resumes it) ──▶ stopped
 *             ▲                    │
 *             └──── lease lost ◀───┘
 */
import { Misconfigured, messageOf, codeOf, Stale } from '#core/errors.ts';
import type { Consumer } from '#core/ports/broker.ts';
import { backoffMs } from '#core/retry.ts';
import type {
  AnyService,
  CommandArguments,
  CommandResult,
  Context,
  Declared,
  Living,
  Progress,
} from '#core/service.ts';
import { consumeAll } from './consumers.ts';
import type { HostPorts } from './host-ports.ts';
import { Leases } from './leases.ts';
import { Pauses } from './pauses.ts';

/** A host as the outside sees it, in whichever thread it runs. */
export interface HostView {
  readonly declared: Declared;
  /** `waiting`: for its lease, or to be started. */
  readonly state: 'waiting' | 'running' | 'paused';
  /** Something is under way that no backlog shows. */
  readonly busy: boolean;
  readonly paused: boolean;
  /** Throws `Misconfigured` for a command that is not there. */
  command(name: string, args: CommandArguments, progress: Progress, signal: AbortSignal): Promise<CommandResult>;
}

const RESTART = { attempts: Number.MAX_SAFE_INTEGER, baseMs: 500, ceilingMs: 30_000 };

export class ServiceHost implements HostView {
  readonly declared: Declared;
  readonly #service: AnyService;
  readonly #ports: HostPorts;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #stopping = new AbortController();
  /** After the last work: only now may another instance take the lease. */
  readonly #stopped = Promise.withResolvers<void>();
  readonly #leases: Leases;
  readonly #pauses: Pauses;
  readonly #loops: Promise<void>[] = [];
  #consumers: Consumer[] = [];
  #living: Living<Declared> | undefined;
  #working = 0;

  constructor(service: AnyService, config: Readonly<Record<string, unknown>>, ports: HostPorts) {
    this.#service = service;
    this.declared = service.declared;
    this.#config = config;
    this.#ports = ports;
    this.#leases = new Leases(service.declared.name, ports);
    this.#pauses = new Pauses({
      ...ports,
      service: service.declared.name,
      signal: this.#stopping.signal,
      consumers: () => this.#consumers,
      probe: () => this.#living?.probe?.(),
    });
  }

  /** Starts the service; under a lease that another holds, waits for it in the background. Throws what `start` throws. */
  async start(): Promise<void> {
    if (!this.declared.underLease) return this.#run(0, this.#stopping.signal);
    const started = Promise.withResolvers<void>();
    this.#loop(() => this.#runUnderLease(started));
    await started.promise;
  }

  get living(): Living<Declared> | undefined {
    return this.#living;
  }

  /** True while something is under way that no backlog shows. */
  get busy(): boolean {
    return this.#working > 0 || this.#living?.busy?.() === true;
  }

  get state(): HostView['state'] {
    if (this.paused) return 'paused';
    return this.#living === undefined ? 'waiting' : 'running';
  }

  get paused(): boolean {
    return this.#pauses.paused;
  }

  async command(name: string, args: CommandArguments, progress: Progress, signal: AbortSignal): Promise<CommandResult> {
    const command = this.#living?.commands[name];
    if (command === undefined)
      throw new Misconfigured('not_running', `The service ${this.declared.name} is not running here.`);
    this.#working += 1;
    try {
      return await command(args, progress, AbortSignal.any([signal, this.#stopping.signal]));
    } finally {
      this.#working -= 1;
    }
  }

  /** Drains, then stops, then gives the leases back. Work still under way after `timeoutMs` is released to be done again. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort(new Stale('stopping', 'The process is stopping.'));
    await Promise.all(this.#consumers.map((consumer) => consumer.drain(timeoutMs)));
    try {
      await this.#living?.stop?.();
    } finally {
      this.#stopped.resolve();
      await Promise.allSettled(this.#loops);
    }
    this.#ports.telemetry.emit('serviceStopped', { service: this.declared.name });
  }

  /** `started` settles with the first start, or when the lease turns out to be another's; a later start that fails is tried again. */
  async #runUnderLease(started: PromiseWithResolvers<void>): Promise<void> {
    const { signal } = this.#stopping;
    const { clock, random } = this.#ports;
    let isFirst = true;
    const settle = (): void => {
      isFirst = false;
      started.resolve();
    };
    const run = async (held: AbortSignal, epoch: number): Promise<void> => {
      await this.#run(epoch, held);
      settle();
      await untilAborted(held);
      if (!signal.aborted) await this.#release();
      else await this.#stopped.promise;
    };
    for (let attempt = 2; !signal.aborted; attempt += 1) {
      try {
        await this.#leases.hold(this.declared.name, signal, run, settle);
        attempt = 1;
      } catch (error) {
        if (isFirst) return started.reject(error);
        this.#tell('start', error);
        await this.#release();
        await clock.sleep(backoffMs(RESTART, Math.min(attempt, 12), random, 100), signal).catch(ended);
      }
    }
  }

  /** Another instance owns the work now: everything held is given back, and this one waits for the lease again. */
  async #release(): Promise<void> {
    const [consumers, living] = [this.#consumers, this.#living];
    [this.#consumers, this.#living] = [[], undefined];
    await Promise.all(consumers.map((consumer) => consumer.drain(0)));
    await this.#guarded('stop', async () => living?.stop?.());
  }

  async #run(leaseEpoch: number, signal: AbortSignal): Promise<void> {
    const living = await this.#service.start(this.#context(leaseEpoch, signal));
    this.#living = living;
    this.#consumers = consumeAll({
      declared: this.declared,
      living,
      ports: this.#ports,
      onDependencyDown: (error) => void this.#pauses.until(error),
    });
    for (const [name, { everySeconds }] of Object.entries(this.declared.schedules))
      this.#schedule(name, everySeconds * 1_000, signal);
    for (const name of Object.keys(this.declared.singletons)) this.#singleton(name, signal);
    this.#ports.telemetry.emit('serviceStarted', { service: this.declared.name });
  }

  #context(leaseEpoch: number, signal: AbortSignal): Context<Declared> {
    const { broker: _broker, publisher, factPublisher, parking: _parking, ...rest } = this.#ports;
    const allowed = new Set<string>(this.declared.publishes);
    return {
      ...rest,
      ports: rest.ports,
      config: this.#config as Context<Declared>['config'],
      leaseEpoch,
      signal,
      publish: async (topic, messages, survives) => {
        if (!allowed.has(topic))
          throw new Misconfigured('not_declared', `${this.declared.name} does not declare that it publishes ${topic}.`);
        await publisher.publish(topic, messages, survives);
      },
      record: factPublisher,
    };
  }

  #schedule(name: string, everyMs: number, signal: AbortSignal): void {
    this.#loop(async () => {
      for (;;) {
        await this.#guarded(`schedule ${name}`, async () => this.#living?.schedules[name]?.(signal));
        await this.#ports.clock.sleep(everyMs, signal);
      }
    });
  }

  #singleton(name: string, signal: AbortSignal): void {
    this.#loop(async () => {
      while (!signal.aborted) {
        await this.#leases.hold(`${this.declared.name}.${name}`, signal, (held) => this.#again(name, held));
      }
    });
  }

  /** Runs a singleton again and again, at growing intervals if it does not last, until its lease ends. */
  async #again(name: string, held: AbortSignal): Promise<void> {
    const { clock, random } = this.#ports;
    for (let attempt = 2; !held.aborted; attempt += 1) {
      const startedMs = clock.monotonicMs();
      await this.#guarded(name, async () => this.#living?.singletons[name]?.(held));
      if (clock.monotonicMs() - startedMs > RESTART.ceilingMs) attempt = 1;
      if (!held.aborted) await clock.sleep(backoffMs(RESTART, Math.min(attempt, 12), random, 100), held).catch(ended);
    }
  }

  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#tell(what, error);
    }
  }

  #tell(what: string, error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const message = `${what}: ${messageOf(error)}`;
    this.#ports.telemetry.emit('faultSeen', { service: this.declared.name, code: codeOf(error), message });
  }

  #loop(work: (signal: AbortSignal) => Promise<void>): void {
    this.#loops.push(this.#guarded('loop', () => work(this.#stopping.signal)));
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The loop's own condition says whether to go on. */
const ended = (): void => undefined;
