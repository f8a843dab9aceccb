/**
 * What every consumer does with messages, whatever broker they come from: gathers them into batches of one lane, hands
 * batches to the handler while earlier ones are still being worked on, keeps to the flow limits, and passes each
 * message's outcome back. A message's way:
 *
 *     queued ──▶ handed ──▶ answered            (ack, discard, dead letter, retry)
 *        └──────────┴─────▶ released            (pause, drain, the handler threw, the lease ran out)
 *
 * A batch that was released is forgotten here: what its handler answers later is ignored.
 */
import type { Clock } from '#core/clock.ts';
import type { Disposition } from '#core/disposition.ts';
import { InvalidMessage } from '#core/errors.ts';
import type { BatchHandler, Delivered, Flow, Lane } from '#core/ports/broker.ts';
import { EntryQueue } from './queue.ts';
import type { Taker } from './lanes.ts';

export interface Entry {
  readonly delivered: Delivered;
  readonly bytes: number;
  readonly lane: Lane;
}

export interface Supply<E extends Entry> {
  /** Up to `messages` more of a lane, at once; none where the broker pushes. */
  pull(lane: Lane, messages: number): readonly E[];
  /** A batch is about to be handed: what must be durable before that. */
  handing(): void;
  /** One disposition per entry, in order. */
  answered(entries: readonly E[], dispositions: readonly Disposition[]): void;
  /** Not worked on after all: to be delivered again. `wasHanded` says if a handler has seen them. */
  released(entries: readonly E[], wasHanded: boolean): void;
  /** A handler threw, or broke its contract. */
  failed(error: unknown): void;
  /** Look for due batches soon. */
  wake(): void;
}

interface Running<E> {
  readonly entries: readonly E[];
  readonly bytes: number;
  readonly abort: AbortController;
  readonly cancelLease: () => void;
}

/** Pub/Sub's client extends a lease for no longer than this; then the message is delivered again. */
const LONGEST_LEASE_MS = 3_600_000;
const FIRST_COOLDOWN_MS = 100;
const LONGEST_COOLDOWN_MS = 10_000;

export class Intake<E extends Entry> implements Taker {
  #flow: Flow;
  readonly #handler: BatchHandler;
  readonly #clock: Clock;
  readonly #supply: Supply<E>;
  readonly #queues: Record<Lane, EntryQueue<E>> = { live: new EntryQueue<E>(), bulk: new EntryQueue<E>() };
  readonly #running = new Set<Running<E>>();
  #state: 'running' | 'paused' | 'draining' | 'ended' = 'running';
  #outstandingMessages = 0;
  #outstandingBytes = 0;
  #failures = 0;
  #coolUntilMs = 0;
  #timer: { readonly atMs: number; readonly cancel: () => void } | undefined;
  #drained: (() => void) | undefined;

  constructor(flow: Flow, handler: BatchHandler, clock: Clock, supply: Supply<E>) {
    this.#flow = flow;
    this.#handler = handler;
    this.#clock = clock;
    this.#supply = supply;
  }

  get isTaking(): boolean {
    return this.#state === 'running';
  }

  /** Messages a handler works on now. */
  get outstandingMessages(): number {
    return this.#outstandingMessages;
  }

  /** Messages that wait here or that a handler works on. */
  get heldMessages(): number {
    return this.#outstandingMessages + this.#queues.live.length + this.#queues.bulk.length;
  }

  /** Other limits from now on; what is outstanding beyond them may finish. */
  limit(flow: Flow): void {
    this.#flow = flow;
    this.#supply.wake();
  }

  /** Takes a message that the broker pushed. */
  offer(entry: E): void {
    if (!this.isTaking) return this.#supply.released([entry], false);
    this.#queues[entry.lane].push(entry, this.#clock.monotonicMs());
    this.#supply.wake();
  }

