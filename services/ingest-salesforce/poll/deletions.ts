/**
 * The list of deletions (`getDeleted`), which also names what was emptied from the recycle bin, where no query and no
 * change event shows it. Each entry asks for a read by id, which has the last word (rule 1).
 */
import { listedDeletion } from '#core/capture/reconcile.ts';
import { judge } from '#core/capture/verdict.ts';
import { MICROS_PER_MS, MICROS_PER_SECOND } from '#core/clock.ts';
import { InvalidMessage, Transient } from '#core/errors.ts';
import type { Purpose } from '#core/ports/vendor.ts';
import { isRecord } from '#core/vendor/json.ts';
import type { RecordPlan } from '../decode/plan.ts';
import { lastImages } from '../org/read-by-id.ts';
import type { Org } from '../org/org.ts';
import { sightingOf, untold, type Finding } from '../publish.ts';
import { stampOf } from '../raw-event.ts';
import { instant } from '../soql.ts';

export interface Deletion {
  readonly id: string;
  readonly deletedMicros: number;
}

export interface DeletionList {
  readonly deletions: readonly Deletion[];
  /** The list is complete up to here: the next one starts from here. */
  readonly coveredToMicros: number;
  /** The list knows nothing before this. */
  readonly availableFromMicros: number;
}

const MINUTE_MICROS = 60 * MICROS_PER_SECOND;
/** Salesforce refuses a start more than 15 days ago (SOAP API Guide, getDeleted); a day is left for clocks and zones. */
const FARTHEST_MICROS = 14 * 24 * 60 * MINUTE_MICROS;

/** What a list answers whose start lies before the log of deletions begins, which may be purged (SOAP API Guide, getDeleted). */
const BEFORE_THE_LOG = 'salesforce_invalid_replication_date';

/**
 * Times count in whole minutes, and the end must be after the start. `fromMicros` too long ago is moved forward; a log that
 * was purged meanwhile is read from where it begins, found by halving, since the refusal does not say.
 */
export async function listDeletions(
  org: Org,
  object: string,
  fromMicros: number,
  purpose: Purpose,
  signal: AbortSignal,
): Promise<DeletionList> {
  const now = org.context.clock.nowMicros();
  const start = toMinute(Math.max(fromMicros, now - FARTHEST_MICROS));
  const end = Math.max(Math.ceil(now / MINUTE_MICROS) * MINUTE_MICROS, start + MINUTE_MICROS);
  const ask = (from: number): Promise<DeletionList | null> => askList(org, object, from, end, purpose, signal);
  const whole = await ask(start);
  if (whole !== null) return whole;
  let list: DeletionList = { deletions: [], coveredToMicros: now, availableFromMicros: end };
  for (let [refused, accepted] = [start, end]; accepted - refused > MINUTE_MICROS;) {
    const middle = toMinute((refused + accepted) / 2);
    const found = await ask(middle);
    if (found === null) refused = middle;
    else [list, accepted] = [{ ...found, availableFromMicros: middle }, middle];
  }
  return list;
}

function toMinute(micros: number): number {
  return Math.floor(micros / MINUTE_MICROS) * MINUTE_MICROS;
}

/** Null where the log of deletions does not go back to `start`. */
async function askList(
  org: Org,
  object: string,
  start: number,
  end: number,
  purpose: Purpose,
  signal: AbortSignal,
): Promise<DeletionList | null> {
  const path = org.client.data(`sobjects/${object}/deleted/`);
  const query = { start: instant(start), end: instant(end) };
  try {
    const { value } = await org.client.json({ path, query, purpose, signal }, listOf);
    return value;
  } catch (error) {
    if (error instanceof InvalidMessage && error.code === BEFORE_THE_LOG) return null;
    throw error;
  }
}

/** Says that some deletions since `sinceMicros` are in no list any more. */
export function tellPurged(org: Org, object: string, { availableFromMicros }: DeletionList, sinceMicros: number): void {
  if (availableFromMicros <= sinceMicros) return;
  org.context.telemetry.emit('faultSeen', {
    service: 'ingest-salesforce',
    code: 'deletions_purged',
    message: `The list of deletions of ${object} does not reach back far enough: run a backfill to find what was deleted for good.`,
  });
}

function listOf(value: unknown): DeletionList {
  if (!isRecord(value) || !Array.isArray(value.deletedRecords)) throw incomplete();
  return {
    deletions: (value.deletedRecords as readonly unknown[]).map(deletionOf),
    coveredToMicros: microsOf(value.latestDateCovered),
    availableFromMicros: microsOf(value.earliestDateAvailable),
  };
}

function deletionOf(entry: unknown): Deletion {
  if (!isRecord(entry) || typeof entry.id !== 'string') throw incomplete();
  return { id: entry.id, deletedMicros: microsOf(entry.deletedDate) };
}

function microsOf(text: unknown): number {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw incomplete();
  return ms * MICROS_PER_MS;
}

function incomplete(): Transient {
  return new Transient(
    'deletions_incomplete',
    'A list of deletions is incomplete: none of it is taken, and it is asked for again.',
  );
}

/** What the read of each listed id means. */
export async function findDeletions(
  org: Org,
  plan: RecordPlan,
  deletions: readonly Deletion[],
  purpose: Purpose,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if (deletions.length === 0) return [];
  const settleMs = org.context.config['salesforce.settleMs'];
  const latest = new Map(deletions.map(({ id, deletedMicros }) => [id, deletedMicros]));
  const { value: images, issuedMicros } = await lastImages(org.client, plan, [...latest.keys()], purpose, signal);
  return [...latest].map(([id, deletedMicros]) => {
    const image = images.get(id);
    const deletion = listedDeletion(deletedMicros, settleMs);
    const verdict = judge(stampOf(org.epoch), sightingOf(image), issuedMicros, deletion);
    return { id, verdict, json: image?.json ?? null, told: untold(org.context) };
  });
}
