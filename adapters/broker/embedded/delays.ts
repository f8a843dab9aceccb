/** A heap of things that fall due, earliest first. */
export class Delays<T> {
  readonly #heap: { readonly dueMs: number; readonly value: T }[] = [];

  get length(): number {
    return this.#heap.length;
  }

  get firstDueMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  add(dueMs: number, value: T): void {
    const heap = this.#heap;
    let at = heap.push({ dueMs, value }) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && this.#dueAt(parent) > dueMs; parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** The earliest value if it is due. */
  takeDue(nowMs: number): T | undefined {
    const first = this.#heap[0];
    if (!first || first.dueMs > nowMs) return undefined;
    const last = this.#heap.pop();
    if (last && this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return first.value;
  }

  #sink(): void {
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      const least = this.#dueAt(left + 1) < this.#dueAt(left) ? left + 1 : left;
      if (this.#dueAt(least) >= this.#dueAt(at)) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #dueAt(at: number): number {
    return this.#heap[at]?.dueMs ?? Infinity;
  }

  #swap(one: number, other: number): void {
    const heap = this.#heap;
    [heap[one], heap[other]] = [heap[other]!, heap[one]!];
  }
}
