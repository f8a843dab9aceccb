import type { ServiceHost } from './host.ts';
import type { Lifecycle } from './lifecycle.ts';

const DRAIN_MS = 3_000;

/** Starts consumers before those that publish to them, so that stopping in reverse order closes the springs first. */
export async function startHosts(hosts: readonly ServiceHost[], lifecycle: Lifecycle): Promise<void> {
  for (const host of downstreamFirst(hosts)) {
    await host.start();
    lifecycle.onStop(host.declared.name, () => host.stop(DRAIN_MS));
  }
}

/** In which order to start. */
export function downstreamFirst(hosts: readonly ServiceHost[]): readonly ServiceHost[] {
  const depth = (host: ServiceHost): number =>
    host.declared.source !== null ? 0 : host.declared.publishes.length > 0 ? 1 : 2;
  return [...hosts].sort((a, b) => depth(b) - depth(a));
}
