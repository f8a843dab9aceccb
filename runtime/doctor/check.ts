/**
 * A check looks at one thing and says what is so, in one sentence, and, unless all is well, what to do. Checks run beside
 * each other, each for its own time: one that hangs hides no other.
 */
import type { Clock } from '#core/clock.ts';
import { messageOf, TributaryError } from '#core/errors.ts';

/** `skipped`: it could not or need not be looked at, and why. */
export type Verdict = 'ok' | 'warning' | 'failed' | 'skipped';

export interface Finding {
  readonly verdict: Verdict;
  readonly what: string;
  readonly todo: string | null;
}

export interface Check {
  readonly name: string;
  /** Default: `WITHIN_MS`. */
  readonly withinMs?: number;
  /** What to do if it does not end, or ends in a way that nobody foresaw. */
  readonly otherwise: string;
  /** Changes nothing that it does not put back. The signal is aborted when its time is over. */
  run(signal: AbortSignal): Promise<Finding | readonly Finding[]>;
}

export interface Reported extends Finding {
  readonly check: string;
}

export const WITHIN_MS = 15_000;

export function ok(what: string): Finding {
  return { verdict: 'ok', what, todo: null };
}

export function warning(what: string, todo: string): Finding {
  return { verdict: 'warning', what, todo };
}

export function failed(what: string, todo: string): Finding {
  return { verdict: 'failed', what, todo };
}

export function skipped(what: string, todo: string | null = null): Finding {
  return { verdict: 'skipped', what, todo };
}

/** Our errors say what is wrong, a colon, and what to do. */
export function failure(error: unknown, otherwise: string): Finding {
  if (!(error instanceof TributaryError)) return failed(`It could not be looked at: ${messageOf(error)}`, otherwise);
  const [, what, todo] = /^(.*?): (.+)$/s.exec(error.message) ?? [];
  return what === undefined || todo === undefined ? failed(error.message, otherwise) : failed(`${what}.`, begun(todo));
}

function begun(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

export interface Examined {
  readonly reported: readonly Reported[];
  /** What had not ended when its time was over: it may keep the process. */
  readonly hanging: readonly string[];
}

/** Resolves when every check has ended or had its time, at most `atMostMs`; `tell` is called in the order of the checks, as soon as can be. */
export async function examine(
  checks: readonly Check[],
  clock: Clock,
  tell: (found: Reported) => void = () => undefined,
  atMostMs: number = Number.POSITIVE_INFINITY,
): Promise<Examined> {
  const hanging: string[] = [];
  const running = checks.map((check) =>
    findings({ ...check, withinMs: Math.min(check.withinMs ?? WITHIN_MS, atMostMs) }, clock, hanging),
  );
  const reported: Reported[] = [];
  for (const [at, check] of checks.entries())
    for (const finding of (await running[at]) ?? []) {
      const found = { check: check.name, ...finding };
      reported.push(found);
      tell(found);
    }
  return { reported, hanging };
}

async function findings(check: Required<Check>, clock: Clock, hanging: string[]): Promise<readonly Finding[]> {
  const { withinMs, otherwise, name } = check;
  const [ending, late] = [new AbortController(), Promise.withResolvers<readonly Finding[]>()];
  const cancel = clock.after(withinMs, () => {
    hanging.push(name);
    late.resolve([failed(`There was no answer within ${withinMs / 1_000} s.`, otherwise)]);
    ending.abort(new Error('The time is over.'));
  });
  const work = async (): Promise<readonly Finding[]> => {
    const found = await check.run(ending.signal);
    return 'verdict' in found ? [found] : found;
  };
  const working = work().catch((error: unknown) => [failure(error, otherwise)]);
  return Promise.race([late.promise, working]).finally(cancel);
}
