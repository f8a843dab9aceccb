/** Runs one piece of work at a time, in the order asked for: DuckDB takes one writer, and a checkpoint needs it to rest. */
export class Exclusive {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}
