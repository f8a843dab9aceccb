/** When what was committed, and how far back somebody still reads. */
export interface Moment {
  readonly ms: number;
  readonly number: number;
}

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export class History {
  readonly #recent: Moment[] = [];
  readonly #pins = new Map<symbol, { readonly number: number; readonly untilMs: number }>();
  #last: Moment;

  constructor(firstNumber: number) {
    this.#last = { ms: 0, number: firstNumber };
  }

  get last(): Moment {
    return this.#last;
  }

  record(moment: Moment): void {
    this.#last = moment;
    this.#recent.push(moment);
    if (this.#recent.length > 20_000 && this.#recent[10_000]!.ms < moment.ms - HOUR_MS) this.#recent.splice(0, 10_000);
  }

  /** The number of the last commit at or before a time, within the last hour. */
  numberAt(ms: number): number {
    const index = this.#recent.findLastIndex((moment) => moment.ms <= ms);
    return index >= 0 ? this.#recent[index]!.number : (this.#recent[0]?.number ?? this.#last.number + 1) - 1;
  }

  /** Keeps what a reader as of that commit sees, for an hour or until the returned function is called. */
  pin(number: number, nowMs: number): () => void {
    const key = Symbol();
    this.#pins.set(key, { number, untilMs: nowMs + HOUR_MS });
    return () => this.#pins.delete(key);
  }

  /** Nobody reads as of an earlier commit. Whoever reads without a pin has a minute beyond the read lag. */
  horizon(nowMs: number, readLagMs: number): number {
    let horizon = this.numberAt(nowMs - MINUTE_MS - readLagMs);
    for (const [key, pin] of this.#pins) {
      if (pin.untilMs < nowMs) this.#pins.delete(key);
      else horizon = Math.min(horizon, pin.number);
    }
    return horizon;
  }
}
