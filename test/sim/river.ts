/** From publish to row: every message arrives at least once, in any order; the sink keeps the greatest version. */
import { supersedes } from '#core/version.ts';
import type { SeededRandom } from '#test/kit/random.ts';
import type { Loop } from './loop.ts';
import { millis, type RawEvent, type Ways } from './world.ts';

export interface River {
  publish(event: RawEvent): void;
  /** Publishes what was published before `untilMicros` again, mapped anew, each with this chance. */
  replay(untilMicros: number, chance: number): void;
  readonly rows: ReadonlyMap<string, RawEvent>;
}

export interface RiverOptions {
  readonly sink: Ways['sink'];
  /** Until then (true time) a first trip's mapper loses the value. */
  readonly mapperFixedMicros: number;
  readonly note: (text: string) => void;
}

export const LOST_BY_MAPPER = -1;

export function river(loop: Loop, random: SeededRandom, options: RiverOptions): River {
  const rows = new Map<string, RawEvent>();
  let generation = 0;
  const archive: { readonly event: RawEvent; readonly publishedMicros: number }[] = [];

  function arrive(event: RawEvent): void {
    const wins = options.sink === 'arrival' || supersedes(event.version, rows.get(event.id)?.version);
    if (wins) rows.set(event.id, event);
    options.note(`${wins ? 'row' : 'old'} ${event.id} ${event.deleted ? 'deleted' : event.value} by ${event.by}`);
  }

  function send(event: RawEvent): void {
    const mapped = loop.now < options.mapperFixedMicros ? { ...event, value: LOST_BY_MAPPER } : event;
    for (let copies = random.chance(0.1) ? 2 : 1; copies > 0; copies--)
      loop.after(millis(random, 2, random.pick([20, 20, 50, 50, 50, 800, 800, 30_000])), () => arrive(mapped));
  }

  return {
    rows,
    publish(event) {
      archive.push({ event, publishedMicros: loop.now });
      send(event);
    },
    replay(untilMicros, chance) {
      generation += 1;
      for (const { event, publishedMicros } of archive) {
        if (publishedMicros >= untilMicros || !random.chance(chance)) continue;
        send({ ...event, version: { ...event.version, generation }, by: `replay of ${event.by}` });
      }
    },
  };
}
