/** Waits until nothing flows any more: no backlog, no busy service, and nothing happened for a while. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmbeddedRuntime } from '#runtime/embedded.ts';

const LOOK_EVERY_MS = 100;

export async function untilIdle(
  runtime: Pick<EmbeddedRuntime, 'isIdle' | 'metrics'>,
  quietMs = 1_500,
  signal?: AbortSignal,
): Promise<void> {
  let quietSince = performance.now();
  let activity = runtime.metrics.activity;
  while (performance.now() - quietSince < quietMs) {
    await sleep(LOOK_EVERY_MS, undefined, signal === undefined ? {} : { signal });
    if (!runtime.isIdle() || runtime.metrics.activity !== activity) quietSince = performance.now();
    activity = runtime.metrics.activity;
  }
}
