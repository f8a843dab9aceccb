/**
 * Stands between a broker and a handler: takes the broker's batches apart, delays, repeats and reorders their messages,
 * and makes batches of its own, within the same flow limits. Each message the broker handed is answered once; the copies
 * in between are ghosts, whose answers nobody hears.
 */
import { retry, type Disposition } from '#core/disposition.ts';
import type { BatchHandler, BrokerPort, Consumer, Delivered, SubscriptionSpec } from '#core/ports/broker.ts';
import type { Chaos } from './chaos-dice.ts';
import { laneOf } from './filter.ts';
import { Intake, type Entry } from './intake.ts';
import type { LaneScheduler } from './lanes.ts';

interface ChaosEntry extends Entry {
  answer(disposition: Disposition): void;
}

const released = retry(0, 'released');
const nobodyHears = (): void => undefined;

export class ChaosConsumer implements Consumer {
  readonly started: Promise<void>;
  readonly ended: Promise<void>;
  readonly #chaos: Chaos;
  readonly #lanes: LaneScheduler;
  readonly #inner: Consumer;
  readonly #intake: Intake<ChaosEntry>;
  readonly #late = new Map<ChaosEntry, () => void>();

  constructor(broker: BrokerPort, spec: SubscriptionSpec, handler: BatchHandler, chaos: Chaos, lanes: LaneScheduler) {
    this.#chaos = chaos;
    this.#lanes = lanes;
    this.#intake = new Intake<ChaosEntry>(
      spec.flow,
      (batch, signal) => this.#hand(handler, batch, signal),
      chaos.clock,
      {
        pull: () => [],
        handing: () => undefined,
        answered: (entries, dispositions) => {
          entries.forEach((entry, at) => this.#answered(entry, dispositions[at] as Disposition));
        },
        released: (entries) => {
          for (const entry of entries) entry.answer(released);
        },
        failed: () => undefined,
        wake: () => lanes.wake(),
      },
    );
    lanes.add(this.#intake);
    this.#inner = broker.consume({ ...spec, flow: { ...spec.flow, lingerMs: 0 } }, (batch) => this.#take(batch));
    this.started = this.#inner.started;
    this.ended = this.#inner.ended;
  }

  #take(batch: readonly Delivered[]): Promise<readonly Disposition[]> {
    const answers = batch.map(() => Promise.withResolvers<Disposition>());
    const order = this.#chaos.shuffled(batch.map((_, at) => at));
    for (const at of order) {
      const delivered = batch[at] as Delivered;
      this.#offer(delivered, this.#chaos.delayMs(), (answers[at] as PromiseWithResolvers<Disposition>).resolve);
      if (this.#chaos.happens('deliversTwice')) this.#offer(delivered, this.#chaos.delayMs(), nobodyHears);
    }
    return Promise.all(answers.map(({ promise }) => promise));
  }

  #offer(message: Delivered, afterMs: number, answer: ChaosEntry['answer']): void {
    const delivered = this.#chaos.disguise(message);
    const entry = { delivered, bytes: delivered.body.byteLength, lane: laneOf(delivered.attributes.lane), answer };
    if (afterMs === 0) return this.#intake.offer(entry);
    const cancel = this.#chaos.clock.after(afterMs, () => {
      this.#late.delete(entry);
      this.#intake.offer(entry);
    });
    this.#late.set(entry, cancel);
  }

  #answered(entry: ChaosEntry, disposition: Disposition): void {
    entry.answer(this.#chaos.distort(disposition));
    const isDone = disposition.kind !== 'retry';
    if (isDone && this.#chaos.happens('redeliversAcked'))
      this.#offer(entry.delivered, this.#chaos.redeliveryMs(), nobodyHears);
  }

  async #hand(
    handler: BatchHandler,
    batch: readonly Delivered[],
    signal: AbortSignal,
  ): Promise<readonly Disposition[]> {
    if (batch.length < 2 || !this.#chaos.happens('splitsBatch')) return handler(batch, signal);
    const middle = Math.ceil(batch.length / 2);
    const parts = [batch.slice(0, middle), batch.slice(middle)];
    const answers = await Promise.all(parts.map((part) => handler(part, signal)));
    return answers.flat();
  }

  #letGo(): void {
    for (const [entry, cancel] of this.#late) {
      cancel();
      entry.answer(released);
    }
    this.#late.clear();
  }

  async pause(): Promise<void> {
    this.#intake.pause();
    this.#letGo();
    await this.#inner.pause();
  }

  resume(): void {
    this.#intake.resume();
    this.#inner.resume();
  }

  async drain(timeoutMs: number): Promise<void> {
    const handed = this.#intake.drain(timeoutMs);
    this.#letGo();
    await Promise.all([handed, this.#inner.drain(timeoutMs)]);
    this.#lanes.remove(this.#intake);
  }
}
