/**
 * Live before bulk, within one thread. Each turn of the event loop hands out every live batch that is due, and then at
 * most one bulk batch, so that a live message waits for no more than the bulk batch that is being worked on. A bulk
 * handler should therefore do no more than some 30 ms of work per batch.
 */
import type { Lane } from '#core/ports/broker.ts';

export interface Taker {
  /** A batch can be handed now: enough messages, or lingered long enough, and room for it. */
  isDue(lane: Lane): boolean;
  hand(lane: Lane): void;
}

export interface LaneScheduler {
  add(taker: Taker): void;
  remove(taker: Taker): void;
  /** Something changed: look again in the next turn. Cheap; calls within a turn count once. */
  wake(): void;
}

export function laneScheduler(): LaneScheduler {
  const takers: Taker[] = [];
  let isWoken = false;
  let firstBulk = 0;

  function turn(): void {
    isWoken = false;
    for (const taker of [...takers]) while (taker.isDue('live')) taker.hand('live');
    if (handBulk()) wake();
  }

  /** Round robin, so that no subscription's bulk starves another's. */
  function handBulk(): boolean {
    for (let step = 0; step < takers.length; step++) {
      const at = (firstBulk + step) % takers.length;
      const taker = takers[at] as Taker;
      if (!taker.isDue('bulk')) continue;
      firstBulk = (at + 1) % takers.length;
      taker.hand('bulk');
      return true;
    }
    return false;
  }

  function wake(): void {
    if (isWoken) return;
    isWoken = true;
    setImmediate(turn);
  }

  return {
    add: (taker) => void takers.push(taker),
    remove(taker) {
      const at = takers.indexOf(taker);
      if (at >= 0) takers.splice(at, 1);
    },
    wake,
  };
}
