/**
 * Lists all calls on the bulk lane, resumable: after each page, once it is durably published, the cursor is stored, and
 * the earliest start seen with it, to go on from when the vendor no longer takes the cursor. Calls that end while it
 * runs come by webhook or poll, whose look-back starts before it.
 *
 *     new company or epoch ──▶ page ──published──▶ cursor stored ──▶ page … ──▶ done
 *                                                      ▲
 *                        killed, or the vendor away ───┘ goes on here, in the same run
 */
import type { StoredValue } from '#core/ports/store.ts';
import { InvalidMessage, Stale } from '#core/errors.ts';
import type { Progress } from '#core/service.ts';
import type { CallList, CallPage, CallQuery } from './call-list.ts';
import type { DialpadContext } from './declared.ts';
import { publishPage } from './publish-page.ts';
import { newRun, Run, type RunStart } from './run.ts';
import { startsOf } from './starts.ts';

/** A store key takes one write a second. */
const SAVE_EVERY_MS = 1_000;

interface Checkpoint {
  readonly epoch: number;
  readonly done: boolean;
  readonly run: RunStart;
  readonly cursor: string | null;
  /** The earliest start listed so far; null before the first page. */
  readonly earliestMs: number | null;
}

export interface Backfill {
  /** Goes on where an unfinished one stopped; `again` starts anew after a finished one. Waits while another process runs it. */
  run(again: boolean, progress: Progress, signal: AbortSignal): Promise<Run>;
}

export function backfill(context: DialpadContext, list: CallList): Backfill {
  const key = `ingest-dialpad/${context.config['dialpad.companyId']}/backfill`;
  const epoch = context.config['dialpad.epoch'];

  async function load(): Promise<{ readonly stored: StoredValue | undefined; readonly saved: Checkpoint | undefined }> {
    const stored = await context.ports.store.get(key);
    const saved = stored === undefined ? undefined : (JSON.parse(stored.value) as Checkpoint);
    return { stored, saved: saved?.epoch === epoch ? saved : undefined };
  }

  async function run(again: boolean, progress: Progress, signal: AbortSignal): Promise<Run> {
    const { stored, saved } = await load();
    if (saved !== undefined && saved.done && !again) return new Run(context, saved.run);
    const unfinished = saved !== undefined && !saved.done ? saved : undefined;
    const current =
      unfinished === undefined
        ? newRun(context, 'backfill', saved === undefined ? 'first sync' : 'command')
        : new Run(context, unfinished.run);
    const save = saver(current, stored?.generation ?? null);
    await current.during(async () => {
      await listAll(current, unfinished, save, progress, signal);
      await save({ cursor: null, earliestMs: null, done: true });
    }, signal);
    return current;
  }

  type Save = (state: Pick<Checkpoint, 'cursor' | 'earliestMs' | 'done'>) => Promise<void>;

  function saver(current: Run, first: string | null): Save {
    let generation = first;
    let savedAtMs = Number.NEGATIVE_INFINITY;
    return async (state) => {
      const nowMs = context.clock.monotonicMs();
      if (!state.done && nowMs - savedAtMs < SAVE_EVERY_MS) return;
      if (state.done) await context.clock.sleep(Math.max(0, savedAtMs + SAVE_EVERY_MS - nowMs), context.signal);
      const checkpoint: Checkpoint = { epoch, run: { ...current.start, counts: current.counts }, ...state };
      const saved = await context.ports.store.put(key, JSON.stringify(checkpoint), generation);
      if (saved === undefined) throw new Stale('backfill_taken', 'Another instance runs this backfill.');
      generation = saved;
      savedAtMs = context.clock.monotonicMs();
      await current.progressed();
    };
  }

  async function listAll(
    current: Run,
    from: Checkpoint | undefined,
    save: Save,
    progress: Progress,
    signal: AbortSignal,
  ): Promise<void> {
    let earliestMs = from?.earliestMs ?? null;
    let cursor = from?.cursor ?? null;
    const onPage = async (page: CallPage): Promise<void> => {
      const published = await publishPage(context, page, {
        lane: 'bulk',
        path: 'backfill',
        runId: current.start.runId,
        maySkip: () => false,
      });
      current.count(page.items.length, published.length);
      for (const startMs of startsOf(page)) earliestMs = Math.min(earliestMs ?? startMs, startMs);
      cursor = page.cursor;
      progress(current.counts.read, null, 'calls');
      if (cursor !== null) await save({ cursor, earliestMs, done: false });
    };
    try {
      await each(onPage, { startedAfterMs: null, startedBeforeMs: null, cursor }, signal);
    } catch (error) {
      if (!(error instanceof InvalidMessage) || error.code !== 'cursor_refused') throw error;
      // Calls of the same millisecond may stand on both sides of where the cursor was.
      await each(
        onPage,
        { startedAfterMs: null, startedBeforeMs: earliestMs === null ? null : earliestMs + 1, cursor: null },
        signal,
      );
    }
  }

  async function each(onPage: (page: CallPage) => Promise<void>, query: CallQuery, signal: AbortSignal): Promise<void> {
    for await (const page of list.pages(query, 'backfill', signal)) await onPage(page);
  }

  return {
    run: (again, progress, signal) => context.exclusively('backfill', signal, (held) => run(again, progress, held)),
  };
}
