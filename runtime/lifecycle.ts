/** What has started is stopped in reverse order, each once, whatever the others do. */
export class Lifecycle {
  readonly #steps: { readonly name: string; readonly stop: () => Promise<void> }[] = [];
  #stopped: Promise<void> | undefined;

  onStop(name: string, stop: () => Promise<void>): void {
    this.#steps.push({ name, stop });
  }

  /** Rejects with an `AggregateError` naming what could not be stopped, after all were tried. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    const errors: unknown[] = [];
    for (const { name, stop } of this.#steps.reverse()) {
      try {
        await stop();
      } catch (cause) {
        errors.push(new Error(`${name} did not stop cleanly.`, { cause }));
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, 'Not everything stopped cleanly.');
  }
}
