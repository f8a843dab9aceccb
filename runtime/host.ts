/**
 * Runs one service for as long as it lives.
 *
 *     waiting for its lease ──▶ running ⇄ paused (a dependency is down; a probe resumes it) ──▶ stopped
 *             ▲                    │
 *             └──── lease lost ◀───┘
 */
import { Misconfigured, messageOf, codeOf, Stale, type DependencyDown } from '#core/errors.ts';
import { takeLease, type Lease } from '#core/lease.ts';
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
import type { HostPorts } from './host-ports.ts';
import { withOutcomes } from './outcome.ts';
import { subscriptionsOf } from './topology.ts';

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

const LEASE_TTL_MS = 15_000;
const PROBE = { attempts: Number.MAX_SAFE_INTEGER, baseMs: 250, ceilingMs: 10_000 };
const RESTART = { attempts: Number.MAX_SAFE_INTEGER, baseMs: 500, ceilingMs: 30_000 };

export class ServiceHost implements HostView {
  readonly declared: Declared;
  readonly #service: AnyService;
  readonly #ports: HostPorts;
  readonly #config: Readonly<Record<string, unknown>>;
  readonly #stopping = new AbortController();
  readonly #loops: Promise<void>[] = [];
  #consumers: Consumer[] = [];
  #living: Living<Declared> | undefined;
  #lease: Lease | undefined;
  #paused = false;
  #working = 0;

  constructor(service: AnyService, config: Readonly<Record<string, unknown>>, ports: HostPorts) {
    this.#service = service;
    this.declared = service.declared;
    this.#config = config;
    this.#ports = ports;
  }

  /** Starts the service; under a lease, waits for it in the background. Throws what `start` throws. */
  async start(): Promise<void> {
    if (!this.declared.underLease) return this.#run(0, this.#stopping.signal);
    const lease = await this.#tryLease(this.declared.name);
    if (lease !== undefined) return this.#runUnder(lease);
    this.#runWhenFree();
  }

  get living(): Living<Declared> | undefined {
    return this.#living;
  }

  /** True while something is under way that no backlog shows. */
  get busy(): boolean {
    return this.#working > 0 || this.#living?.busy?.() === true;
  }

  get state(): HostView['state'] {
    if (this.#paused) return 'paused';
    return this.#living === undefined ? 'waiting' : 'running';
  }

  get paused(): boolean {
    return this.#paused;
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

  /** Drains, then stops. Work still under way after `timeoutMs` is released to be done again. */
  async stop(timeoutMs: number): Promise<void> {
    this.#stopping.abort(new Stale('stopping', 'The process is stopping.'));
    await Promise.all(this.#consumers.map((consumer) => consumer.drain(timeoutMs)));
    await Promise.allSettled(this.#loops);
    await this.#living?.stop?.();
    await this.#lease?.release();
    this.#ports.telemetry.emit('serviceStopped', { service: this.declared.name });
  }

  #runWhenFree(): void {
    this.#loop(async (signal) => this.#runUnder(await this.#waitForLease(this.declared.name, signal)));
  }

  async #runUnder(lease: Lease): Promise<void> {
    this.#lease = lease;
    const lost = new AbortController();
    await this.#run(lease.epoch, AbortSignal.any([this.#stopping.signal, lost.signal]));
    this.#keepLease(lease, this.declared.name, () => {
      lost.abort(new Stale('lease_lost', `The lease ${this.declared.name} was lost.`));
      this.#loop(() => this.#startOver());
    });
  }

