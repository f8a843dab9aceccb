/**
 * What became of one message: exactly one per message of a batch. Expected outcomes are values; a dependency that is
 * down is thrown (`DependencyDown`), never answered, so that an outage makes no dead letters.
 */
export type Disposition =
  /** Durably handed on. */
  | { readonly kind: 'ack' }
  /** On purpose not processed, with a counted reason. */
  | { readonly kind: 'discard'; readonly reason: string }
  /** Try again later; the delay is advice to the broker. Counted, with a budget: see `runtime/outcome.ts`. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly reason: string }
  /** Cannot be processed as it is: parked with its bytes, to be replayed after a fix. */
  | { readonly kind: 'deadLetter'; readonly code: string; readonly reason: string };

export const ack: Disposition = { kind: 'ack' };

export function discard(reason: string): Disposition {
  return { kind: 'discard', reason };
}

export function retry(afterMs: number, reason: string): Disposition {
  return { kind: 'retry', afterMs, reason };
}

export function deadLetter(code: string, reason: string): Disposition {
  return { kind: 'deadLetter', code, reason };
}
