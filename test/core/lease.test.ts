import { describe, expect, it } from 'vitest';
import { endLeases, takeLease, type LeaseOptions } from '#core/lease.ts';
import type { StorePort } from '#core/ports/store.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

function memoryStore(): StorePort {
  const values = new Map<string, { value: string; generation: string }>();
  let generation = 0;
  return {
    get: async (key) => values.get(key),
    put: async (key, value, ifGeneration) => {
      if ((values.get(key)?.generation ?? null) !== ifGeneration) return undefined;
      generation += 1;
      values.set(key, { value, generation: String(generation) });
      return String(generation);
    },
    delete: async (key, ifGeneration) => values.get(key)?.generation === ifGeneration && values.delete(key),
    list: async (prefix) => [...values.keys()].filter((key) => key.startsWith(prefix)),
  };
}

function world() {
  const clock = virtualClock();
  const store = memoryStore();
  const options = (owner: string): LeaseOptions => ({ store, clock, name: 'resolver', owner, ttlMs: 10_000 });
  return { clock, options };
}

describe('a lease', () => {
  it('has one owner at a time', async () => {
    const { options } = world();
    expect(await takeLease(options('a'))).toBeDefined();
    expect(await takeLease(options('b'))).toBeUndefined();
  });

  it('that a killed owner left can be ended by who knows that none lives, and its epoch still grows', async () => {
    const { options } = world();
    const first = await takeLease(options('a'));
    await endLeases(options('b').store);
    const second = await takeLease(options('b'));
    expect(second?.epoch).toBe((first?.epoch ?? 0) + 1);
    await expect(first?.renew()).rejects.toThrow('was taken');
  });

  it('goes to the next when it was not renewed in time, with a greater epoch', async () => {
    const { options, clock } = world();
    const first = await takeLease(options('a'));
    await clock.advance(10_001);
    const second = await takeLease(options('b'));
    expect(second?.epoch).toBeGreaterThan(first?.epoch ?? Infinity);
  });

  it('an owner that slept through its lease is told so when it renews', async () => {
    const { options, clock } = world();
    const first = await takeLease(options('a'));
    await clock.advance(10_001);
    await takeLease(options('b'));
    await expect(first?.renew()).rejects.toMatchObject({ code: 'lease_lost' });
  });

  it('stays with who renews', async () => {
    const { options, clock } = world();
    const lease = await takeLease(options('a'));
    for (let turn = 0; turn < 5; turn += 1) {
      await clock.advance(6_000);
      await lease?.renew();
    }
    expect(await takeLease(options('b'))).toBeUndefined();
  });

  it('is free at once when it is released, and the next epoch is still greater', async () => {
    const { options } = world();
    const first = await takeLease(options('a'));
    await first?.release();
    expect((await takeLease(options('b')))?.epoch).toBe((first?.epoch ?? 0) + 1);
  });

  it('of two that take it at the same moment one gets it', async () => {
    const { options } = world();
    const taken = await Promise.all([takeLease(options('a')), takeLease(options('b'))]);
    expect(taken.filter((lease) => lease !== undefined)).toHaveLength(1);
  });
});
