/** The row of a run (backfill, poll, reconcile, replay): the same for every source, one fact a state. */
import type { Fact } from './facts.ts';

export type RunKind = 'backfill' | 'poll' | 'reconcile';

/** In their order; of two facts with the same number the later wins, also after a restart in the middle. An abandoned run may go on. */
const STATE_NUMBER = { started: 1, progressed: 2, abandoned: 3, failed: 3, succeeded: 4 } as const;
export type RunState = keyof typeof STATE_NUMBER;

export interface RunFacts {
  readonly runId: string;
  readonly kind: RunKind;
  readonly source: string;
  readonly object: string;
  readonly reason: string;
  readonly startedMicros: number;
  readonly read: number;
  readonly published: number;
  readonly deletions: number;
  readonly calls: number;
}

export function runFact(run: RunFacts, state: RunState, errorCode: string | null, atMicros: number): Fact<'run'> {
  return {
    entity: 'run',
    id: run.runId,
    state: STATE_NUMBER[state],
    atMicros,
    trace: run.runId,
    record: {
      kind: run.kind,
      run_source: run.source,
      run_object: run.object,
      state,
      reason: run.reason,
      started_at: run.startedMicros,
      finished_at: STATE_NUMBER[state] >= STATE_NUMBER.abandoned ? atMicros : null,
      records_read: run.read,
      records_published: run.published,
      deletions_found: run.deletions,
      api_calls: run.calls,
      error_code: errorCode,
      detail: null,
    },
  };
}
