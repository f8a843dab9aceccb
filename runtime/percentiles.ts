/** Percentiles over the newest `capacity` samples: a ring, sorted only when asked. */
export class Percentiles {
  readonly #samples: Float64Array;
  #next = 0;
  #count = 0;

  constructor(capacity: number) {
    this.#samples = new Float64Array(capacity);
  }

  add(sample: number): void {
    this.#samples[this.#next] = sample;
    this.#next = (this.#next + 1) % this.#samples.length;
    this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  /** The sample below which the share `quantile` of them lies; null while there is none. */
  at(quantile: number): number | null {
    const kept = this.#samples.slice(0, Math.min(this.#count, this.#samples.length)).sort();
    return kept.length === 0 ? null : (kept[Math.min(kept.length - 1, Math.ceil(quantile * kept.length) - 1)] ?? null);
  }
}
