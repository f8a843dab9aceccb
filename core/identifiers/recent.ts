/**
 * Remembers what was asked for recently, in bounded memory. Two generations instead of a list in order of use: a hit in the
 * young one writes nothing, so it costs one lookup; what was not asked for during a whole generation is forgotten.
 */
export class Recent<V> {
  readonly #perGeneration: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  /** Never holds more than `entries`. 0 remembers nothing. */
  constructor(entries: number) {
    this.#perGeneration = Math.floor(entries / 2);
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) {
      this.#old.delete(key);
      this.set(key, old);
    }
    return old;
  }

  set(key: string, value: V): void {
    if (this.#perGeneration === 0) return;
    if (this.#young.size >= this.#perGeneration) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
