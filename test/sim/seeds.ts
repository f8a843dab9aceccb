/** Runs a simulation for many seeds. `SEED=<n>` in the environment runs that seed alone, to look at a failure again. */
import { seedFromEnvironment } from '#test/kit/random.ts';
import { simulate, type Scenario } from './simulate.ts';
import { CORRECT, type Ways } from './world.ts';

/** What CI runs of each property. */
export const SEEDS = 4_000;
/** Within how many seeds a mistake must be caught. */
export const CATCH_WITHIN = 2_000;

export const oneSeed = seedFromEnvironment(0);

/** The bound: reads lag by the settle time less the difference between clocks; 1 s, 300 ms. */
export const WITHIN_BOUND: Scenario = {
  ways: CORRECT,
  lagMs: 700,
  skewMs: 300,
  undeleteModifies: 0.7,
  polls: 'now and then',
  lastListing: false,
};

export const BEYOND_BOUND: Scenario = { ...WITHIN_BOUND, lagMs: 2_000 };

export function withWays(mistake: Partial<Ways>, scenario: Scenario = WITHIN_BOUND): Scenario {
  return { ...scenario, ways: { ...scenario.ways, ...mistake } };
}

/** The first seed that ends wrong, told as its story; null if none of them does. */
export function firstWrong(scenario: Scenario, count = SEEDS): string | null {
  const [from, to] = oneSeed === 0 ? [1, count] : [oneSeed, oneSeed];
  for (let seed = from; seed <= to; seed++) {
    if (simulate(seed, scenario).wrong.length === 0) continue;
    const { wrong, story } = simulate(seed, scenario, true);
    return [`Seed ${seed} ends wrong; SEED=${seed} runs it alone.`, ...wrong, ...story].join('\n');
  }
  return null;
}

export function countWrong(scenario: Scenario, count: number): number {
  let wrong = 0;
  for (let seed = 1; seed <= count; seed++) if (simulate(seed, scenario).wrong.length > 0) wrong += 1;
  return wrong;
}
