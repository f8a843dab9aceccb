/** Hints that are held until their record is read: which batch of the broker each came in, and what became of it. */
import type { Disposition } from '#core/disposition.ts';
import type { ObjectName } from '../objects.ts';

export interface OpenBatch {
  readonly answer: Promise<readonly Disposition[]>;
  settle(index: number, disposition: Disposition): void;
  readonly fail: (error: unknown) => void;
}

export interface Ticket {
  readonly batch: OpenBatch;
  readonly index: number;
  readonly key: string;
  readonly object: ObjectName;
}

export function openBatch(size: number): OpenBatch {
  const dispositions = new Array<Disposition | undefined>(size).fill(undefined);
  let left = size;
  const { promise, resolve, reject } = Promise.withResolvers<readonly Disposition[]>();
  if (size === 0) resolve([]);
  return {
    answer: promise,
    settle(index, disposition) {
      if (dispositions[index] !== undefined) return;
      dispositions[index] = disposition;
      left -= 1;
      if (left === 0) resolve(dispositions as readonly Disposition[]);
    },
    fail: reject,
  };
}

/** The trace of the latest hint of each record that is held, for the event that its read becomes. */
export class Traces {
  readonly #traces = new Map<string, { trace: string; holders: number }>();

  hold(key: string, trace: string): void {
    const held = this.#traces.get(key);
    if (held === undefined) this.#traces.set(key, { trace, holders: 1 });
    else {
      held.trace = trace;
      held.holders += 1;
    }
  }

  of(key: string): string | undefined {
    return this.#traces.get(key)?.trace;
  }

  release(key: string): void {
    const held = this.#traces.get(key);
    if (held === undefined) return;
    held.holders -= 1;
    if (held.holders === 0) this.#traces.delete(key);
  }
}
