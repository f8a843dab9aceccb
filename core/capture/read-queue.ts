/**
 * The records of one object that wait to be read: promptly, after a linger that starts with the first of them, or at a
 * tick of the grid, when their changes have settled. A record may wait in both.
 */
export interface ReadQueue<E> {
  /** Joins the prompt read, which falls due at the earliest `dueMicros` among those that wait. */
  addPrompt(entry: E, dueMicros: number): void;
  /** Waits for the read at `tickMicros` (or an earlier one if it already does). */
  addSettled(entry: E, tickMicros: number): void;
  inPrompt(entry: E): boolean;
  settledAt(entry: E): number | undefined;
  /** Takes up to `limit` entries whose tick has come, then fills up with entries that wait for the prompt read. */
  takeSettled(nowMicros: number, limit: number): E[];
  takePrompt(limit: number): E[];
  firstTickMicros(): number;
  /** A full batch lingers no longer: it is due at once (negative infinity). */
  promptDueMicros(fullAt: number): number;
  /** Nothing of this queue falls due before. */
  holdUntilMicros: number;
}

export function readQueue<E>(): ReadQueue<E> {
  const prompts = new Set<E>();
  const ticks = new Map<number, Set<E>>();
  const tickOf = new Map<E, number>();
  let promptDue = Number.POSITIVE_INFINITY;

  function removePrompt(entry: E): void {
    prompts.delete(entry);
    if (prompts.size === 0) promptDue = Number.POSITIVE_INFINITY;
  }

  function removeSettled(entry: E): void {
    const tick = tickOf.get(entry);
    if (tick === undefined) return;
    tickOf.delete(entry);
    const waiting = ticks.get(tick);
    waiting?.delete(entry);
    if (waiting?.size === 0) ticks.delete(tick);
  }

  function addSettled(entry: E, tickMicros: number): void {
    const current = tickOf.get(entry);
    if (current !== undefined && current <= tickMicros) return;
    removeSettled(entry);
    tickOf.set(entry, tickMicros);
    const waiting = ticks.get(tickMicros);
    if (waiting) waiting.add(entry);
    else ticks.set(tickMicros, new Set([entry]));
  }

  function take(from: Iterable<E>, limit: number, into: E[]): void {
    for (const entry of from) {
      if (into.length >= limit) return;
      into.push(entry);
      removePrompt(entry);
      removeSettled(entry);
    }
  }

  function takeSettled(nowMicros: number, limit: number): E[] {
    const taken: E[] = [];
    const due = [...ticks.keys()].filter((tick) => tick <= nowMicros).sort((a, b) => a - b);
    for (const tick of due) take(ticks.get(tick) ?? [], limit, taken);
    take(prompts, limit, taken);
    return taken;
  }

  return {
    holdUntilMicros: Number.NEGATIVE_INFINITY,
    addPrompt(entry, dueMicros) {
      prompts.add(entry);
      promptDue = Math.min(promptDue, dueMicros);
    },
    addSettled,
    inPrompt: (entry) => prompts.has(entry),
    settledAt: (entry) => tickOf.get(entry),
    takeSettled,
    takePrompt(limit) {
      const taken: E[] = [];
      take(prompts, limit, taken);
      return taken;
    },
    firstTickMicros: () => Math.min(...ticks.keys()),
    promptDueMicros: (fullAt) => (prompts.size >= fullAt ? Number.NEGATIVE_INFINITY : promptDue),
  };
}
