/**
 * Where one subscription stands in one partition. Everything below `frame` is done; frames from there on that are under
 * way form the window; what is acked in the window before its head is done goes to the table of exceptions:
 *
 *     done ............ | window: frames read, partly acked ...... | not read yet
 *                     frame                                      next
 *
 * When the window grows too long behind a message that is not acked for long, that message's frame becomes a straggler:
 * it stays behind as an exception, and the window moves on. So one message never holds up, or costs memory for, the rest.
 */
import type { Clock } from '#core/clock.ts';
import { laneOf } from '../filter.ts';
import type { Entry } from '../intake.ts';
import { Delays } from './delays.ts';
import type { Frames, LoadedFrame } from './frames.ts';
import { Acks } from './acks.ts';
import type { Partition } from './partitions.ts';
import type { CursorRow, ExceptionRow } from './rows.ts';

export interface LogEntry extends Entry {
  readonly cursor: PartitionCursor;
  readonly acks: Acks;
  readonly index: number;
}

interface Returned {
  readonly acks: Acks;
  readonly index: number;
}

/** A frame whose messages are being given out, up to `at`. */
interface Reading {
  readonly acks: Acks;
  readonly loaded: LoadedFrame;
  at: number;
}

/** Frames in the window at most: some 100 bytes each. */
const WINDOW_FRAMES = 4_096;

export class PartitionCursor {
  readonly partition: Partition;
  readonly #frames: Frames;
  readonly #clock: Clock;
  /** In order of frame number, from `#head` on: a queue whose done part is cut off now and then. */
  #window: Acks[] = [];
  #head = 0;
  readonly #stragglers = new Map<number, Acks>();
  /** What a previous life left in the window: applied when the frame is read again. */
  readonly #known = new Map<number, ExceptionRow>();
  readonly #crashedTo: number;
  readonly #returned = new Delays<Returned>();
  #reading: Reading | undefined;
  #frame: number;
  #next: number;
  #messagesDone: number;
  #bytesDone: number;
  #isDirty = false;
  readonly #dirtyFrames = new Set<Acks>();
  readonly #goneFrames = new Set<number>();

  constructor(partition: Partition, row: CursorRow, exceptions: readonly ExceptionRow[], frames: Frames, clock: Clock) {
    this.partition = partition;
    this.#frames = frames;
    this.#clock = clock;
    this.#frame = row.frame;
    this.#next = row.frame;
    this.#crashedTo = row.handedTo;
    this.#messagesDone = row.messagesDone;
    this.#bytesDone = row.bytesDone;
    for (const exception of exceptions) {
      if (exception.frame >= row.frame) this.#known.set(exception.frame, exception);
      else this.#addStraggler(exception);
    }
  }

