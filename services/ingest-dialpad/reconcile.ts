import { MICROS_PER_MS } from '#core/clock.ts';
import type { Progress } from '#core/service.ts';
import type { CallList } from './call-list.ts';
import type { DialpadContext } from './declared.ts';
import { publishPage } from './publish-page.ts';
import { newRun, type Run } from './run.ts';

/** Lists what started since a time, less the look-back, after an outage that webhooks and polls did not bridge. */
export async function reconcile(
  context: DialpadContext,
  list: CallList,
  sinceMicros: number,
  progress: Progress,
  signal: AbortSignal,
): Promise<Run> {
  const run = newRun(context, 'reconcile', 'command');
  const lookBackMs = context.config['dialpad.lookBackHours'] * 3_600_000;
  const startedAfterMs = Math.max(0, Math.floor(sinceMicros / MICROS_PER_MS) - lookBackMs - 1);
  const query = { startedAfterMs, startedBeforeMs: null, cursor: null };
  await run.during(async () => {
    for await (const page of list.pages(query, 'backfill', signal)) {
      const { runId } = run.start;
      const maySkip = (): boolean => false;
      const published = await publishPage(context, page, { lane: 'bulk', path: 'reconcile', runId, maySkip });
      run.count(page.items.length, published.length);
      progress(run.counts.read, null, 'calls');
    }
  }, signal);
  return run;
}
