/**
 * When the records that hints speak of are read (rule 1). Pure: time comes in, batches come out.
 *
 *     hint ──▶ prompt read, within the linger ──▶ issued before commit + settle? ──no──▶ ack
 *                                                        │ yes
 *                                                        ▼
 *                                  settled read, at a tick of the grid at or after commit + settle ──▶ ack
 *
 * A read serves the hints that caused it, and settles those whose settle time had passed when it was issued.
 * A record is in at most one read at a time, and one that waits for a settled read within the linger gets no prompt read
 * as well. Settled reads go first and take waiting prompt reads of the same object along.
 *
 * Bound: reads that lag behind commits by `settleMs`, less the difference between the source's clock and ours, or less.
 * What is beyond it is the poll's to repair. Memory: `maxHints` hints, and nothing once they are acked.
 */
import { MICROS_PER_MS } from '../clock.ts';
import { mergeHints, type Hint, type SettlingHint } from './hint.ts';
import {
  COALESCE_DEFAULTS,
  type CoalesceOptions,
  type Coalescer,
  type ReadBatch,
  type ReadOutcome,
} from './read-plan.ts';
import { readQueue, type ReadQueue } from './read-queue.ts';
import { steadyTime } from './steady-time.ts';

interface Held<T> {
  readonly hint: Hint;
  readonly ticket: T;
  readonly offeredMicros: number;
  readonly settlesMicros: number;
  /** Some read caused by this hint is published. */
  isRead: boolean;
}

interface Entry<T> {
  readonly key: string;
  readonly object: string;
  readonly id: string;
  readonly queue: ReadQueue<Entry<T>>;
  hints: Held<T>[];
  /** How many of the hints, from the first, caused the read that is under way; 0: none is. */
  reading: number;
}

interface Flight<T> {
  readonly entries: readonly Entry<T>[];
  readonly handedOutMicros: number;
  readonly offsetMicros: number;
}

