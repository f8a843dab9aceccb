/** Counts wrong seeds, for the documentation: `node test/sim/count.ts [seeds]`. */
import { simulateMatches, type MatchWays } from './matches.ts';
import { MISTAKES } from './mistakes.ts';
import { BEYOND_BOUND, countWrong, WITHIN_BOUND, withWays } from './seeds.ts';
import type { Scenario } from './simulate.ts';

const seeds = Number(process.argv[2] ?? 4_000);
const say = (name: string, wrong: number): void => void process.stdout.write(`${String(wrong).padStart(6)}  ${name}\n`);

const polled: Scenario = { ...BEYOND_BOUND, polls: 'on' };
const correct: readonly [string, Scenario][] = [
  ['reads lag by 700 ms', WITHIN_BOUND],
  ['reads do not lag', { ...WITHIN_BOUND, lagMs: 0 }],
  ['reads lag by 1 s (beyond the bound)', { ...WITHIN_BOUND, lagMs: 1_000 }],
  ['reads lag by 2 s (beyond the bound)', BEYOND_BOUND],
  ['the same, polls go on, undeletes modify', { ...polled, undeleteModifies: 1 }],
  ['the same, polls go on, undeletes do not modify', { ...polled, undeleteModifies: 0 }],
  ['the same, and a last listing', { ...polled, undeleteModifies: 0, lastListing: true }],
];

process.stdout.write(`Wrong of ${seeds} seeds\n`);
for (const [name, scenario] of correct) say(name, countWrong(scenario, seeds));
for (const { name, mistake, scenario } of MISTAKES)
  say(`mistake: ${name}`, countWrong(withWays(mistake, scenario), seeds));

const matches: readonly [string, MatchWays][] = [
  ['matches', { version: 'owner', skips: 'published by itself' }],
  ["mistake: a match stamped with its inputs' version", { version: 'inputs', skips: 'published by itself' }],
  ['mistake: an owner that skips what the store has', { version: 'owner', skips: 'stored' }],
];
for (const [name, ways] of matches) {
  let wrong = 0;
  for (let seed = 1; seed <= seeds; seed++) if (simulateMatches(seed, ways) !== '') wrong += 1;
  say(name, wrong);
}
