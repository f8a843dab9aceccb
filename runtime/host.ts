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
import type { HostOptions, HostView } from './host-view.ts';
import type { HostPorts } from './host-ports.ts';
import { consumeAll } from './consumers.ts';
import { Exclusive } from './exclusive.ts';
import { Leases } from './leases.ts';
import { Loops, RESTART, SLOWEST_ATTEMPT } from './loops.ts';
import { Pauses } from './pauses.ts';

export type { HostView } from './host-view.ts';

export class ServiceHost implements HostView {
  readonly declared: Declared;
  readonly #service: AnyService;
  readonly #ports: HostPorts;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #stopping = new AbortController();
  /** After the last work: only now may another instance take the lease. */
  readonly #stopped = Promise.withResolvers<void>();
  readonly #leases: Leases;
  readonly #exclusive: Exclusive;
  readonly #pauses: Pauses;
  readonly #loops: Loops;
  readonly #works: boolean;
  #consumers: Consumer[] = [];
  #starting: Promise<void> = Promise.resolve();
  #living: Living<Declared> | undefined;
  #working = 0;

  constructor(
    service: AnyService,
    config: Readonly<Record<string, unknown>>,
    ports: HostPorts,
    { part = 'all', leasedSchedules = false }: HostOptions = {},
  ) {
    this.#service = service;
    this.declared = service.declared;
    this.#config = config;
    this.#ports = ports;
    this.#works = part === 'all' || part === 'work';
    this.#leases = new Leases(service.declared.name, ports);
    this.#exclusive = new Exclusive(service.declared.name, this.#leases);
    this.#loops = new Loops({
      declared: service.declared,
      ports,
      leases: this.#leases,
      living: () => this.#living,
      leasedSchedules,
      tell: (what, error) => this.#tell(what, error),
    });
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
    if (!this.declared.underLease) {
      this.#starting = this.#run(0, this.#stopping.signal);
      return this.#starting;
    }
    const started = Promise.withResolvers<void>();
    this.#loops.add(() => this.#runUnderLease(started));
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

  /**
   * Drains, then stops, then gives the leases back. Work still under way after `timeoutMs` is released to be done again. A
   * start that is under way is ended, and waited for.
   */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort(new Stale('stopping', 'The process is stopping.'));
    await this.#starting.catch(ended);
    await Promise.all(this.#consumers.map((consumer) => consumer.drain(timeoutMs)));
    try {
      await this.#living?.stop?.();
    } finally {
      this.#stopped.resolve();
      await this.#loops.settled();
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
        await clock.sleep(backoffMs(RESTART, Math.min(attempt, SLOWEST_ATTEMPT), random, 100), signal).catch(ended);
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
    if (this.#stopping.signal.aborted) return living.stop?.();
    this.#living = living;
    if (this.#works) this.#work(living, signal);
    this.#ports.telemetry.emit('serviceStarted', { service: this.declared.name });
  }

  #work(living: Living<Declared>, signal: AbortSignal): void {
    this.#consumers = consumeAll({
      declared: this.declared,
      living,
      ports: this.#ports,
      onDependencyDown: (error) => void this.#pauses.until(error),
    });
    this.#loops.start(signal);
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
      exclusively: (name, while_, work) => this.#exclusive.run(name, while_, work),
    };
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
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The loop's own condition says whether to go on. */
const ended = (): void => undefined;
