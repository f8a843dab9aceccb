/**
 * Reads the list of calls for what webhooks did not tell: from the watermark less the look-back, to its end. The list is
 * ordered by start and shows a call once it has ended, so a call longer than the look-back would be missed; and it is
 * newest first, so the watermark (the latest start seen) moves only when the whole listing is published.
 */
import { hash } from 'node:crypto';
import { openPoll } from '#core/capture/poll-window.ts';
import { publishedMemory, type Seen } from '#core/capture/published.ts';
import type { RawEvent } from '#core/codec.ts';
import { MICROS_PER_MS } from '#core/clock.ts';
import { Stale } from '#core/errors.ts';
import type { CallList, CallPage } from './call-list.ts';
import type { DialpadContext } from './declared.ts';
import { publishPage } from './publish-page.ts';
import { newRun, type Run } from './run.ts';
import { startsOf } from './starts.ts';

const MS_PER_HOUR = 3_600_000;
/** About 20 MB when full; what is forgotten is published once more. */
const REMEMBERED = 100_000;

export interface Poller {
  /** Polls if the configured time has passed since the last poll began. */
  whenDue(signal: AbortSignal): Promise<void>;
}

export function poller(context: DialpadContext, list: CallList): Poller {
  const memory = publishedMemory(REMEMBERED);
  const everyMs = context.config['dialpad.pollEverySeconds'] * 1_000;
  let lastMs = Number.NEGATIVE_INFINITY;

  async function poll(signal: AbortSignal): Promise<void> {
    const key = `ingest-dialpad/${context.config['dialpad.companyId']}/poll`;
    const stored = await context.ports.store.get(key);
    const nowMicros = context.clock.nowMicros();
    // Never polled: what is older than the look-back is the first sync's.
    const open = openPoll(stored === undefined ? nowMicros : Number(stored.value), nowMicros, {
      lookBackMs: context.config['dialpad.lookBackHours'] * MS_PER_HOUR,
    });
    const newest = await listWindow(open.window.fromMicros, signal);
    if (newest === null) return;
    const reached = Math.min(newest, open.window.toMicros);
    const moved = open.page([{ modifiedMicros: reached, id: '' }])();
    if (moved !== null || stored === undefined) await saveWatermark(key, reached, stored?.generation ?? null);
  }

  /** Answers the latest start listed, in microseconds, once all is published. */
  async function listWindow(fromMicros: number, signal: AbortSignal): Promise<number | null> {
    const run = newRun(context, 'poll', 'schedule');
    const startedAfterMs = Math.max(0, Math.floor(fromMicros / MICROS_PER_MS) - 1);
    let newestMs: number | null = null;
    const query = { startedAfterMs, startedBeforeMs: null, cursor: null };
    await run.quietly(async () => {
      for await (const page of list.pages(query, 'poll', signal)) {
        await publish(page, run);
        for (const startMs of startsOf(page)) newestMs = Math.max(newestMs ?? 0, startMs);
      }
    }, signal);
    // A poll that finds nothing new, as most do, is no news.
    if (run.counts.published > 0) await run.finished('succeeded', null);
    return newestMs === null ? null : newestMs * MICROS_PER_MS;
  }

  async function publish(page: CallPage, run: Run): Promise<void> {
    const published = await publishPage(context, page, {
      lane: 'live',
      path: 'poll',
      runId: run.start.runId,
      maySkip: (event) => memory.maySkip(seenOf(event)),
    });
    for (const event of published) memory.remember(seenOf(event), page.issuedMicros);
    run.count(page.items.length, published.length);
  }

  async function saveWatermark(key: string, micros: number, generation: string | null): Promise<void> {
    const saved = await context.ports.store.put(key, String(micros), generation);
    if (saved === undefined) throw new Stale('poll_watermark_taken', 'Another instance polled meanwhile.');
    context.telemetry.emit('checkpointMoved', { source: 'dialpad', checkpoint: 'poll' });
  }

  return {
    async whenDue(signal) {
      const nowMs = context.clock.monotonicMs();
      if (nowMs - lastMs < everyMs) return;
      lastMs = nowMs;
      await poll(signal);
    },
  };
}

/** A call's row can change (labels, scores) without its event time. What is no call is known by its content alone. */
function seenOf({ envelope, record }: RawEvent): Seen {
  const { object, id, version } = envelope;
  if (object === 'unreadable') return { object, id, modifiedMicros: 0, deleted: false };
  const fingerprint = hash('sha1', record ?? '', 'base64');
  return { object, id, modifiedMicros: version.sourceSequence, deleted: false, fingerprint };
}
