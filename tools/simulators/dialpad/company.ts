/** The company's records in memory: calls by id and, once concluded, in the order of the list (newest start first). */
import { CONCLUDING, type Call, type Department, type User } from './model.ts';

export interface CallFilter {
  readonly startedAfterMs: number | null;
  readonly startedBeforeMs: number | null;
  readonly targetId: string | null;
  readonly targetType: string | null;
}

/** A place in the list: the call last given. */
export interface Place {
  readonly startedMs: number;
  readonly id: string;
}

export class Company {
  readonly users = new Map<string, User>();
  readonly departments = new Map<string, Department>();
  readonly #calls = new Map<string, Call>();
  /** Concluded calls, oldest first: most are appended at the end. */
  readonly #concluded: Call[] = [];
  readonly #listed = new Set<string>();

  call(id: string): Call | undefined {
    return this.#calls.get(id);
  }

  get concludedCalls(): readonly Call[] {
    return this.#concluded;
  }

  /** Takes a new call, or a call that may have concluded. */
  put(call: Call): void {
    this.#calls.set(call.id, call);
    if (!CONCLUDING.has(call.state) || this.#listed.has(call.id)) return;
    this.#listed.add(call.id);
    let index = this.#concluded.length;
    while (index > 0 && isOlder(call, this.#concluded[index - 1] as Call)) index -= 1;
    this.#concluded.splice(index, 0, call);
  }

  /** One page of concluded calls after `after`, and whether there are more. */
  page(
    filter: CallFilter,
    after: Place | null,
    size: number,
  ): { readonly calls: readonly Call[]; readonly more: boolean } {
    const calls: Call[] = [];
    for (let index = this.#startIndex(filter, after); index >= 0; index--) {
      const call = this.#concluded[index] as Call;
      if (filter.startedAfterMs !== null && call.startedMs <= filter.startedAfterMs) break;
      if (!matches(call, filter)) continue;
      if (calls.length === size) return { calls, more: true };
      calls.push(call);
    }
    return { calls, more: false };
  }

  /** The newest call older than the place and the filter's end, by bisection. */
  #startIndex({ startedBeforeMs }: CallFilter, after: Place | null): number {
    let low = 0;
    let high = this.#concluded.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const call = this.#concluded[middle] as Call;
      const isIn =
        (startedBeforeMs === null || call.startedMs < startedBeforeMs) && (after === null || isOlder(call, after));
      if (isIn) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

function isOlder(a: { readonly startedMs: number; readonly id: string }, b: Place): boolean {
  return a.startedMs < b.startedMs || (a.startedMs === b.startedMs && BigInt(a.id) < BigInt(b.id));
}

function matches(call: Call, { targetId, targetType }: CallFilter): boolean {
  if (targetId === null) return true;
  const isTarget = call.target.id === targetId && (targetType === null || call.target.type === targetType);
  const entry = call.entryPointTarget;
  return isTarget || (entry?.id === targetId && (targetType === null || entry.type === targetType));
}
