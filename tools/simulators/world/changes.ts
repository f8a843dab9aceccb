/** Runs the company's life in time. */
import { Life } from './life.ts';
import type { ChangeKind, Mix } from './mix.ts';
import { mix32 } from './random.ts';
import type { World } from './world.ts';

export interface ChangesOptions {
  readonly perSecond: number;
  /** Default: until stopped. */
  readonly count?: number;
  readonly mix?: Partial<Mix>;
  readonly seed?: number;
}

export interface Changes {
  readonly made: () => number;
  readonly byKind: () => Readonly<Partial<Record<ChangeKind, number>>>;
  readonly isDone: () => boolean;
  readonly done: Promise<void>;
  stop(): void;
}

const TICK_MS = 20;

/** Makes changes at the given rate until `count` are made or it is stopped. `done` resolves then. */
export function startChanges(
  world: World,
  { perSecond, count = Infinity, mix = {}, seed = mix32(world.shape.seed, world.latest()) }: ChangesOptions,
): Changes {
  const life = new Life(world, seed, mix);
  const byKind: Partial<Record<ChangeKind, number>> = {};
  const startedMs = world.now();
  const finished = Promise.withResolvers<void>();
  let made = 0;
  let isDone = false;
  const stop = (): void => {
    clearInterval(timer);
    isDone = true;
    finished.resolve();
  };
  const timer = setInterval(() => {
    const due = Math.min(count, Math.floor(((world.now() - startedMs) / 1_000) * perSecond));
    for (; made < due; made++) {
      const kind = life.step();
      byKind[kind] = (byKind[kind] ?? 0) + 1;
    }
    if (made >= count) stop();
  }, TICK_MS);
  return { made: () => made, byKind: () => byKind, isDone: () => isDone, done: finished.promise, stop };
}
