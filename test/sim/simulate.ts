/**
 * One history of a source and one interleaving of everything that reads it, from a seed: does the sink end in the source's
 * state? The same seed gives the same run.
 */
import { MICROS_PER_MS, MICROS_PER_SECOND } from '#core/clock.ts';
import { seededRandom, type SeededRandom } from '#test/kit/random.ts';
import { hintSubscription } from './hints.ts';
import { eventLoop } from './loop.ts';
import { river, type River } from './river.ts';
import { inventSource, type Source } from './source.ts';
import { backfill, listing, poller } from './sweeps.ts';
import { millis, type ProcessClock, type Ways, type World } from './world.ts';

export interface Scenario {
  readonly ways: Ways;
  /** The most that reads lag behind commits. */
  readonly lagMs: number;
  /** The most that any two clocks differ. */
  readonly skewMs: number;
  /** 'now and then': a few polls early on, so that the live reads must be right by themselves; 'on': until all is quiet. */
  /** How likely it is a source whose undeletes move the record's modification: it is not documented, both must come out right. */
  readonly undeleteModifies: number;
  readonly polls: 'now and then' | 'on';
  /** Whether the whole object is listed once more when all is quiet, as a reconciliation does. */
  readonly lastListing: boolean;
}

export interface Outcome {
  /** What is wrong, one line a record; empty if the sink ended in the source's state. */
  readonly wrong: readonly string[];
  /** All that happened, for people. */
  readonly story: readonly string[];
}

const START_MICROS = 1_767_600_000 * MICROS_PER_SECOND;

export function simulate(seed: number, scenario: Scenario, withStory = false): Outcome {
  const random = seededRandom(seed);
  const story: string[] = [];
  const loop = eventLoop(START_MICROS);
  const note = (text: string): void => {
    if (withStory) story.push(`${((loop.now - START_MICROS) / MICROS_PER_SECOND).toFixed(3)} ${text}`);
  };
  const offset = (): number => Math.round((random.unit() - 0.5) * scenario.skewMs * MICROS_PER_MS);
  const newClock = (): ProcessClock => {
    const offsetMicros = offset();
    return () => loop.now + offsetMicros;
  };
  const startMicros = START_MICROS + random.below(MICROS_PER_SECOND);
  const vanishes = random.chance(0.1);
  const source = inventSource(random, {
    startMicros,
    clockMicros: offset(),
    vanishes,
    packed: random.chance(0.5),
    undeleteModifies: scenario.undeleteModifies,
  });
  const mapperFixedMicros = random.chance(0.2) ? startMicros + millis(random, 0, 60_000) : 0;
  const way = river(loop, random, { sink: scenario.ways.sink, mapperFixedMicros, note });
  const publish: World['publish'] = (event) => {
    note(
      `publish ${event.id} ${event.deleted ? 'deleted' : event.value} by ${event.by} ${JSON.stringify(event.version)}`,
    );
    way.publish(event);
  };
  const stamp = { epoch: 0, unitMicros: MICROS_PER_SECOND };
  const world: World = { loop, random, source, ways: scenario.ways, stamp, lagMs: scenario.lagMs, publish, note };

  tellHistory(world);
  planLive(world, newClock);
  planSweeps(world, newClock, way, { ...scenario, lastListing: scenario.lastListing || vanishes });
  const times = (most: number, action: () => void): void =>
    sometimes(random, source, most, (at) => loop.at(at, action));
  times(2, () => way.replay(loop.now, 0.7));
  loop.at(quietMicros(source, mapperFixedMicros), () => {
    if (mapperFixedMicros > 0) way.replay(mapperFixedMicros, 1);
  });
  loop.run();
  return { wrong: compare(source, way), story };
}

function tellHistory({ loop, source, note }: World): void {
  for (const state of source.states)
    loop.at(state.commitMicros, () =>
      note(
        `COMMIT ${state.effect} ${state.id} value ${state.value} ${state.status} modified ${state.modifiedMicros} committed ${state.committedMicros}`,
      ),
    );
}

function planLive(world: World, newClock: () => ProcessClock): void {
  const { loop, random, source } = world;
  const hints = hintSubscription(world, newClock);
  for (const state of source.states) hints.send(state);
  sometimes(random, source, 2, (at) => loop.at(at, () => hints.loseReader()));
}

function planSweeps(world: World, newClock: () => ProcessClock, way: River, { polls, lastListing }: Scenario): void {
  const { loop, random, source } = world;
  const poll = poller(world, newClock(), random.pick([10_000, 300_000]));
  sometimes(random, source, 4, (at) => loop.at(at, poll));
  if (polls === 'on') {
    const until = source.endMicros + 200 * MICROS_PER_SECOND;
    for (let at = loop.now; at < until; at += millis(random, 15_000, 45_000)) loop.at(at, poll);
  }
  sometimes(random, source, 4, (at) => loop.at(at, () => backfill(world, newClock())));
  const list = (): void => listing(world, newClock(), () => [...way.rows.values()]);
  sometimes(random, source, 3, (at) => loop.at(at, list));
  if (lastListing) loop.at(quietMicros(source, 0), list);
}

/** Up to `most` times at random, mostly while something changes. */
function sometimes(random: SeededRandom, source: Source, most: number, plan: (atMicros: number) => void): void {
  for (let times = random.below(most + 1); times > 0; times--) {
    const from = random.pick(source.states).commitMicros - millis(random, 0, random.pick([100, 1_000, 3_000]));
    plan(from + millis(random, 0, random.pick([300, 300, 1_500, 1_500, 10_000])));
  }
}

/** Longer after the last change than anything is delayed. */
function quietMicros(source: Source, mapperFixedMicros: number): number {
  return Math.max(source.endMicros, mapperFixedMicros) + 300 * MICROS_PER_SECOND;
}

function compare(source: Source, { rows }: River): string[] {
  return source.ids.flatMap((id) => {
    const truth = source.last(id);
    const row = rows.get(id);
    const held = !row || row.deleted ? 'nothing' : `value ${row.value}`;
    const real = truth.status === 'live' ? `value ${truth.value}` : 'nothing';
    return held === real ? [] : [`${id}: the source has ${real}, the sink ${held}${row ? ` (by ${row.by})` : ''}`];
  });
}
