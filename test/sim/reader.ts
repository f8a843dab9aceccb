/** The live path: hints go to the real coalescer, which says what to read when; one process, until it is killed. */
import { COALESCE_DEFAULTS, type ReadBatch } from '#core/capture/read-plan.ts';
import { coalescer } from '#core/capture/coalesce.ts';
import type { Hint } from '#core/capture/hint.ts';
import { MICROS_PER_MS } from '#core/clock.ts';
import { answerTime, lagOf, millis, publishRead, type ProcessClock, type World } from './world.ts';

export interface HintMessage {
  readonly hint: Hint;
  acked: boolean;
}

export interface Reader {
  receive(message: HintMessage): void;
  /** Nothing it has begun goes on. */
  kill(): void;
}

export function reader(world: World, clock: ProcessClock): Reader {
  const { loop, random, source, ways } = world;
  const plan = coalescer<HintMessage>({ ...COALESCE_DEFAULTS, settleMs: ways.settleMs, batchIds: 2 });
  let killed = false;

  function later(delayMicros: number, action: () => void): void {
    loop.after(delayMicros, () => {
      if (!killed) action();
    });
  }

  function wake(): void {
    const calls = random.chance(0.1) ? random.below(2) : 4;
    for (const batch of plan.due(clock(), calls)) later(millis(random, 0, 3), () => read(batch));
    const next = plan.nextDueMicros();
    if (next !== null) later(Math.max(next - clock(), 10 * MICROS_PER_MS), wake);
  }

  function read(batch: ReadBatch): void {
    const issuedMicros = clock();
    if (random.chance(0.05)) return later(millis(random, 5, 300), () => fail(batch));
    later(millis(random, 0, 60), () => {
      const seen = batch.items.map(({ id, cause }) => ({
        id,
        state: source.at(id, loop.now - lagOf(world)),
        deletion: cause.deletion,
        undeletedMicros: cause.facts.kind === 'undelete' ? cause.changedAtMicros : null,
      }));
      later(answerTime(world), () => {
        const stampMicros = ways.readStamp === 'issued' ? issuedMicros : clock();
        for (const item of seen) publishRead(world, batch.purpose, { ...item, issuedMicros: stampMicros });
        later(millis(random, 0, 20), () => finish(batch, issuedMicros));
      });
    });
  }

  function fail(batch: ReadBatch): void {
    plan.completed(batch, { kind: 'failed', retryAtMicros: clock() + millis(random, 0, 500) }, clock());
    wake();
  }

  function finish(batch: ReadBatch, issuedMicros: number): void {
    for (const message of plan.completed(batch, { kind: 'published', issuedMicros }, clock())) {
      message.acked = true;
      world.note(`ack ${message.hint.facts.kind} of ${message.hint.id}`);
    }
    wake();
  }

  return {
    receive(message) {
      world.note(`hint ${message.hint.facts.kind} of ${message.hint.id}`);
      plan.offer(message.hint, message, clock());
      wake();
    },
    kill() {
      killed = true;
    },
  };
}
