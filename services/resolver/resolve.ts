/**
 * The verb. One loop, so that there is one order: take a batch into the index, decide what it touches, publish what changed,
 * write both down, and only then ack. What a batch touches beyond a bounded piece is decided in later rounds, live first.
 *
 *     batch ──apply──▶ index ──▶ waiting ──a piece──▶ decided ──publish──▶ log ──durable──▶ ack
 *                                   ▲── the rest, the sweep after an unclean stop ──┘
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '#core/clock.ts';
import type { Codec } from '#core/codec.ts';
import type { Disposition } from '#core/disposition.ts';
import { codeOf, DependencyDown, messageOf, Stale } from '#core/errors.ts';
import type { Delivered, Message } from '#core/ports/broker.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { impact, impactOfIdentifiers } from './index/impact.ts';
import type { WorldIndex } from './index/index.ts';
import { Intake, type Batch, type Item, type ResolvedEntity } from './intake.ts';
import type { Log } from './log/log.ts';
import { answer, type Answer } from './match/answer.ts';
import { matchMessage, type Revisions } from './match/publish.ts';
import { Questions } from './match/question.ts';
import { Waiting, type Cause, type Task } from './waiting.ts';

export interface ResolverOptions {
  readonly index: WorldIndex;
  readonly log: Log;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly epoch: number;
  readonly publish: (messages: readonly Message[]) => Promise<void>;
  /** Called between rounds, when everything handed in is on its way to the log. */
  readonly afterRound: () => void;
}

interface Sweep {
  readonly next: number;
  readonly end: number;
  readonly cause: Cause;
}

/** Participants decided in one round, some 5 ms; records whose phones are read again in one round. */
const PIECE = 1_000;
const RETRY_MS = 1_000;

