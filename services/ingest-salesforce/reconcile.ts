/**
 * `reconcile(object, since)`: reads what changed or was deleted since a time, less the look-back, and publishes it as a new
 * trip. One control loop for all that a stream can lose: expired positions, overflows, wildcards, outages (rule 4).
 */
import { judge } from '#core/capture/verdict.ts';
import { MICROS_PER_SECOND } from '#core/clock.ts';
import { bulkRead, BULK_ABOVE_ROWS } from './backfill/bulk-read.ts';
import { fieldNames, type RecordPlan } from './decode/plan.ts';
import { canBeDeleted, type ObjectName } from './objects.ts';
import type { Org } from './org/org.ts';
import { queryPages, type Page } from './org/query.ts';
import { findDeletions, listDeletions, tellPurged } from './poll/deletions.ts';
import { hintTooLarge, publishFindings, sightingOf, untold, type Finding } from './publish.ts';
import { stampOf, type Origin } from './raw-event.ts';
import { openRun, type Run } from './run.ts';
import { from, select } from './soql.ts';

export interface Reconciled {
  readonly runId: string;
  readonly records: number;
}

/** Answers when all is published and survives power loss. */
export async function reconcile(
  org: Org,
  object: ObjectName,
  sinceMicros: number,
  reason: string,
  signal: AbortSignal,
): Promise<Reconciled> {
  const { clock, random, config } = org.context;
  const runId = random.id();
  const run = openRun(org.context, { kind: 'reconcile', object, reason, runId, startedMicros: clock.nowMicros() });
  const fromMicros = Math.max(0, sinceMicros - config['salesforce.lookBackSeconds'] * MICROS_PER_SECOND);
  await run.during(async () => {
    const plan = await org.catalogue.plan(object);
    const instance = await org.client.orgId();
    const publish = publisher(org, run, { instance, object, lane: 'bulk', runId });
    await readChanges(org, plan, fromMicros, run, publish, signal);
    if (canBeDeleted(object)) await readDeletions(org, plan, fromMicros, run, publish, signal);
  });
  return { runId, records: run.recordsRead };
}

type Publish = (findings: readonly Finding[]) => Promise<void>;

function publisher(org: Org, run: Run, fixed: Omit<Origin, 'observedAtMicros'>): Publish {
  return async (findings) => {
    const origin = { ...fixed, observedAtMicros: org.context.clock.nowMicros() };
    const { events, tooLarge } = await publishFindings(org.context, origin, 'reconcile', findings, 'power');
    await hintTooLarge(org.context, origin, org.epoch, tooLarge);
    run.published(events);
  };
}

async function readChanges(
  org: Org,
  plan: RecordPlan,
  fromMicros: number,
  run: Run,
  publish: Publish,
  signal: AbortSignal,
): Promise<void> {
  const where = [from('SystemModstamp', fromMicros)];
  const soql = select(plan.object, fieldNames(plan), where, 'SystemModstamp,Id');
  for await (const page of queryPages(org.client, plan, soql, 'backfill', signal)) {
    run.called();
    run.expect(page.totalSize);
    if (page.totalSize > BULK_ABOVE_ROWS) return bulkRead(org, plan, where, run, 'reconcile', signal);
    await publish(findingsOf(org, page));
    run.read(page.records.length);
  }
}

function findingsOf(org: Org, page: Page): readonly Finding[] {
  const stamp = stampOf(org.epoch);
  return page.records.map((record) => ({
    id: record.id,
    verdict: judge(stamp, sightingOf(record), page.issuedMicros, null),
    json: record.json,
    told: untold(org.context),
  }));
}

async function readDeletions(
  org: Org,
  plan: RecordPlan,
  fromMicros: number,
  run: Run,
  publish: Publish,
  signal: AbortSignal,
): Promise<void> {
  const list = await listDeletions(org, plan.object, fromMicros, 'backfill', signal);
  run.called();
  tellPurged(org, plan.object, list, fromMicros);
  await publish(await findDeletions(org, plan, list.deletions, 'backfill', signal));
  run.deletions(list.deletions.length);
}
