/** `updated` and `deleted`: ids that changed in a span of time. Start and end are taken to the minute. */
import type { Express, Request } from 'express';
import type { Table } from '../../world/index.ts';
import { versionOf } from '../http.ts';
import { restInstant } from '../instants.ts';
import type { Org } from '../org.ts';
import { Refusal } from '../refusal.ts';
import { tableNamed } from './records.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MOST_IDS = 600_000;

interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

const refused = (message: string): Refusal => new Refusal(400, 'INVALID_REPLICATION_DATE', message);

export function mountReplication(app: Express, org: Org): void {
  app.get('/services/data/:version/sobjects/:object/updated', (req, res) => {
    const span = spanOf(org, req, 30);
    const ids = changed(org, tableNamed(org, req), span, false).map(({ id }) => id);
    res.json({ ids: limited(ids), latestDateCovered: restInstant(covered(org, span)) });
  });
  app.get('/services/data/:version/sobjects/:object/deleted', (req, res) => {
    const span = spanOf(org, req, 15);
    const table = tableNamed(org, req);
    if (table.field('IsDeleted') === undefined)
      throw new Refusal(403, 'INVALID_TYPE_FOR_OPERATION', `object type ${table.object} is not replicateable`);
    // The log of deletions may be purged before its fifteen days are over.
    const earliestMs = Math.max(org.deletionsSinceMs, org.world.now() - 15 * DAY_MS);
    if (span.startMs < minute(earliestMs))
      throw refused(`startDate before org replication enabled date: ${restInstant(minute(earliestMs))}`);
    const deletedRecords = limited(changed(org, table, span, true)).map(({ id, ms }) => ({
      id,
      deletedDate: restInstant(ms),
    }));
    const latestDateCovered = restInstant(covered(org, span));
    res.json({ deletedRecords, earliestDateAvailable: restInstant(minute(earliestMs)), latestDateCovered });
  });
}

function minute(ms: number): number {
  return Math.floor(ms / MINUTE_MS) * MINUTE_MS;
}

function spanOf({ world }: Org, req: Request, days: number): Span {
  versionOf(req);
  const startMs = instant(req.query.start, 'start');
  const endMs = instant(req.query.end, 'end');
  if (endMs <= startMs) throw refused('endDate must be at least one minute greater than startDate');
  if (startMs < world.now() - days * DAY_MS - MINUTE_MS)
    throw refused(`startDate cannot be more than ${days} days ago`);
  return { startMs, endMs };
}

function instant(value: unknown, name: string): number {
  // An unescaped plus sign arrives as a space, which the service does not take either.
  const ms = typeof value === 'string' && !value.includes(' ') ? Date.parse(value) : NaN;
  if (Number.isNaN(ms)) throw refused(`${name} is not a date and time`);
  return minute(ms);
}

function covered({ world }: Org, { endMs }: Span): number {
  return Math.min(endMs, minute(world.now() - world.readLagMs));
}

/** Records changed (or deleted, for good or not) in the span, by their modification stamp. */
function changed({ world }: Org, table: Table, { startMs, endMs }: Span, isDeleted: boolean): Found[] {
  const number = world.readable();
  const cursor = table.cursor();
  const isWhole = !isDeleted && (startMs < table.shape.epochMs || table.waves.length > 0);
  const indexes = isWhole ? Array.from({ length: table.size }, (_, index) => index) : table.touched();
  return indexes.flatMap((index) => {
    const version = table.versionAt(index, number);
    const isPurged = version?.isPurged === true;
    if (isPurged) cursor.row.set(index);
    else if (!cursor.move(index, number)) return [];
    if ((isPurged || cursor.isDeleted) !== isDeleted) return [];
    const ms = Number(isPurged ? version.patch.SystemModstamp : cursor.get('SystemModstamp'));
    return ms >= startMs && ms < endMs ? [{ id: cursor.id, ms }] : [];
  });
}

interface Found {
  readonly id: string;
  readonly ms: number;
}

function limited<T>(list: T[]): T[] {
  if (list.length > MOST_IDS) throw new Refusal(400, 'EXCEEDED_ID_LIMIT', `cannot return more than ${MOST_IDS} ids`);
  return list;
}
