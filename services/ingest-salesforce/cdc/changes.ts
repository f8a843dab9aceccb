/**
 * The singleton `changes`: the stream, and beside it what is owed: first the backfill of every object never read in this
 * epoch, then reconciles. Nothing is read in bulk before the stream has a durable position.
 */
import { codeOf, messageOf, Misconfigured, Stale } from '#core/errors.ts';
import { backoffMs, type RetryPolicy } from '#core/retry.ts';
import type { Backfill } from '../backfill/backfill.ts';
import type { Org } from '../org/org.ts';
import { placeWatermarks } from '../poll/poller.ts';
import { reconcile } from '../reconcile.ts';
import type { EventDecoder } from './event.ts';
import { intake } from './intake.ts';
import { debts, LATE, openPosition, owing, paid, REFUSED, type PositionCheckpoint } from './position.ts';
import { followChanges } from './stream.ts';

export interface Changes {
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** A first backfill or a recovery is under way, or it is not known yet. */
  readonly busy: () => boolean;
}

const AGAIN: RetryPolicy = { attempts: Number.POSITIVE_INFINITY, baseMs: 2_000, ceilingMs: 300_000 };
const SLOWEST_EXPONENT = 9;
/** The stream's own pause before it connects again, and its first answer. */
const LEAST_GAP_WAIT_MS = 3_000;
const NO_PROGRESS = (): void => undefined;

export function changes(org: Org, all: Backfill, decoder: EventDecoder): Changes {
  let busy = true;
  let position: PositionCheckpoint | null = null;

  async function run(signal: AbortSignal): Promise<void> {
    busy = true;
    const { config, telemetry } = org.context;
    const instance = await org.client.orgId();
    await placeWatermarks(org);
    const place = await placedPosition(org, instance);
    position = place;
    const failure = new AbortController();
    const stop = AbortSignal.any([signal, failure.signal]);
    const bell = doorbell();
    const placed = doorbell();
    const takes = intake(org, instance, config['salesforce.channel'], decoder);
    const options = { org, position: place, intake: takes, onPlaced: placed.ring, onOwed: bell.ring };
    const repair = async (): Promise<void> => {
      await waitForPlace(org, place, placed, stop);
      await payDebts({ org, all, position: place, bell, placed, signal: stop, setBusy: (now) => (busy = now) });
    };
    const abort = (error: unknown): void => failure.abort(error);
    await Promise.all([followChanges(options, stop).catch(abort), repair().catch(abort)]);
    if (!signal.aborted && failure.signal.aborted) {
      telemetry.emit('faultSeen', fault(failure.signal.reason));
      throw failure.signal.reason as Error;
    }
  }

  return { run, busy: () => busy || position?.value?.gap === REFUSED };
}

/** A first start is at this moment, in time: until the stream has given a position, that is the position. */
async function placedPosition(org: Org, instance: string): Promise<PositionCheckpoint> {
  const { ports, clock, config } = org.context;
  const position = await openPosition(ports.store, clock, instance, config['salesforce.channel']);
  if (position.value === null)
    await position.save({ replayId: null, gap: null, goodMicros: clock.nowMicros(), owed: {} });
  return position;
}

/**
 * Waits for the stream's position. If the server gives none in time, the time of the start is the position, durable
 * already: the backfill need not wait, and all objects are owed since then as soon as the stream does say where it is.
 */
async function waitForPlace(
  org: Org,
  position: PositionCheckpoint,
  placed: Doorbell,
  signal: AbortSignal,
): Promise<void> {
  if (position.value?.replayId !== null) return;
  await ringOrTime(org, placed, org.context.config['salesforce.positionWaitSeconds'] * 1_000, signal);
  const now = position.value;
  if (now !== null && now.replayId === null) await position.save({ ...now, gap: now.gap ?? LATE });
}

interface Repair {
  readonly org: Org;
  readonly all: Backfill;
  readonly position: PositionCheckpoint;
  readonly bell: Doorbell;
  readonly placed: Doorbell;
  readonly signal: AbortSignal;
  readonly setBusy: (busy: boolean) => void;
}

async function payDebts(repair: Repair): Promise<void> {
  const { org, bell, signal, setBusy } = repair;
  for (let failures = 0; !signal.aborted;) {
    const rung = bell.rung();
    try {
      setBusy(true);
      await payOnce(repair);
      failures = 0;
      setBusy(false);
      await Promise.race([rung, aborted(signal)]);
    } catch (error) {
      if (signal.aborted || error instanceof Stale || error instanceof Misconfigured) throw error;
      failures += 1;
      org.context.telemetry.emit('faultSeen', fault(error));
      const pauseMs = backoffMs(AGAIN, 1 + Math.min(failures, SLOWEST_EXPONENT), org.context.random);
      await org.context.clock.sleep(pauseMs, signal);
    }
  }
}

/**
 * What is owed is read only after the settle time: it came to be owed by a commit, or by a position in the stream, and what
 * was committed just before may show neither there nor in a read at once.
 */
async function payOnce(repair: Repair): Promise<void> {
  const { org, all, position, signal } = repair;
  const settle = (): Promise<void> => org.context.clock.sleep(org.context.config['salesforce.settleMs'], signal);
  const neverRead = await all.owed();
  if (neverRead.length > 0) {
    await settle();
    await all.run(neverRead, 'first_sync', false, NO_PROGRESS, signal);
  }
  if (position.value?.gap === REFUSED) await closeGap(repair);
  const owed = position.value === null ? [] : debts(position.value);
  if (owed.length > 0) await settle();
  for (const [object, debt] of owed) {
    await reconcile(org, object, debt.sinceMicros, debt.reason, signal);
    if (position.value !== null) await position.save(paid(position.value, object, debt));
  }
  if (position.value !== null && debts(position.value).length > 0) await payOnce(repair);
}

/**
 * After a refused position the stream says where it is only with its next event, which an idle org may not have for
 * minutes. What was lost is read without waiting that long, and what comes between that and the event once more then.
 */
async function closeGap({ org, position, placed, signal }: Repair): Promise<void> {
  const waitMs = Math.max(LEAST_GAP_WAIT_MS, org.context.config['salesforce.positionWaitSeconds'] * 1_000);
  await ringOrTime(org, placed, waitMs, signal);
  const now = position.value;
  if (now?.gap !== REFUSED) return;
  const goodMicros = org.context.clock.nowMicros();
  await position.save({ ...owing(now, org.objects, now.goodMicros, REFUSED), goodMicros, gap: LATE });
}

async function ringOrTime(org: Org, placed: Doorbell, waitMs: number, signal: AbortSignal): Promise<void> {
  const timer = new AbortController();
  const timeUp = org.context.clock.sleep(waitMs, AbortSignal.any([signal, timer.signal])).catch(() => undefined);
  await Promise.race([placed.rung(), timeUp]);
  timer.abort();
  signal.throwIfAborted();
}

interface Doorbell {
  readonly ring: () => void;
  /** Resolves at the next ring. */
  readonly rung: () => Promise<void>;
}

function doorbell(): Doorbell {
  let waiting: (() => void)[] = [];
  return {
    ring() {
      for (const wake of waiting) wake();
      waiting = [];
    },
    rung: () => new Promise((resolve) => waiting.push(resolve)),
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function fault(error: unknown): { readonly service: string; readonly code: string; readonly message: string } {
  return { service: 'ingest-salesforce', code: codeOf(error), message: messageOf(error) };
}
