/** Seeded randomness (sfc32): the same seed gives the same run on every machine. Print the seed when a test fails. */
import type { Random } from '#core/clock.ts';

export interface SeededRandom extends Random {
  readonly seed: number;
  /** A whole number in [0, limit). */
  below(limit: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** A new array in random order. */
  shuffled<T>(items: readonly T[]): T[];
}

export function seededRandom(seed: number): SeededRandom {
  const next = sfc32(seed);
  const unit = (): number => next() / 2 ** 32;
  const below = (limit: number): number => Math.floor(unit() * limit);
  const hex = (): string => next().toString(16).padStart(8, '0');

  function pick<T>(items: readonly T[]): T {
    const index = below(items.length);
    if (index >= items.length) throw new Error('There is nothing to pick from.');
    return items[index] as T;
  }

  function shuffled<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let last = copy.length - 1; last > 0; last--) {
      const other = below(last + 1);
      [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
    }
    return copy;
  }

  return {
    seed,
    unit,
    id: () => hex() + hex() + hex() + hex(),
    below,
    chance: (probability) => unit() < probability,
    pick,
    shuffled,
  };
}

/** The seed of a run: `SEED` from the environment to repeat one, else the given default. */
export function seedFromEnvironment(fallback: number): number {
  const text = process.env.SEED;
  return text === undefined ? fallback : Number.parseInt(text, 10);
}

function sfc32(seed: number): () => number {
  let a = seed >>> 0;
  let b = Math.floor(seed / 2 ** 32) >>> 0;
  let c = 0x9e3779b9;
  let counter = 1;
  const next = (): number => {
    const sum = (a + b + counter) >>> 0;
    counter = (counter + 1) >>> 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) >>> 0;
    c = (((c << 21) | (c >>> 11)) + sum) >>> 0;
    return sum;
  };
  for (let round = 0; round < 15; round++) next();
  return next;
}