export function coalescer<T>(options: CoalesceOptions = COALESCE_DEFAULTS): Coalescer<T> {
  const lingerMicros = options.lingerMs * MICROS_PER_MS;
  const settleMicros = options.settleMs * MICROS_PER_MS;
  const gridMicros = options.gridMs * MICROS_PER_MS;
  const time = steadyTime();
  const entries = new Map<string, Entry<T>>();
  const queues = new Map<string, ReadQueue<Entry<T>>>();
  const flights = new Map<ReadBatch, Flight<T>>();
  let size = 0;

  const tickAfter = (micros: number): number => Math.ceil(micros / gridMicros) * gridMicros;

  function entryOf(object: string, id: string): Entry<T> {
    const key = `${object}/${id}`;
    let entry = entries.get(key);
    if (!entry) {
      const group = options.mixesObjects ? '' : object;
      const queue = queues.get(group) ?? readQueue<Entry<T>>();
      queues.set(group, queue);
      entry = { key, object, id, queue, hints: [], reading: 0 };
      entries.set(key, entry);
    }
    return entry;
  }

  function offer(hint: Hint, ticket: T, nowMicros: number): boolean {
    if (size >= options.maxHints) return false;
    const now = time.at(nowMicros);
    // A change is not later than its notice: where the clocks say so, they differ, and waiting longer is the safe side.
    const changed = Math.min(now, (hint.changedAtMicros ?? nowMicros) + time.offsetMicros);
    const held = { hint, ticket, offeredMicros: now, settlesMicros: changed + settleMicros, isRead: false };
    const entry = entryOf(hint.object, hint.id);
    entry.hints.push(held);
    size += 1;
    if (entry.reading === 0) awaitFirstRead(entry, held);
    return true;
  }

  function awaitFirstRead(entry: Entry<T>, { offeredMicros, settlesMicros }: Held<T>): void {
    const { queue } = entry;
    const dueMicros = offeredMicros + lingerMicros;
    if (queue.inPrompt(entry) || (queue.settledAt(entry) ?? Number.POSITIVE_INFINITY) <= dueMicros) return;
    const tick = tickAfter(Math.max(settlesMicros, offeredMicros));
    if (tick <= dueMicros) queue.addSettled(entry, tick);
    else queue.addPrompt(entry, dueMicros);
  }

  function due(nowMicros: number, calls: number): readonly ReadBatch[] {
    const now = time.at(nowMicros);
    const batches: ReadBatch[] = [];
    const settled = (queue: ReadQueue<Entry<T>>): number => queue.firstTickMicros();
    const prompt = (queue: ReadQueue<Entry<T>>): number => queue.promptDueMicros(options.batchIds);
    for (let queue = earliest(settled, now); queue && batches.length < calls; queue = earliest(settled, now))
      batches.push(handOut('settled', queue.takeSettled(now, options.batchIds), now));
    for (let queue = earliest(prompt, now); queue && batches.length < calls; queue = earliest(prompt, now))
      batches.push(handOut('prompt', queue.takePrompt(options.batchIds), now));
    return batches;
  }

  /** The queue whose work is due first, if any is by now. */
  function earliest(dueOf: (queue: ReadQueue<Entry<T>>) => number, now: number): ReadQueue<Entry<T>> | undefined {
    let first: ReadQueue<Entry<T>> | undefined;
    for (const queue of queues.values()) {
      if (queue.holdUntilMicros > now || dueOf(queue) > now) continue;
      if (!first || dueOf(queue) < dueOf(first)) first = queue;
    }
    return first;
  }

  function handOut(purpose: ReadBatch['purpose'], taken: readonly Entry<T>[], now: number): ReadBatch {
    const settling = ({ hint, settlesMicros }: Held<T>): SettlingHint => ({
      hint,
      settledFromMicros: settlesMicros - time.offsetMicros,
    });
    const items = taken.map(({ object, id, hints }) => ({ object, id, cause: mergeHints(hints.map(settling)) }));
    for (const entry of taken) entry.reading = entry.hints.length;
    const batch: ReadBatch = { purpose, items };
    flights.set(batch, { entries: taken, handedOutMicros: now, offsetMicros: time.offsetMicros });
    return batch;
  }

  function completed(batch: ReadBatch, outcome: ReadOutcome, nowMicros: number): readonly T[] {
    time.at(nowMicros);
    const flight = flights.get(batch);
    if (!flight) return [];
    flights.delete(batch);
    const settled = settledBy(flight, outcome);
    const done: T[] = [];
    for (const entry of flight.entries) {
      if (outcome.kind === 'failed')
        entry.queue.holdUntilMicros = Math.max(entry.queue.holdUntilMicros, outcome.retryAtMicros + time.offsetMicros);
      conclude(entry, settled, done);
    }
    return done;
  }

  /** Hints settled by then need no other read; null: nothing was read. */
  function settledBy(flight: Flight<T>, outcome: ReadOutcome): number | null {
    if (outcome.kind === 'failed') return null;
    if (outcome.kind === 'abandoned') return Number.POSITIVE_INFINITY;
    // No call is sent before it was handed out, whatever a clock that was set meanwhile says.
    return Math.max(flight.handedOutMicros, outcome.issuedMicros + flight.offsetMicros);
  }

  /**
   * Lets go of the hints that this read settled, and queues the record again for the others. One that came while the read
   * was under way waits for another, even if it came before the call was sent: the read was judged without knowing it.
   */
  function conclude(entry: Entry<T>, settled: number | null, done: T[]): void {
    const left: Held<T>[] = [];
    for (const [index, held] of entry.hints.entries()) {
      const carried = index < entry.reading && settled !== null;
      if (carried && held.settlesMicros <= settled) done.push(held.ticket);
      else left.push(held);
      held.isRead ||= carried;
    }
    entry.reading = 0;
    size -= entry.hints.length - left.length;
    entry.hints = left;
    if (left.length === 0) entries.delete(entry.key);
    for (const held of left) if (held.isRead) entry.queue.addSettled(entry, tickAfter(held.settlesMicros));
    for (const held of left) if (!held.isRead) awaitFirstRead(entry, held);
  }

  function nextDueMicros(): number | null {
    let first = Number.POSITIVE_INFINITY;
    for (const queue of queues.values()) {
      const next = Math.min(queue.firstTickMicros(), queue.promptDueMicros(options.batchIds));
      first = Math.min(first, Math.max(next, queue.holdUntilMicros));
    }
    return first === Number.POSITIVE_INFINITY ? null : Math.max(0, first - time.offsetMicros);
  }

  return {
    offer,
    due,
    completed,
    nextDueMicros,
    get size() {
      return size;
    },
  };
}
