/**
 * Where the stream is, and what it owes, durable in one record: so no event is passed before its hints, or the reconcile
 * that stands for it, are kept.
 *
 *     LIVE ── position refused, or none but a time ──▶ GAP ── placed anew ──▶ GAP_RECOVERY ── all owed reconciled ──▶ LIVE
 *
 * GAP_RECOVERY is not a mode of the stream, which goes on from its new position: it is what `owed` being filled means. What
 * was read before the stream was placed anew is read once more after it, so that nothing falls between the two.
 */
import type { Clock } from '#core/clock.ts';
import type { StorePort } from '#core/ports/store.ts';
import { isRecord } from '#core/vendor/json.ts';
import { openCheckpoint, type Checkpoint } from '../checkpoint.ts';
import type { ObjectName } from '../objects.ts';

export interface Debt {
  readonly sinceMicros: number;
  /** Grows with each new debt of the object: one that grew while it was being paid is paid again. */
  readonly serial: number;
  readonly reason: string;
}

export interface Position {
  /** Base64; null until the server has given one: then `goodMicros` is the position, a time. */
  readonly replayId: string | null;
  /** Why events since `goodMicros` are lost: all objects are owed once there is a position again. Null: none are lost. */
  readonly gap: string | null;
  /** Up to this time nothing is missing, apart from what is owed. */
  readonly goodMicros: number;
  readonly owed: Readonly<Partial<Record<ObjectName, Debt>>>;
}

/** The two ways to lose events: the server refused the position, or gave none in time. */
export const REFUSED = 'position_refused';
export const LATE = 'late_position';

export type PositionCheckpoint = Checkpoint<Position>;

export function openPosition(
  store: StorePort,
  clock: Clock,
  instance: string,
  channel: string,
): Promise<PositionCheckpoint> {
  return openCheckpoint(store, clock, `ingest-salesforce/${instance}/position${channel}`, parsePosition);
}

function parsePosition(value: unknown): Position {
  if (!isRecord(value) || typeof value.goodMicros !== 'number') throw new TypeError('A position is not one.');
  return value as unknown as Position;
}

export function owing(
  position: Position,
  objects: readonly ObjectName[],
  sinceMicros: number,
  reason: string,
): Position {
  const owed: Partial<Record<ObjectName, Debt>> = { ...position.owed };
  for (const object of objects) {
    const old = owed[object];
    owed[object] = {
      sinceMicros: Math.min(sinceMicros, old?.sinceMicros ?? sinceMicros),
      serial: (old?.serial ?? 0) + 1,
      reason,
    };
  }
  return { ...position, owed };
}

/** The debt is paid unless it grew meanwhile. */
export function paid(position: Position, object: ObjectName, debt: Debt): Position {
  if (position.owed[object]?.serial !== debt.serial) return position;
  const { [object]: _, ...owed } = position.owed;
  return { ...position, owed };
}

export function debts({ owed }: Position): readonly (readonly [ObjectName, Debt])[] {
  return Object.entries(owed) as unknown as readonly (readonly [ObjectName, Debt])[];
}