  /** Another instance owns the work now: everything held is released, and this one waits for the lease again. */
  async #startOver(): Promise<void> {
    const [consumers, living] = [this.#consumers, this.#living];
    [this.#consumers, this.#living, this.#lease] = [[], undefined, undefined];
    await Promise.all(consumers.map((consumer) => consumer.drain(0)));
    await this.#guarded('stop', async () => living?.stop?.());
    this.#runWhenFree();
  }

  async #run(leaseEpoch: number, signal: AbortSignal): Promise<void> {
    const living = await this.#service.start(this.#context(leaseEpoch, signal));
    this.#living = living;
    this.#consumers = subscriptionsOf(this.declared).map((spec) => {
      const name = spec.name.slice(this.declared.name.length + 1, -(spec.lane.length + 1));
      const handler = living.handlers[name];
      if (handler === undefined)
        throw new Misconfigured('no_handler', `${this.declared.name} does not answer for «${name}».`);
      return this.#ports.broker.consume(
        spec,
        withOutcomes(handler, { ...this.#ports, spec, onDependencyDown: (error) => void this.#pauseAndProbe(error) }),
      );
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
    const leaseName = `${this.declared.name}.${name}`;
    this.#loop(async () => {
      const lease = await this.#waitForLease(leaseName, signal);
      const lost = new AbortController();
      this.#keepLease(lease, leaseName, () => lost.abort(new Stale('lease_lost', `The lease ${leaseName} was lost.`)));
      const both = AbortSignal.any([signal, lost.signal]);
      for (let attempt = 2; !both.aborted; attempt += 1) {
        const startedMs = this.#ports.clock.monotonicMs();
        await this.#guarded(name, async () => this.#living?.singletons[name]?.(both));
        if (this.#ports.clock.monotonicMs() - startedMs > RESTART.ceilingMs) attempt = 1;
        if (!both.aborted)
          await this.#ports.clock.sleep(backoffMs(RESTART, Math.min(attempt, 12), this.#ports.random, 100), both);
      }
      await lease.release();
    });
  }

  async #guarded(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#ports.telemetry.emit('faultSeen', {
        service: this.declared.name,
        code: codeOf(error),
        message: `${what}: ${messageOf(error)}`,
      });
    }
  }

  #loop(work: (signal: AbortSignal) => Promise<void>): void {
    this.#loops.push(this.#guarded('loop', () => work(this.#stopping.signal)));
  }

  async #tryLease(name: string): Promise<Lease | undefined> {
    const { leaseStore: store, clock, owner } = this.#ports;
    const lease = await takeLease({ store, clock, owner, name, ttlMs: LEASE_TTL_MS });
    if (lease !== undefined)
      this.#ports.telemetry.emit('leaseTaken', { service: this.declared.name, lease: name, epoch: lease.epoch });
    return lease;
  }

  async #waitForLease(name: string, signal: AbortSignal): Promise<Lease> {
    for (;;) {
      const lease = await this.#tryLease(name);
      if (lease !== undefined) return lease;
      await this.#ports.clock.sleep(LEASE_TTL_MS / 5, signal);
    }
  }

  #keepLease(lease: Lease, name: string, lost: () => void): void {
    this.#loop(async (signal) => {
      for (;;) {
        await this.#ports.clock.sleep(LEASE_TTL_MS / 3, signal);
        try {
          await lease.renew();
        } catch (error) {
          this.#ports.telemetry.emit('leaseLost', { service: this.declared.name, lease: name });
          lost();
          throw error;
        }
      }
    });
  }

  async #pause(dependency: string, code: string): Promise<void> {
    this.#paused = true;
    this.#ports.telemetry.emit('servicePaused', { service: this.declared.name, dependency, code });
    await Promise.all(this.#consumers.map((consumer) => consumer.pause()));
  }

  async #pauseAndProbe(error: DependencyDown): Promise<void> {
    if (this.#paused || this.#stopping.signal.aborted) return;
    const { clock, random, telemetry } = this.#ports;
    const startedMs = clock.monotonicMs();
    const { signal } = this.#stopping;
    await this.#pause(error.dependency, error.code);
    for (let attempt = 2; !signal.aborted; attempt += 1) {
      try {
        await clock.sleep(backoffMs(PROBE, Math.min(attempt, 10), random, 100), signal);
        await this.#living?.probe?.();
        break;
      } catch (failure) {
        if (!signal.aborted)
          telemetry.emit('faultSeen', {
            service: this.declared.name,
            code: codeOf(failure),
            message: messageOf(failure),
          });
      }
    }
    this.#paused = false;
    if (signal.aborted) return;
    this.#consumers.forEach((consumer) => consumer.resume());
    telemetry.emit('serviceResumed', { service: this.declared.name, pausedMs: clock.monotonicMs() - startedMs });
  }
}
