/** First in, first out, with the bytes held and the time since when the first has waited. Shifting is O(1). */
export class EntryQueue<E extends { readonly bytes: number }> {
  #items: E[] = [];
  #head = 0;
  bytes = 0;
  firstAtMs = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  get first(): E | undefined {
    return this.#items[this.#head];
  }

  push(entry: E, nowMs: number): void {
    if (this.length === 0) this.firstAtMs = nowMs;
    this.#items.push(entry);
    this.bytes += entry.bytes;
  }

  shift(nowMs: number): E | undefined {
    const entry = this.first;
    if (!entry) return undefined;
    this.bytes -= entry.bytes;
    this.firstAtMs = nowMs;
    this.#head++;
    if (this.#head === this.#items.length) this.clear();
    return entry;
  }

  clear(): readonly E[] {
    const left = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    this.bytes = 0;
    return left;
  }
}
