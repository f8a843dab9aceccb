/**
 * The poll of all objects, when its interval has passed. It repairs what the pushed events left out: what came during an
 * outage, what events never tell (formula fields, emptied recycle bins), reads that lagged beyond the settle time.
 */
import { publishedMemory, type Published } from '#core/capture/published.ts';
import { MICROS_PER_SECOND, type Clock } from '#core/clock.ts';
import { codeOf, messageOf } from '#core/errors.ts';
import { isRecord } from '#core/vendor/json.ts';
import { openCheckpoint, type Checkpoint } from '../checkpoint.ts';
import type { ObjectName } from '../objects.ts';
import type { Org } from '../org/org.ts';
import { openRun } from '../run.ts';
import { pollObject, type Watermark } from './object-poll.ts';

export interface Poller {
  /** Polls if it is time; one object's failure does not keep the others from being polled. */
  whenDue(signal: AbortSignal): Promise<void>;
}

/** Rows of the look-back that need not be published again. */
const REMEMBERED = 50_000;

export function poller(org: Org): Poller {
  const { clock, config } = org.context;
  const everyMs = config['salesforce.pollEverySeconds'] * 1_000;
  const published = publishedMemory(REMEMBERED);
  const watermarks = new Map<ObjectName, Checkpoint<Watermark>>();
  let dueMs = clock.monotonicMs() + everyMs;

  return {
    async whenDue(signal) {
      if (clock.monotonicMs() < dueMs) return;
      try {
        for (const object of org.objects) await pollOne(org, object, watermarks, published, signal);
      } finally {
        dueMs = nextDue(clock, everyMs);
      }
    },
  };
}

function nextDue(clock: Clock, everyMs: number): number {
  return clock.monotonicMs() + everyMs;
}

async function pollOne(
  org: Org,
  object: ObjectName,
  watermarks: Map<ObjectName, Checkpoint<Watermark>>,
  published: Published,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, telemetry } = org.context;
  try {
    const instance = await org.client.orgId();
    const watermark = watermarks.get(object) ?? (await openWatermark(org, instance, object));
    watermarks.set(object, watermark);
    const runId = random.id();
    const startedMicros = clock.nowMicros();
    const run = openRun(org.context, { kind: 'poll', object, reason: 'schedule', runId, startedMicros });
    const count = await pollObject({ org, object, instance, watermark, published, runId }, signal);
    // Most polls find nothing: a row for each would tell nothing either.
    if (count.published === 0) return;
    run.read(count.read);
    run.published(count.published);
    run.deletions(count.deletions);
    await run.during(async () => undefined);
  } catch (error) {
    if (signal.aborted) throw error;
    await watermarks
      .get(object)
      ?.flush()
      .catch(() => undefined);
    watermarks.delete(object);
    telemetry.emit('faultSeen', { service: 'ingest-salesforce', code: codeOf(error), message: messageOf(error) });
  }
}

/** A first poll starts at this moment, less the look-back: what is older is the backfill's. */
async function openWatermark(org: Org, instance: string, object: ObjectName): Promise<Checkpoint<Watermark>> {
  const { ports, clock, config } = org.context;
  const key = watermarkKey(instance, object, org.epoch);
  const watermark = await openCheckpoint(ports.store, clock, key, parseWatermark);
  if (watermark.value === null) {
    const start = clock.nowMicros() - config['salesforce.lookBackSeconds'] * MICROS_PER_SECOND;
    await watermark.save({ changedMicros: start, deletedMicros: start });
  }
  return watermark;
}

function watermarkKey(instance: string, object: ObjectName, epoch: number): string {
  return `ingest-salesforce/${instance}/poll/${object}/${epoch}`;
}

/** Makes the first watermarks durable, before anything else is read: the poll covers all that changes from now on. */
export async function placeWatermarks(org: Org): Promise<void> {
  const instance = await org.client.orgId();
  for (const object of org.objects) await openWatermark(org, instance, object);
}

function parseWatermark(value: unknown): Watermark {
  const micros = (name: string): number => (isRecord(value) && typeof value[name] === 'number' ? value[name] : 0);
  return { changedMicros: micros('changedMicros'), deletedMicros: micros('deletedMicros') };
}
