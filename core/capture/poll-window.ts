/**
 * What a poll asks for, and how its watermark moves.
 *
 *     ───────┬──────────────┬───────────────┬──────▶ the source's time
 *      watermark − lookBack │ watermark     │ now
 *            └──────────────┴───────────────┘
 *               asked again     new
 *
 * The look-back finds what became visible late: a change shows to reads only some time after its own time (its
 * transaction was open, the index lagged). The watermark is a source's time, so a wrong clock of ours cannot move it past
 * anything, and it moves only over rows that are confirmed as published.
 */
import { MICROS_PER_MS } from '../clock.ts';
import { progress } from './progress.ts';

export interface PollWindow {
  /** Rows modified at this time or later. */
  readonly fromMicros: number;
  /** And at this time or earlier: a row with a time far in the future cannot carry the watermark away. */
  readonly toMicros: number;
}

/** Where the next page starts: after this row, in the order (modified, id). */
export interface Keyset {
  readonly modifiedMicros: number;
  readonly id: string;
}

export interface PollOptions {
  /** At least the longest time from a change's own time to when every read shows it: open transaction, lag, clocks. */
  readonly lookBackMs: number;
}

export interface Poll {
  readonly window: PollWindow;
  /**
   * Takes a page (rows in the order of the keyset, as the source gave them), before it is published. The function confirms
   * that all of it is published, or need not be, and answers the new watermark if that moved: make it durable.
   */
  page(rows: readonly Keyset[]): () => number | null;
  /** The last row taken: the next page starts after it. Null before the first page. */
  readonly after: Keyset | null;
}

/** `watermarkMicros` null: never polled, the window starts at the beginning of time. */
export function openPoll(watermarkMicros: number | null, nowMicros: number, options: PollOptions): Poll {
  const fromMicros = Math.max(0, (watermarkMicros ?? 0) - options.lookBackMs * MICROS_PER_MS);
  const confirmedUpTo = progress<number>(watermarkMicros);
  let after: Keyset | null = null;
  let watermark = watermarkMicros ?? Number.NEGATIVE_INFINITY;

  function page(rows: readonly Keyset[]): () => number | null {
    after = rows.at(-1) ?? after;
    const confirm = confirmedUpTo.begin(after?.modifiedMicros ?? watermark);
    return () => {
      const reached = confirm();
      if (reached === null || reached <= watermark) return null;
      watermark = reached;
      return reached;
    };
  }

  return {
    window: { fromMicros, toMicros: Math.max(nowMicros, fromMicros) },
    page,
    get after() {
      return after;
    },
  };
}
