/**
 * What a finished backfill says of records we hold and it did not list (rule 1): they are read by id a while later, and
 * what is still absent was deleted for good before the listing began.
 */
import { doubts, settleDoubt, type FinishedListing } from '#core/capture/reconcile.ts';
import { MICROS_PER_SECOND } from '#core/clock.ts';
import { Unauthorized } from '#core/errors.ts';
import { ZERO_VERSION } from '#core/version.ts';
import { TABLES } from '#schemas/generated/tables.ts';
import type { ObjectName } from '../objects.ts';
import { lastImages } from '../org/read-by-id.ts';
import type { Org } from '../org/org.ts';
import { publishFindings, sightingOf, untold, type Finding } from '../publish.ts';
import { SOURCE, stampOf } from '../raw-event.ts';
import type { Run } from '../run.ts';
import { isId } from '../soql.ts';

const TABLE_OF = {
  Account: TABLES.account,
  Contact: TABLES.contact,
  Lead: TABLES.lead,
  Opportunity: TABLES.opportunity,
  User: TABLES.user,
  Task: TABLES.activity,
  Event: TABLES.activity,
} as const satisfies Record<ObjectName, unknown>;

/** Ids read at once; each is held only as long. */
const IDS_AT_ONCE = 1_000;

/** Publishes a tombstone for each record that is gone; answers how many there were. */
export async function settleAbsent(
  org: Org,
  object: ObjectName,
  listing: FinishedListing,
  run: Run,
  signal: AbortSignal,
): Promise<number> {
  const { absent, held } = await absentIds(org, object, listing);
  if (absent.length === 0) return 0;
  refuseMassDeletion(org, object, absent.length, held);
  // A record we hold may be too new for a read to show it: a minute later every read does.
  await org.context.clock.sleep(org.context.config['salesforce.absenceWaitSeconds'] * 1_000, signal);
  let found = 0;
  for (let at = 0; at < absent.length; at += IDS_AT_ONCE)
    found += await settle(org, object, listing, absent.slice(at, at + IDS_AT_ONCE), run, signal);
  return found;
}

/** So few may vanish at once without suspicion, whatever their share. */
const UNSUSPICIOUS = 100;

/** A listing that lacks most of what we hold more likely lost the right to see it: nothing is deleted on its word alone. */
function refuseMassDeletion(org: Org, object: ObjectName, absent: number, held: number): void {
  const limit = org.context.config['salesforce.absentShareLimit'];
  if (absent <= UNSUSPICIOUS || absent <= (held * limit) / 100) return;
  throw new Unauthorized(
    'mass_absence',
    `${absent} of ${held} ${object} records held are missing from a full listing. If the integration user lost access, grant it again; if they were really deleted, raise salesforce.absentShareLimit to 100 and run the backfill again.`,
  );
}

async function absentIds(
  org: Org,
  object: ObjectName,
  listing: FinishedListing,
): Promise<{ readonly absent: readonly string[]; readonly held: number }> {
  const { warehouse } = org.context.ports;
  const instance = await org.client.orgId();
  const before = Math.floor(listing.startMicros / MICROS_PER_SECOND) * MICROS_PER_SECOND;
  const stamp = stampOf(org.epoch);
  const absent: string[] = [];
  let count = 0;
  for await (const ids of warehouse.liveIds(TABLE_OF[object], { source: SOURCE, instance, object }, before)) {
    // The warehouse answers only ids held by an older version than the listing's start.
    const held = ids.filter(isId).map((id) => ({ id, version: ZERO_VERSION, deleted: false }));
    count += held.length;
    absent.push(...doubts(stamp, listing, held).absent);
  }
  return { absent, held: count };
}

async function settle(
  org: Org,
  object: ObjectName,
  listing: FinishedListing,
  ids: readonly string[],
  run: Run,
  signal: AbortSignal,
): Promise<number> {
  const plan = await org.catalogue.plan(object);
  const { value: images, issuedMicros } = await lastImages(org.client, plan, ids, 'backfill', signal);
  const findings = ids.map((id): Finding => {
    const image = images.get(id);
    const verdict = settleDoubt(stampOf(org.epoch), listing, id, sightingOf(image), issuedMicros);
    return { id, verdict, json: image?.json ?? null, told: untold(org.context) };
  });
  const instance = await org.client.orgId();
  const observedAtMicros = org.context.clock.nowMicros();
  const origin = { instance, object, lane: 'bulk', runId: run.runId, observedAtMicros } as const;
  await publishFindings(org.context, origin, 'backfill', findings, 'power');
  const deleted = findings.filter(({ verdict }) => verdict.kind === 'delete').length;
  run.deletions(deleted);
  run.published(findings.length);
  return deleted;
}
