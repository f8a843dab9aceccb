/**
 * A checkpoint over positions that are confirmed out of order (rule 4: it moves only past what the broker has confirmed,
 * contiguously). Positions (replay ids, page numbers, locators) are opaque: only the order in which they were begun counts.
 */
export interface Progress<P> {
  /** Begins the next position. The function confirms it (once; again is ignored) and answers the new checkpoint if that moved. */
  begin(position: P): () => P | null;
  /** The last position up to which all are confirmed; null before the first. */
  readonly checkpoint: P | null;
  /** Positions begun and not yet passed by the checkpoint: what the caller must bound. */
  readonly outstanding: number;
}

interface Step<P> {
  readonly position: P;
  confirmed: boolean;
}

export function progress<P>(from: P | null = null): Progress<P> {
  let steps: Step<P>[] = [];
  let passed = 0;
  let checkpoint = from;

  function advance(): P | null {
    const before = passed;
    for (let step = steps[passed]; step?.confirmed; step = steps[passed]) {
      checkpoint = step.position;
      passed += 1;
    }
    const moved = passed > before;
    // Dropping the passed ones only now and then keeps a confirmation cheap however many are outstanding.
    if (passed > 1_024 && passed * 2 > steps.length) {
      steps = steps.slice(passed);
      passed = 0;
    }
    return moved ? checkpoint : null;
  }

  return {
    begin(position) {
      const step: Step<P> = { position, confirmed: false };
      steps.push(step);
      return () => {
        if (step.confirmed) return null;
        step.confirmed = true;
        return advance();
      };
    },
    get checkpoint() {
      return checkpoint;
    },
    get outstanding() {
      return steps.length - passed;
    },
  };
}
