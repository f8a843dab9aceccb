/** Holding leases for a service: waiting for one, renewing it while work goes on, giving it back after. */
import { codeOf, messageOf, Stale } from '#core/errors.ts';
import { takeLease, type Lease } from '#core/lease.ts';
import type { HostPorts } from './host-ports.ts';

const TTL_MS = 15_000;

export class Leases {
  readonly #service: string;
  readonly #ports: HostPorts;

  constructor(service: string, ports: HostPorts) {
    this.#service = service;
    this.#ports = ports;
  }

  /**
   * Waits for the lease, works under it, gives it back. `work` must end when its signal is aborted: by `signal`, or because
   * the lease was lost. `onWaiting` is told that another instance holds it, or the store does not answer. Rejects with what
   * `work` throws, and when `signal` ends the waiting.
   */
  async hold(
    name: string,
    signal: AbortSignal,
    work: (held: AbortSignal, epoch: number) => Promise<void>,
    onWaiting: () => void = () => undefined,
  ): Promise<void> {
    const lease = await this.#wait(name, signal, onWaiting);
    const ending = new AbortController();
    const renewing = this.#renew(lease, name, ending);
    try {
      await work(AbortSignal.any([signal, ending.signal]), lease.epoch);
    } finally {
      ending.abort(new Stale('lease_given_back', `The lease ${name} was given back.`));
      await renewing;
      // What cannot be given back ends by itself, and this owner may take it again before.
      await lease.release().catch((error: unknown) => this.#tell(error));
    }
  }

  async #wait(name: string, signal: AbortSignal, onWaiting: () => void): Promise<Lease> {
    const { leaseStore: store, clock, owner, telemetry } = this.#ports;
    for (;;) {
      const lease = await takeLease({ store, clock, owner, name, ttlMs: TTL_MS }).catch((error: unknown) => {
        this.#tell(error);
        return undefined;
      });
      if (lease !== undefined) {
        telemetry.emit('leaseTaken', { service: this.#service, lease: name, epoch: lease.epoch });
        return lease;
      }
      onWaiting();
      await clock.sleep(TTL_MS / 5, signal);
    }
  }

  /** Ends with `ending`, which it aborts itself when the lease is lost, or could not be renewed in time. */
  async #renew(lease: Lease, name: string, ending: AbortController): Promise<void> {
    const { clock, telemetry } = this.#ports;
    for (let failures = 0; ;) {
      await clock.sleep(TTL_MS / 3, ending.signal).catch(() => undefined);
      if (ending.signal.aborted) return;
      try {
        await lease.renew();
        failures = 0;
      } catch (error) {
        failures += 1;
        this.#tell(error);
        // A store that is down for a moment may answer before the lease ends.
        if (!(error instanceof Stale) && failures < 2) continue;
        telemetry.emit('leaseLost', { service: this.#service, lease: name });
        ending.abort(new Stale('lease_lost', `The lease ${name} was lost.`));
        return;
      }
    }
  }

  #tell(error: unknown): void {
    const { telemetry } = this.#ports;
    telemetry.emit('faultSeen', { service: this.#service, code: codeOf(error), message: messageOf(error) });
  }
}
