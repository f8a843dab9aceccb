import { describe, expect, it } from 'vitest';
import type { StorePort, StoredValue } from '#core/ports/store.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import type { HostPorts } from '#runtime/host-ports.ts';
import { Leases } from '#runtime/leases.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

/** A store of one value whose writes can hang. */
function oneValue() {
  let stored: StoredValue | undefined;
  let hung = false;
  const store: StorePort = {
    get: async () => stored,
    async put(_key, value, ifGeneration) {
      if (hung) return new Promise(() => undefined);
      if ((stored?.generation ?? null) !== ifGeneration) return undefined;
      stored = { value, generation: String(Number(ifGeneration ?? 0) + 1) };
      return stored.generation;
    },
    delete: async () => false,
    list: async () => [],
  };
  return { store, hang: () => (hung = true) };
}

describe('holding a lease', () => {
  it('ends before the lease does where a renewal hangs, so that two never work at once', async () => {
    const clock = virtualClock();
    const { store, hang } = oneValue();
    const ports = { leaseStore: store, clock, owner: 'a', telemetry: new TelemetryHub() } as unknown as HostPorts;
    let held: AbortSignal | undefined;
    const working = async (signal: AbortSignal): Promise<void> => {
      held = signal;
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    };
    void new Leases('resolver', ports).hold('owner', new AbortController().signal, working);
    await clock.until(() => held !== undefined);
    await clock.advance(20_000);
    expect(held?.aborted).toBe(false);
    hang();
    await clock.advance(14_900);
    expect(held?.reason).toMatchObject({ code: 'lease_lost' });
  });
});
