/** Patience at the start: what is down is asked again, so that the order in which things are started does not matter. */
import type { Clock, Random } from '#core/clock.ts';
import { codeOf, DependencyDown, messageOf, Transient } from '#core/errors.ts';
import { backoffMs } from '#core/retry.ts';
import type { Telemetry } from '#core/telemetry.ts';

export interface Reaching {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: Telemetry;
  readonly signal: AbortSignal;
}

/** Clients try by themselves for minutes, and say nothing meanwhile. */
const ATTEMPT_MS = 15_000;
const AGAIN = { attempts: Number.MAX_SAFE_INTEGER, baseMs: 500, ceilingMs: 10_000 };
const SLOWEST_ATTEMPT = 10;

/** Works until it succeeds, tells each failure, and throws what waiting does not mend; ends with `signal`. */
export async function reached<T>(what: string, work: () => Promise<T>, reaching: Reaching): Promise<T> {
  const { clock, random, telemetry, signal } = reaching;
  for (let attempt = 2; ; attempt += 1) {
    signal.throwIfAborted();
    try {
      return await answered(what, work, reaching);
    } catch (error) {
      if (!(error instanceof Transient || error instanceof DependencyDown)) throw error;
      const message = `The start waits for the ${what}: ${messageOf(error)}`;
      telemetry.emit('faultSeen', { service: 'runtime', code: codeOf(error), message });
    }
    await clock.sleep(backoffMs(AGAIN, Math.min(attempt, SLOWEST_ATTEMPT), random, 100), signal);
  }
}

/** An attempt without an answer goes on, unheard: all that is done here may be done twice. */
async function answered<T>(what: string, work: () => Promise<T>, { clock, signal }: Reaching): Promise<T> {
  const ended = Promise.withResolvers<never>();
  const cancel = clock.after(ATTEMPT_MS, () =>
    ended.reject(new Transient('no_answer', `The ${what} has not answered in ${ATTEMPT_MS / 1_000} s.`)),
  );
  const stop = (): void => ended.reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  const working = work();
  working.catch(() => undefined);
  try {
    return await Promise.race([working, ended.promise]);
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}