export class Resolver {
  readonly #options: ResolverOptions;
  readonly #intake: Intake;
  readonly #waiting = new Waiting();
  readonly #toDerive = new Map<number, Cause>();
  readonly #questions: Questions;
  readonly #revisions: Revisions;
  #sweep: Sweep | undefined;
  #loop: Promise<void> = Promise.resolve();
  #running = false;
  #stopped = false;
  #publishing = false;

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#intake = new Intake(options.codec);
    this.#questions = new Questions(options.index);
    this.#revisions = { epoch: options.epoch, last: 0 };
  }

  /** Nothing waits to be decided or published. */
  get isSettled(): boolean {
    return !this.#hasWork && !this.#publishing;
  }

  get #hasWork(): boolean {
    return this.#waiting.size > 0 || this.#toDerive.size > 0 || this.#sweep !== undefined;
  }

  get isBusy(): boolean {
    return this.#running || this.#intake.size > 0 || !this.isSettled || this.#options.log.isBusy;
  }

  handle(entity: ResolvedEntity, messages: readonly Delivered[], signal: AbortSignal): Promise<readonly Disposition[]> {
    const answered = this.#intake.take(entity, messages, signal);
    this.#start();
    return answered;
  }

  /** Decides everything again, beside the running work: what was published may not be what was written down. */
  sweep(trace: string): void {
    const cause: Cause = { lane: 'bulk', trace, runId: null, changedAtMicros: null, isEvent: false };
    this.#sweep = { next: 0, end: this.#options.index.participants.size, cause };
    this.#start();
  }

  /** Ends the loop and waits for the round under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#loop;
  }

  #start(): void {
    if (!this.#running && !this.#stopped) this.#loop = this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (!this.#stopped) {
      const batch = this.#intake.next();
      if (batch === undefined && !this.#hasWork) break;
      const isOk = await this.#round(batch);
      this.#options.afterRound();
      if (!isOk && this.#intake.size === 0) break;
      await nextTurn();
    }
    this.#running = false;
  }

  /** False if publishing failed: then the loop waits for the next batch, or a while. */
  async #round(batch: Batch | undefined): Promise<boolean> {
    const fault = batch === undefined ? undefined : this.#take(batch);
    try {
      this.#derivePiece();
      this.#sweepPiece();
      await this.#decidePiece();
      this.#writeDown(batch, fault);
      return true;
    } catch (error) {
      this.#options.clock.after(RETRY_MS, () => this.#start());
      this.#writeDown(batch, fault ?? error);
      return false;
    }
  }

  /** Applies and appends item by item; answers what stopped it: that is a fault of one message, and of no other. */
  #take(batch: Batch): unknown {
    try {
      for (const item of batch.items) {
        this.#apply(item);
        this.#options.log.append(item.entry);
      }
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #apply({ entry, cause }: Item): void {
    const { index } = this.#options;
    const mark = (participant: number): void => this.#waiting.add(participant, cause);
    this.#questions.forget();
    if (entry.kind === 'participant') return mark(index.putParticipant(entry.state).participant);
    const change = index.putRecord(entry.state);
    impact(index, change, mark);
    for (const record of change.toDerive) this.#toDerive.set(record, cause);
  }

  #derivePiece(): void {
    const { index } = this.#options;
    let left = PIECE;
    for (const [record, cause] of this.#toDerive) {
      if ((left -= 1) < 0) break;
      this.#toDerive.delete(record);
      this.#questions.forget();
      impactOfIdentifiers(index, index.derive(record), (participant) => this.#waiting.add(participant, cause));
    }
  }

  #sweepPiece(): void {
    if (this.#sweep === undefined || this.#waiting.size > 0) return;
    const { next, end, cause } = this.#sweep;
    const last = Math.min(end, next + PIECE);
    for (let participant = next; participant < last; participant += 1) this.#waiting.add(participant, cause);
    this.#sweep = last === end ? undefined : { next: last, end, cause };
  }

  async #decidePiece(): Promise<void> {
    const tasks = this.#waiting.take(PIECE);
    const answers: Answer[] = [];
    const messages: Message[] = [];
    for (const task of tasks) {
      const decided = this.#decide(task);
      if (decided === undefined) continue;
      answers.push(decided.answer);
      messages.push(decided.message);
    }
    if (answers.length > 0) await this.#publish(tasks, answers, messages);
  }

  /** A fault here is a bug about one participant; the others must not wait for its fix. */
  #decide({ participant, cause }: Task): { readonly answer: Answer; readonly message: Message } | undefined {
    const { index, epoch, clock, codec, telemetry } = this.#options;
    try {
      const one = answer(index, this.#questions, participant, cause, epoch);
      if (one === undefined) return undefined;
      return { answer: one, message: matchMessage(codec, this.#revisions, one, cause, clock.nowMicros()) };
    } catch (error) {
      telemetry.emit('faultSeen', { service: 'resolver', code: codeOf(error), message: messageOf(error) });
      return undefined;
    }
  }

  async #publish(tasks: readonly Task[], answers: readonly Answer[], messages: readonly Message[]): Promise<void> {
    const { participants } = this.#options.index;
    this.#publishing = true;
    try {
      await this.#options.publish(messages);
      for (const { participant, activity, role, fingerprint } of answers) {
        participants.published(participant, fingerprint, this.#options.epoch);
        this.#options.log.append({
          kind: 'outcome',
          state: { activity, role, fingerprint, epoch: this.#options.epoch },
        });
      }
    } catch (error) {
      // It may have been published all the same, so nobody knows what is: the next decision is published whatever it is.
      for (const { participant } of answers)
        participants.published(participant, 0, participants.publishedIn(participant));
      for (const { participant, cause } of tasks) this.#waiting.add(participant, cause);
      throw asDown('broker', error);
    } finally {
      this.#publishing = false;
    }
    this.#report(answers);
  }

  #report(answers: readonly Answer[]): void {
    const counts = new Map<string, number>();
    for (const { outcome } of answers) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    for (const [outcome, matches] of counts) this.#options.telemetry.emit('matchesDecided', { outcome, matches });
  }

  /** What was applied is stored even if publishing failed: the index must never be ahead of the log for good. */
  #writeDown(batch: Batch | undefined, fault: unknown): void {
    if (batch === undefined || fault !== undefined) {
      batch?.reject(fault);
      return void this.#store();
    }
    this.#options.log.durable().then(
      () => batch.resolve(batch.dispositions),
      (error: unknown) => batch.reject(asDown('objects', error)),
    );
  }

  /** Has the log stored although nobody waits for it, again and again until it succeeds. */
  async #store(): Promise<void> {
    const { log, clock, telemetry } = this.#options;
    try {
      await log.durable();
    } catch (error) {
      telemetry.emit('faultSeen', { service: 'resolver', code: codeOf(error), message: messageOf(error) });
      if (!(error instanceof Stale) && !this.#stopped) clock.after(RETRY_MS, () => void this.#store());
    }
  }
}

/** Neither the broker's nor the log's faults are the messages'; an owner who was replaced pauses until it is stopped. */
function asDown(dependency: string, error: unknown): DependencyDown {
  if (error instanceof DependencyDown) return error;
  return new DependencyDown(error instanceof Stale ? 'lease' : dependency, messageOf(error), { cause: error });
}
