/**
 * Participants that wait to be decided, live ones first. Each waits once; what makes it wait again meanwhile can only raise
 * it to the live lane. So a shared line with 10,000 calls is worked off in pieces, and a live call overtakes it.
 */
import type { Lane } from '#core/ports/broker.ts';

/** What made a decision necessary; its trace goes on to the match. */
export interface Cause {
  readonly lane: Lane;
  readonly trace: string;
  readonly runId: string | null;
  readonly changedAtMicros: number | null;
  /** An event, not the sweep at a start: what somebody else published last is published again, even if it is the same. */
  readonly isEvent: boolean;
}

export interface Task {
  readonly participant: number;
  readonly cause: Cause;
}

export class Waiting {
  readonly #causes = new Map<number, Cause>();
  readonly #lanes: Record<Lane, Set<number>> = { live: new Set(), bulk: new Set() };

  get size(): number {
    return this.#causes.size;
  }

  get hasLive(): boolean {
    return this.#lanes.live.size > 0;
  }

  add(participant: number, cause: Cause): void {
    const held = this.#causes.get(participant);
    const lane = held?.lane === 'live' ? 'live' : cause.lane;
    const isEvent = cause.isEvent || (held?.isEvent ?? false);
    if (held !== undefined && held.lane === lane && held.isEvent === isEvent) return;
    this.#causes.set(
      participant,
      cause.lane === lane && cause.isEvent === isEvent ? cause : { ...cause, lane, isEvent },
    );
    if (lane === 'live') this.#lanes.bulk.delete(participant);
    this.#lanes[lane].add(participant);
  }

  /** Takes up to `most`, of one lane. */
  take(most: number): Task[] {
    const lane = this.#lanes[this.hasLive ? 'live' : 'bulk'];
    const tasks: Task[] = [];
    for (const participant of lane) {
      if (tasks.length >= most) break;
      const cause = this.#causes.get(participant);
      lane.delete(participant);
      this.#causes.delete(participant);
      if (cause !== undefined) tasks.push({ participant, cause });
    }
    return tasks;
  }
}
