/** Taking turns: what disturbs the machine disturbs both. */
import { systemClock } from '#adapters/clock/system.ts';

export interface Comparison {
  readonly what: string;
  readonly unit: string;
  /** A second, medians of the rounds. */
  readonly ours: number;
  readonly raw: number;
}

/** Work that is timed, done to `count` of something. */
export type Timed = () => Promise<void>;

/** The medians of `count` a second, one way and the other. */
export async function takeTurns(
  rounds: number,
  count: number,
  ours: Timed,
  raw: Timed,
): Promise<{ readonly ours: number; readonly raw: number }> {
  const rates = { ours: [] as number[], raw: [] as number[] };
  for (let round = 0; round <= rounds; round++) {
    const order = round % 2 === 0 ? (['ours', 'raw'] as const) : (['raw', 'ours'] as const);
    for (const name of order) {
      const startedMs = systemClock.monotonicMs();
      await (name === 'ours' ? ours : raw)();
      // The first round warms both up.
      if (round > 0) rates[name].push((count * 1_000) / (systemClock.monotonicMs() - startedMs));
    }
  }
  return { ours: median(rates.ours), raw: median(rates.raw) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
