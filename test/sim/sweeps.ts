/** What reads by itself: poll with its list of deletions, backfill job, and listing of the whole object. */
import { openPoll, type Keyset } from '#core/capture/poll-window.ts';
import { publishedMemory } from '#core/capture/published.ts';
import type { SourceSaysDeleted } from '#core/capture/hint.ts';
import { doubts, listedDeletion, readableFromMicros, settleDoubt } from '#core/capture/reconcile.ts';
import type { State } from './source.ts';
import {
  answerTime,
  lagOf,
  millis,
  publishRead,
  publishVerdict,
  sightingOf,
  type ProcessClock,
  type RawEvent,
  type World,
} from './world.ts';

const PAGE_ROWS = 2;

/** A poller with its watermark; each call polls once. It may crash before what it published is confirmed. */
export function poller(world: World, clock: ProcessClock, lookBackMs: number): () => void {
  const { loop, random, source, ways } = world;
  let watermark: number | null = null;
  const certain = publishedMemory(100);
  const published = new Set<string>();
  const nameOf = (state: State): string => `${state.id}/${state.modifiedMicros}/${state.status}`;
  const seenOf = (state: State) => ({
    object: 'Contact',
    id: state.id,
    modifiedMicros: state.modifiedMicros,
    deleted: state.status === 'deleted',
  });

  const maySkip = (state: State): boolean =>
    ways.pollSkips === 'certain' ? certain.maySkip(seenOf(state)) : published.has(nameOf(state));

  function remember(states: readonly State[], issuedMicros: number): void {
    for (const state of states) {
      certain.remember(seenOf(state), issuedMicros);
      published.add(nameOf(state));
    }
  }

  return function poll() {
    const run = openPoll(watermark, clock(), { lookBackMs });
    listDeletions(world, clock, run.window);
    nextPage();

    function nextPage(): void {
      const issuedMicros = clock();
      loop.after(millis(random, 0, 60), () => {
        const asOf = loop.now - lagOf(world);
        const rows = rowsIn(run.window, run.after, asOf);
        loop.after(answerTime(world), () => publishPage(rows, ways.readStamp === 'issued' ? issuedMicros : clock()));
      });
    }

    function publishPage(rows: readonly State[], issuedMicros: number): void {
      const confirm = run.page(rows);
      const fresh = rows.filter((state) => !maySkip(state));
      for (const state of fresh)
        publishRead(world, 'poll', { id: state.id, state, issuedMicros, deletion: null, undeletedMicros: null });
      if (random.chance(0.05)) return world.note('poller crashes');
      remember(fresh, issuedMicros);
      watermark = confirm() ?? watermark;
      if (rows.length === PAGE_ROWS) nextPage();
    }
  };

  function rowsIn(window: { fromMicros: number; toMicros: number }, after: Keyset | null, asOf: number): State[] {
    return source.ids
      .map((id) => source.at(id, asOf))
      .filter((state) => state !== undefined)
      .filter(({ status }) => status !== 'purged')
      .filter(({ modifiedMicros }) => modifiedMicros >= window.fromMicros && modifiedMicros <= window.toMicros)
      .filter((state) => after === null || inOrder(after, state) < 0)
      .sort(inOrder)
      .slice(0, PAGE_ROWS);
  }
}

function inOrder(a: Keyset, b: Keyset): number {
  return a.modifiedMicros - b.modifiedMicros || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** The source's list of deletions in a window: ids and times, no images, so each id is then read. */
function listDeletions(world: World, clock: ProcessClock, window: { fromMicros: number; toMicros: number }): void {
  const { loop, random, source, ways } = world;
  const listedMicros = clock();
  loop.after(millis(random, 0, 60), () => {
    const asOf = loop.now - lagOf(world);
    for (const id of source.ids) {
      const at = source.at(id, asOf)?.deletedMicros ?? null;
      if (at === null || at < window.fromMicros || at > window.toMicros) continue;
      const deletion = listedDeletion(at, ways.settleMs);
      const delay = millis(random, 1, 200);
      if (ways.tombstone === 'row time') loop.after(delay, () => readListed(id, deletion));
      else
        loop.after(delay, () =>
          publishRead(world, 'deletions', {
            id,
            state: undefined,
            issuedMicros: listedMicros,
            deletion,
            undeletedMicros: null,
          }),
        );
    }
  });

  function readListed(id: string, deletion: SourceSaysDeleted): void {
    const issuedMicros = clock();
    loop.after(millis(random, 0, 60), () => {
      const state = source.at(id, loop.now - lagOf(world));
      loop.after(millis(random, 1, 200), () =>
        publishRead(world, 'deletions', { id, state, issuedMicros, deletion, undeletedMicros: null }),
      );
    });
  }
}

/** A bulk job: each record is read at some time between its creation and its end, published after its end. */
export function backfill(world: World, clock: ProcessClock): void {
  const { loop, random, source, ways } = world;
  const createdMicros = clock();
  const withDeleted = random.chance(0.5);
  const seen: State[] = [];
  const lastsMicros = millis(random, 50, random.pick([500, 500, 2_000, 30_000]));
  for (const id of source.ids)
    loop.after(random.below(lastsMicros), () => {
      const state = source.at(id, loop.now - lagOf(world));
      if (state && (state.status === 'live' || (withDeleted && state.status === 'deleted'))) seen.push(state);
    });
  loop.after(lastsMicros, () => {
    const issuedMicros = ways.bulkStamp === 'created' ? createdMicros : clock();
    for (const state of seen)
      loop.after(millis(random, 0, 2_000), () =>
        publishRead(world, 'bulk', { id: state.id, state, issuedMicros, deletion: null, undeletedMicros: null }),
      );
  });
}

/** A listing of all live ids; what is held and absent from it is read by id. `held` are the sink's rows when asked. */
export function listing(world: World, clock: ProcessClock, held: () => readonly RawEvent[]): void {
  const { loop, random, source, stamp, ways } = world;
  const startMicros = clock();
  const found = new Set<string>();
  const lastsMicros = millis(random, 50, random.pick([300, 5_000]));
  for (const id of source.ids)
    loop.after(random.below(lastsMicros), () => {
      if (source.at(id, loop.now - lagOf(world))?.status === 'live') found.add(id);
    });
  loop.after(lastsMicros, () => {
    const finished = { startMicros, has: (id: string) => found.has(id) };
    const { absent, returned } = doubts(stamp, finished, held());
    const from = ways.doubts === 'certain' ? readableFromMicros(clock()) : clock();
    loop.after(from - clock() + millis(random, 0, 50), () => {
      for (const id of [...absent, ...returned]) readInDoubt(id);
    });

    function readInDoubt(id: string): void {
      const issuedMicros = clock();
      loop.after(millis(random, 0, 60), () => {
        const state = source.at(id, loop.now - lagOf(world));
        const verdict = settleDoubt(stamp, finished, id, sightingOf(state), issuedMicros);
        loop.after(millis(random, 1, 200), () => publishVerdict(world, 'listing', id, state?.value ?? 0, verdict));
      });
    }
  });
}
