/** What goes wrong on demand. All may be changed while the simulator runs. */
export interface Faults {
  /** Share of webhook events that are never sent, as in an outage longer than the retries. */
  dropRate: number;
  /** Share of webhook events that are sent twice. */
  duplicateRate: number;
  /** Each event waits up to this long before it is sent, so that later ones overtake it. */
  shuffleMs: number;
  /** Share of steps that get the time of the step before. */
  equalTimeRate: number;
  /** Share of ringing events that have the end filled in. */
  earlyEndRate: number;
  /** How many of the next list requests fail in which way. */
  readonly nextLists: { unavailable: number; rateLimited: number; cut: number; html: number };
}

export function noFaults(): Faults {
  return {
    dropRate: 0,
    duplicateRate: 0,
    shuffleMs: 0,
    equalTimeRate: 0,
    earlyEndRate: 0,
    nextLists: { unavailable: 0, rateLimited: 0, cut: 0, html: 0 },
  };
}

/** Seeded (mulberry32), so that a run can be repeated. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
