/** What the platform asks a process: whether it lives, and whether it has started and goes on. */
import type { Probe } from '#adapters/web/express.ts';
import type { HostView } from '../host.ts';

export type Phase = 'starting' | 'ready' | 'draining';

export class Health {
  #phase: Phase = 'starting';
  #waitsFor: string | undefined = 'configuration';
  #hosts: readonly HostView[] = [];

  /** What the start waits for now. */
  waitsFor(what: string): void {
    this.#waitsFor = what;
  }

  runs(hosts: readonly HostView[]): void {
    this.#hosts = hosts;
  }

  becomes(phase: Phase): void {
    this.#phase = phase;
    this.#waitsFor = undefined;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /**
   * A process whose event loop answers is alive. Nothing else is asked: to start a process anew mends no dependency. A service
   * that waits for its lease or is paused is ready: it does what it can.
   */
  probes(): Readonly<Record<string, Probe>> {
    return { '/livez': () => ({ status: 200, body: { alive: true } }), '/readyz': () => this.#readiness() };
  }

  #readiness(): ReturnType<Probe> {
    const services = Object.fromEntries(this.#hosts.map(({ declared, state }) => [declared.name, state]));
    const waits = this.#waitsFor === undefined ? {} : { waitsFor: this.#waitsFor };
    return { status: this.#phase === 'ready' ? 200 : 503, body: { phase: this.#phase, ...waits, services } };
  }
}
