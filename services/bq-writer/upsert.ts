/**
 * One write: the newest row per key, and what became of each message. Rows the warehouse refuses are dead letters and take
 * nobody with them. A fault that names no row is narrowed down by halves, and counted against the message that carries it.
 */
import type { Clock } from '#core/clock.ts';
import { MICROS_PER_MS } from '#core/clock.ts';
import { ack, deadLetter, retry } from '#core/disposition.ts';
import { codeOf, DependencyDown, Transient } from '#core/errors.ts';
import type { Lane } from '#core/ports/broker.ts';
import type { RefusedRow, Table, WarehousePort } from '#core/ports/warehouse.ts';
import type { Telemetry } from '#core/telemetry.ts';
import { newestPerKey } from './newest.ts';
import type { Pending } from './queue.ts';

export interface UpsertOptions {
  readonly table: Table;
  readonly lane: Lane;
  readonly warehouse: WarehousePort;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  /** Called when the warehouse is down, with what was to be written: releases that and all that waits. */
  readonly onDown: (part: readonly Pending[], error: DependencyDown) => void;
}

/** Halvings a write may spend on finding a row that makes the warehouse fail. */
const NARROWING_BUDGET = 40;
const RETRY_MS = 1_000;

/** Settles every message except those it answers, which lost to a row that was then refused: they take the next turn. */
export async function upsert(options: UpsertOptions, batch: readonly Pending[]): Promise<readonly Pending[]> {
  const { winners, superseded } = newestPerKey(batch);
  const startedMs = options.clock.monotonicMs();
  const written: Pending[] = [];
  const again: Pending[] = [];
  let refusals = 0;
  const budget = { left: NARROWING_BUDGET };
  await attempt(options, winners, budget, (part, refused) => {
    const reasons = new Map(refused.map((row) => [row.index, row]));
    refusals += refused.length;
    part.forEach((pending, index) => {
      const reason = reasons.get(index);
      if (reason === undefined) written.push(pending);
      pending.delivery.settle(pending.index, reason === undefined ? ack : deadLetter(reason.code, reason.reason));
    });
  });
  const committed = new Set(written);
  for (const [index, losers] of superseded) {
    const winner = winners[index];
    if (winner !== undefined && committed.has(winner)) losers.forEach(acknowledge);
    else again.push(...losers);
  }
  report(options, written, refusals, startedMs);
  return again;
}

function acknowledge({ delivery, index }: Pending): void {
  delivery.settle(index, ack);
}

async function attempt(
  options: UpsertOptions,
  part: readonly Pending[],
  budget: { left: number },
  done: (part: readonly Pending[], refused: readonly RefusedRow[]) => void,
): Promise<void> {
  let refused: readonly RefusedRow[];
  try {
    refused = await options.warehouse.upsert(
      options.table,
      part.map(({ row }) => row),
    );
  } catch (error) {
    if (error instanceof DependencyDown || error instanceof Transient) return options.onDown(part, asDown(error));
    const [only] = part;
    if (part.length === 1 && only !== undefined)
      return only.delivery.settle(only.index, retry(RETRY_MS, `The warehouse failed on this row: ${codeOf(error)}.`));
    if (budget.left === 0) return part.forEach(({ delivery }) => delivery.fail(error));
    budget.left -= 1;
    const middle = Math.ceil(part.length / 2);
    await attempt(options, part.slice(0, middle), budget, done);
    return await attempt(options, part.slice(middle), budget, done);
  }
  done(part, refused);
}

/** What will pass is an outage too: it is not counted against the messages. */
function asDown(error: DependencyDown | Transient): DependencyDown {
  return error instanceof DependencyDown ? error : new DependencyDown('warehouse', error.message, { cause: error });
}

function report(options: UpsertOptions, written: readonly Pending[], refused: number, startedMs: number): void {
  const { table, lane, clock, telemetry } = options;
  const nowMicros = clock.nowMicros();
  const changeToRowMs: number[] = [];
  if (lane === 'live') {
    for (const { changedAtMicros } of written)
      if (changedAtMicros !== null) changeToRowMs.push((nowMicros - changedAtMicros) / MICROS_PER_MS);
  }
  const durationMs = clock.monotonicMs() - startedMs;
  telemetry.emit('rowsWritten', { table: table.name, lane, rows: written.length, refused, durationMs, changeToRowMs });
}
