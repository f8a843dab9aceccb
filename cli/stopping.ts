/** How a start is told to end: by SIGINT (Ctrl-C) or SIGTERM. */

/** A terminal signals every process of its group, and npm passes the signal on: one Ctrl-C arrives twice. */
const SAME_SIGNAL_MS = 500;
/** Everything is durable at any moment, so leaving work half drained only means that the next start does it again. */
const STOP_WITHIN_MS = 4_500;

export interface Late {
  readonly withinMs: number;
  /** Ends the process. */
  leave(): void;
}

/** The first signal aborts, so that the river drains; a second one, or a drain that takes too long, ends the process. */
export function stopOnSignal(late: Late = { withinMs: STOP_WITHIN_MS, leave }): AbortSignal {
  const stopping = new AbortController();
  let firstMs: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (firstMs !== undefined && performance.now() - firstMs > SAME_SIGNAL_MS) process.exit(1);
      if (firstMs !== undefined) return;
      firstMs = performance.now();
      setTimeout(() => late.leave(), late.withinMs).unref();
      stopping.abort();
    });
  }
  return stopping.signal;
}

function leave(): void {
  console.error('Stopped before all was drained: the next start does the rest.');
  process.exit(0);
}
