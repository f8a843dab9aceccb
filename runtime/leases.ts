/** Holding leases for a service: waiting for one, renewing it while work goes on, giving it back after. */
import { codeOf, messageOf, Stale } from '#core/errors.ts';
import { takeLease, type Lease } from '#core/lease.ts';
import type { HostPorts } from './host-ports.ts';

const TTL_MS = 15_000;
/** From asking for it: who hears nothing for so long stops, in time to have stopped when the lease ends. */
const KEEP_MS = (TTL_MS / 5) * 4;

interface Held {
  readonly lease: Lease;
  /** When it was asked for: its time runs from then, not from the answer. */
  readonly askedMs: number;
}

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
    const held = await this.#wait(name, signal, onWaiting);
    const { lease } = held;
    const ending = new AbortController();
    const renewing = this.#renew(held, name, ending);
    try {
      await work(AbortSignal.any([signal, ending.signal]), lease.epoch);
    } finally {
      ending.abort(new Stale('lease_given_back', `The lease ${name} was given back.`));
      await renewing;
      // What cannot be given back ends by itself, and this owner may take it again before.
      await lease.release().catch((error: unknown) => this.#tell(error));
    }
  }

  async #wait(name: string, signal: AbortSignal, onWaiting: () => void): Promise<Held> {
    const { leaseStore: store, clock, owner, telemetry } = this.#ports;
    for (;;) {
      const askedMs = clock.monotonicMs();
      const lease = await takeLease({ store, clock, owner, name, ttlMs: TTL_MS }).catch((error: unknown) => {
        this.#tell(error);
        return undefined;
      });
      if (lease !== undefined) {
        telemetry.emit('leaseTaken', { service: this.#service, lease: name, epoch: lease.epoch });
        return { lease, askedMs };
      }
      onWaiting();
      await clock.sleep(TTL_MS / 5, signal);
    }
  }

  /** Ends with `ending`, which it aborts itself when the lease is lost, or could not be renewed in time. */
  async #renew({ lease, askedMs }: Held, name: string, ending: AbortController): Promise<void> {
    const { clock } = this.#ports;
    let disarm = this.#loseAt(askedMs + KEEP_MS, name, ending);
    for (let failures = 0; ;) {
      await clock.sleep(TTL_MS / 3, ending.signal).catch(() => undefined);
      if (ending.signal.aborted) return disarm();
      const renewedMs = clock.monotonicMs();
      try {
        await lease.renew();
        failures = 0;
        disarm();
        disarm = this.#loseAt(renewedMs + KEEP_MS, name, ending);
      } catch (error) {
        failures += 1;
        this.#tell(error);
        // A store that is down for a moment may answer before the lease ends.
        if (!(error instanceof Stale) && failures < 2) continue;
        disarm();
        return this.#lose(name, ending);
      }
    }
  }

  /** A renewal that hangs must not keep work going that another may have begun. */
  #loseAt(atMs: number, name: string, ending: AbortController): () => void {
    const { clock } = this.#ports;
    return clock.after(atMs - clock.monotonicMs(), () => this.#lose(name, ending));
  }

  #lose(name: string, ending: AbortController): void {
    if (ending.signal.aborted) return;
    this.#ports.telemetry.emit('leaseLost', { service: this.#service, lease: name });
    ending.abort(new Stale('lease_lost', `The lease ${name} was lost.`));
  }

  #tell(error: unknown): void {
    const { telemetry } = this.#ports;
    telemetry.emit('faultSeen', { service: this.#service, code: codeOf(error), message: messageOf(error) });
  }
}
