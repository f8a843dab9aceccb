/** One call of a handler: answered when the last of its messages is settled, so that one batch may end in many writes. */
import { ack, type Disposition } from '#core/disposition.ts';

export class Delivery {
  readonly answer: Promise<readonly Disposition[]>;
  readonly #dispositions: Disposition[];
  readonly #signal: AbortSignal;
  #open: number;
  #failed = false;
  #resolve: (dispositions: readonly Disposition[]) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(messages: number, signal: AbortSignal) {
    this.#open = messages;
    this.#signal = signal;
    this.#dispositions = new Array<Disposition>(messages).fill(ack);
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (messages === 0) this.#resolve([]);
  }

  /** Nobody waits any more: it has failed, or the consumer released its messages. Its rows need not be written. */
  get isOver(): boolean {
    if (!this.#failed && this.#signal.aborted) this.fail(this.#signal.reason);
    return this.#failed;
  }

  settle(index: number, disposition: Disposition): void {
    if (disposition !== ack) this.#dispositions[index] = disposition;
    this.#open -= 1;
    if (this.#open === 0) this.#resolve(this.#dispositions);
  }

  /** Releases the whole batch; what was already written of it will come again and change nothing. */
  fail(error: unknown): void {
    this.#failed = true;
    this.#reject(error);
  }
}
