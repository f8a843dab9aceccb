/** How a process of the cloud ends: within the ten seconds that the platform gives, whatever hangs, and saying what did. */
import { systemClock } from '#adapters/clock/system.ts';
import { messageOf } from '#core/errors.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { Lifecycle } from '../lifecycle.ts';

/** After these the process ends itself, while something can still be said. */
export const END_WITHIN_MS = 9_000;
const STEP_MS = 1_500;

export function cloudLifecycle(): Lifecycle {
  return new Lifecycle({ clock: systemClock, stepMs: STEP_MS });
}

export interface Done<T> {
  /** Undefined if it was ended. */
  readonly result: T | undefined;
  /** All stopped in time. */
  readonly isClean: boolean;
}

/** Works until it is done or `signal` is aborted, also while it starts; what fails after that is no failure. Then stops all. */
export async function untilDone<T>(
  work: () => Promise<T>,
  { lifecycle, telemetry }: { readonly lifecycle: Lifecycle; readonly telemetry: Telemetry },
  signal: AbortSignal,
): Promise<Done<T>> {
  const working = work();
  working.catch(() => undefined);
  try {
    const result = await Promise.race([working, aborted(signal)]);
    return { result, isClean: await stopAll(lifecycle, telemetry) };
  } catch (error) {
    await stopAll(lifecycle, telemetry);
    throw error;
  }
}

export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

/** Says what has not stopped, for who leaves it behind. */
export function tellHanging(lifecycle: Lifecycle, telemetry: Telemetry): void {
  const hanging = lifecycle.hanging.join(', ') || 'nothing that is known';
  tell(telemetry, `The time to stop is over; what has not stopped: ${hanging}.`);
}

async function stopAll(lifecycle: Lifecycle, telemetry: Telemetry): Promise<boolean> {
  try {
    await lifecycle.stop();
    return true;
  } catch (error) {
    const errors = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    for (const one of errors) tell(telemetry, messageOf(one instanceof Error ? (one.cause ?? one) : one));
    return false;
  }
}

function tell(telemetry: Telemetry, message: string): void {
  telemetry.emit('faultSeen', { service: 'runtime', code: 'drain_incomplete', message });
}