  isDue(lane: Lane): boolean {
    if (!this.isTaking || this.#outstandingMessages >= this.#flow.outstandingMessages) return false;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#coolUntilMs) return this.#wakeAt(this.#coolUntilMs);
    const queue = this.#queues[lane];
    if (queue.length < this.#flow.batchMessages && queue.bytes < this.#flow.batchBytes) this.#fill(lane, nowMs);
    const first = queue.first;
    if (!first || !this.#hasRoom(first.bytes)) return false;
    if (queue.length >= this.#flow.batchMessages || queue.bytes >= this.#flow.batchBytes) return true;
    const lingersUntilMs = queue.firstAtMs + this.#flow.lingerMs;
    return nowMs >= lingersUntilMs || this.#wakeAt(lingersUntilMs);
  }

  #fill(lane: Lane, nowMs: number): void {
    const queue = this.#queues[lane];
    for (const entry of this.#supply.pull(lane, this.#flow.batchMessages - queue.length)) queue.push(entry, nowMs);
  }

  /** A message larger than the limit must pass alone, or it would never pass. */
  #hasRoom(bytes: number): boolean {
    return this.#outstandingBytes === 0 || this.#outstandingBytes + bytes <= this.#flow.outstandingBytes;
  }

  #wakeAt(atMs: number): false {
    if (this.#timer && this.#timer.atMs <= atMs) return false;
    this.#timer?.cancel();
    const cancel = this.#clock.after(atMs - this.#clock.monotonicMs(), () => {
      this.#timer = undefined;
      this.#supply.wake();
    });
    this.#timer = { atMs, cancel };
    return false;
  }

  hand(lane: Lane): void {
    this.#supply.handing();
    const running = this.#take(lane);
    if (running.entries.length === 0) return;
    this.#running.add(running);
    const batch = running.entries.map((entry) => entry.delivered);
    const answer = (async () => this.#handler(batch, running.abort.signal))();
    void answer.then(
      (dispositions) => this.#answered(running, dispositions),
      (error: unknown) => this.#threw(running, error),
    );
  }

  #take(lane: Lane): Running<E> {
    const queue = this.#queues[lane];
    const entries: E[] = [];
    let bytes = 0;
    for (let entry = queue.first; entry; entry = queue.first) {
      if (entries.length >= this.#flow.batchMessages || this.#outstandingMessages >= this.#flow.outstandingMessages)
        break;
      if (entries.length > 0 && bytes + entry.bytes > this.#flow.batchBytes) break;
      if (!this.#hasRoom(entry.bytes)) break;
      queue.shift(this.#clock.monotonicMs());
      entries.push(entry);
      bytes += entry.bytes;
      this.#outstandingMessages++;
      this.#outstandingBytes += entry.bytes;
    }
    const cancelLease = this.#clock.after(LONGEST_LEASE_MS, () => this.#release(running));
    const running = { entries, bytes, abort: new AbortController(), cancelLease };
    if (entries.length === 0) cancelLease();
    return running;
  }

  #answered(running: Running<E>, dispositions: readonly Disposition[]): void {
    if (dispositions.length !== running.entries.length) {
      const counts = `${dispositions.length} dispositions for ${running.entries.length} messages`;
      return this.#threw(running, new InvalidMessage('dispositions_missing', `A handler answered ${counts}.`));
    }
    if (!this.#forget(running)) return;
    this.#failures = 0;
    this.#supply.answered(running.entries, dispositions);
    this.#moveOn();
  }

  /** The consumer rests a while, longer each time, so that a handler that always throws does not spin. */
  #threw(running: Running<E>, error: unknown): void {
    if (!this.#running.has(running)) return;
    const restMs = Math.min(FIRST_COOLDOWN_MS * 2 ** this.#failures, LONGEST_COOLDOWN_MS);
    this.#failures++;
    this.#coolUntilMs = this.#clock.monotonicMs() + restMs;
    this.#supply.failed(error);
    this.#release(running);
  }

  #release(running: Running<E>): void {
    if (!this.#forget(running)) return;
    running.abort.abort();
    this.#supply.released(running.entries, true);
    this.#moveOn();
  }

  #forget(running: Running<E>): boolean {
    if (!this.#running.delete(running)) return false;
    running.cancelLease();
    this.#outstandingMessages -= running.entries.length;
    this.#outstandingBytes -= running.bytes;
    return true;
  }

  #moveOn(): void {
    if (this.#running.size === 0) this.#drained?.();
    this.#supply.wake();
  }

  /** Releases all that is held. */
  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
    this.#releaseQueued();
    for (const running of [...this.#running]) this.#release(running);
  }

  #releaseQueued(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const queue of Object.values(this.#queues)) {
      if (queue.length > 0) this.#supply.released(queue.clear(), false);
    }
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#failures = 0;
    this.#coolUntilMs = 0;
    this.#supply.wake();
  }

  /** Takes no more, waits for what is handed, and after `timeoutMs` releases the rest. */
  async drain(timeoutMs: number): Promise<void> {
    if (this.#state !== 'ended') this.#state = 'draining';
    this.#releaseQueued();
    if (timeoutMs <= 0) this.pause();
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(timeoutMs, () => this.pause());
        this.#drained = () => (cancel(), resolve());
      });
    }
    this.#state = 'ended';
  }
}