  #addStraggler(exception: ExceptionRow): void {
    const loaded = this.#frames.read(this.partition.id, exception.frame, exception.frame + 1);
    if (!loaded) return void this.#goneFrames.add(exception.frame);
    const acks = new Acks(exception.frame, loaded.count, exception.acked ?? undefined, exception.crashes + 1, true);
    this.#stragglers.set(exception.frame, acks);
    for (let index = 0; index < acks.count; index++) if (!acks.has(index)) this.#returned.add(0, { acks, index });
  }

  get isDirty(): boolean {
    return this.#isDirty || this.#dirtyFrames.size > 0 || this.#goneFrames.size > 0;
  }

  hasMore(): boolean {
    if (this.#reading || this.#next < this.partition.next) return true;
    return (this.#returned.firstDueMs ?? Infinity) <= this.#clock.monotonicMs();
  }

  get firstDueMs(): number | undefined {
    return this.#returned.firstDueMs;
  }

  /** Adds up to `limit` messages to `entries`: what was given back and is due, then what is new. */
  pull(entries: LogEntry[], limit: number): void {
    const nowMs = this.#clock.monotonicMs();
    while (entries.length < limit) {
      const returned = this.#returned.takeDue(nowMs);
      if (!returned) break;
      this.#pullReturned(entries, returned);
    }
    while (entries.length < limit) {
      this.#reading ??= this.#readNext();
      if (!this.#reading) return;
      this.#pullFrame(entries, limit, this.#reading);
    }
  }

  #pullReturned(entries: LogEntry[], { acks, index }: Returned): void {
    if (acks.isDropped || acks.has(index)) return;
    const loaded = this.#frames.read(this.partition.id, acks.frame, acks.frame + 1);
    if (loaded?.decoded) entries.push(this.#entry(acks, loaded, index));
    else this.ack(acks, index, 0);
  }

  #pullFrame(entries: LogEntry[], limit: number, reading: Reading): void {
    const { acks, loaded } = reading;
    for (; reading.at < acks.count && entries.length < limit; reading.at++) {
      if (!acks.has(reading.at)) entries.push(this.#entry(acks, loaded, reading.at));
    }
    if (reading.at >= acks.count) this.#reading = undefined;
  }

  #readNext(): Reading | undefined {
    while (this.#next < this.partition.next) {
      const loaded = this.#frames.read(this.partition.id, this.#next, this.partition.next);
      this.#next = loaded ? loaded.number + 1 : this.partition.next;
      this.#isDirty = true;
      if (!loaded) break;
      const acks = this.#open(loaded);
      if (loaded.decoded && acks.left > 0) return { acks, loaded, at: 0 };
      this.#finish(acks, loaded.bytes);
    }
    this.#advance();
    return undefined;
  }

  #open(loaded: LoadedFrame): Acks {
    const known = this.#known.get(loaded.number);
    this.#known.delete(loaded.number);
    const crashes = (known?.crashes ?? 0) + (loaded.number < this.#crashedTo ? 1 : 0);
    const acked = known ? (known.acked ?? 'all') : undefined;
    const acks = new Acks(loaded.number, loaded.count, acked, crashes, known !== undefined);
    this.#window.push(acks);
    if (crashes > 0) this.#dirtyFrames.add(acks);
    if (this.#window.length - this.#head > WINDOW_FRAMES) this.#leaveBehind();
    return acks;
  }

  #leaveBehind(): void {
    const first = this.#window[this.#head] as Acks;
    this.#head++;
    this.#stragglers.set(first.frame, first);
    this.#dirtyFrames.add(first);
    this.#advance();
  }

  #entry(acks: Acks, loaded: LoadedFrame, index: number): LogEntry {
    const decoded = loaded.decoded as NonNullable<LoadedFrame['decoded']>;
    const body = decoded.bodies[index] as Buffer;
    const delivered = {
      body,
      attributes: decoded.attributes[index] as Readonly<Record<string, string>>,
      messageId: `${this.partition.id}-${loaded.number}-${index}`,
      publishedAt: new Date(loaded.publishedMs),
      deliveryAttempts: acks.attempts(index) + 1,
    };
    return { delivered, bytes: body.length, lane: laneOf(this.partition.lane), cursor: this, acks, index };
  }

  ack(acks: Acks, index: number, bytes: number): void {
    if (!acks.add(index)) return;
    this.#messagesDone++;
    this.#bytesDone += bytes;
    this.#isDirty = true;
    if (acks.left > 0) this.#dirtyFrames.add(acks);
    else this.#settleFrame(acks);
  }

  /** Acks what is left of a frame: its messages cannot be read. */
  #finish(acks: Acks, bytes: number): void {
    this.#messagesDone += acks.left;
    if (acks.left > 0) this.#bytesDone += bytes;
    acks.addAll();
    this.#settleFrame(acks);
  }

  #settleFrame(acks: Acks): void {
    if (this.#stragglers.delete(acks.frame)) this.#goneFrames.add(acks.frame);
    else this.#dirtyFrames.add(acks);
    this.#advance();
  }

  #advance(): void {
    let first = this.#window[this.#head];
    for (; first && first.left === 0; first = this.#window[this.#head]) {
      this.#head++;
      this.#dirtyFrames.delete(first);
      if (first.isStored) this.#goneFrames.add(first.frame);
    }
    this.#frame = first?.frame ?? this.#next;
    if (this.#head > 1_024 && this.#head * 2 > this.#window.length) {
      this.#window = this.#window.slice(this.#head);
      this.#head = 0;
    }
  }

  /** To be delivered again from `dueMs` on. `wasHanded` counts as an attempt. */
  giveBack(acks: Acks, index: number, dueMs: number, wasHanded: boolean): void {
    if (acks.isDropped) return;
    if (wasHanded) acks.countAttempt(index);
    this.#returned.add(dueMs, { acks, index });
  }

  #held(): readonly Acks[] {
    return [...this.#window.slice(this.#head), ...this.#stragglers.values()];
  }

  /** Forgets all that is under way, for good: the place is read anew from the file. */
  drop(): void {
    for (const acks of this.#held()) acks.isDropped = true;
    this.#reading = undefined;
  }

  /** What is to be stored; `stored` tells that it was. `isClosing` says that nobody holds a message any more. */
  changes(isClosing = false): CursorRow & { readonly frames: ReadonlySet<Acks>; readonly gone: ReadonlySet<number> } {
    return {
      frame: this.#frame,
      handedTo: isClosing ? this.#frame : this.#next,
      messagesDone: this.#messagesDone,
      bytesDone: this.#bytesDone,
      frames: this.#dirtyFrames,
      gone: this.#goneFrames,
    };
  }

  stored(): void {
    for (const acks of this.#dirtyFrames) acks.isStored = true;
    this.#dirtyFrames.clear();
    this.#goneFrames.clear();
    this.#isDirty = false;
  }
}
