/**
 * One object's poll: what changed since the watermark less the look-back, deleted rows included, then the list of
 * deletions. The watermarks move only over what is confirmed as published and survives power loss.
 */
import { openPoll } from '#core/capture/poll-window.ts';
import type { Published } from '#core/capture/published.ts';
import { judge } from '#core/capture/verdict.ts';
import { MICROS_PER_MS, MICROS_PER_SECOND } from '#core/clock.ts';
import { bulkRead, BULK_ABOVE_ROWS } from '../backfill/bulk-read.ts';
import type { Checkpoint } from '../checkpoint.ts';
import type { RecordPlan } from '../decode/plan.ts';
import { fieldNames } from '../decode/plan.ts';
import { canBeDeleted, type ObjectName } from '../objects.ts';
import type { Org } from '../org/org.ts';
import { queryPages, type Page } from '../org/query.ts';
import { hintTooLarge, publishFindings, sightingOf, untold, type Finding } from '../publish.ts';
import { stampOf, type Origin } from '../raw-event.ts';
import { openRun } from '../run.ts';
import { from, select, upTo } from '../soql.ts';
import { findDeletions, listDeletions, tellPurged } from './deletions.ts';

/** Times of the source: up to where changes, and the list of deletions, have been read. */
export interface Watermark {
  readonly changedMicros: number;
  readonly deletedMicros: number;
}

export interface ObjectPoll {
  readonly org: Org;
  readonly object: ObjectName;
  readonly instance: string;
  readonly watermark: Checkpoint<Watermark>;
  readonly published: Published;
  readonly runId: string;
}

export interface PollCount {
  readonly read: number;
  readonly published: number;
  readonly deletions: number;
}

export async function pollObject(poll: ObjectPoll, signal: AbortSignal): Promise<PollCount> {
  const plan = await poll.org.catalogue.plan(poll.object);
  const changes = await pollChanges(poll, plan, signal);
  const deletions = canBeDeleted(poll.object) ? await pollDeletions(poll, plan, signal) : 0;
  await poll.watermark.flush();
  return { read: changes.read, published: changes.published + deletions, deletions };
}

async function pollChanges(
  poll: ObjectPoll,
  plan: RecordPlan,
  signal: AbortSignal,
): Promise<{ readonly read: number; readonly published: number }> {
  const { org, watermark } = poll;
  const { clock, config } = org.context;
  const lookBackMs = config['salesforce.lookBackSeconds'] * 1_000;
  const position = openPoll(watermark.value?.changedMicros ?? null, clock.nowMicros() + lookBackMs * MICROS_PER_MS, {
    lookBackMs,
  });
  const { fromMicros, toMicros } = position.window;
  const where = [from('SystemModstamp', fromMicros), upTo('SystemModstamp', toMicros)];
  const soql = select(poll.object, fieldNames(plan), where, 'SystemModstamp,Id');
  let read = 0;
  let published = 0;
  for await (const page of queryPages(org.client, plan, soql, 'poll', signal)) {
    if (page.totalSize > BULK_ABOVE_ROWS) return pollInBulk(poll, plan, where, signal);
    const confirm = position.page(page.records);
    read += page.records.length;
    published += await publishPage(poll, page);
    const reached = confirm();
    if (reached !== null) move(watermark, { changedMicros: reached });
  }
  return { read, published };
}

/**
 * After a data load there is more than pages should carry in the live lane. The watermark then follows our clock, less the
 * look-back: the job shows at least what was committed before it was created.
 */
async function pollInBulk(
  poll: ObjectPoll,
  plan: RecordPlan,
  where: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly read: number; readonly published: number }> {
  const { org, object, runId, watermark } = poll;
  const { clock, config } = org.context;
  const startedMicros = clock.nowMicros();
  const run = openRun(org.context, { kind: 'poll', object, reason: 'many_changes', runId, startedMicros });
  await run.during(() => bulkRead(org, plan, where, run, 'poll', signal));
  const reached = startedMicros - config['salesforce.lookBackSeconds'] * MICROS_PER_SECOND;
  if (reached > (watermark.value?.changedMicros ?? 0)) move(watermark, { changedMicros: reached });
  return { read: 0, published: 0 };
}

async function publishPage(poll: ObjectPoll, page: Page): Promise<number> {
  const { org, object, published } = poll;
  const stamp = stampOf(org.epoch);
  const fresh = page.records.filter((record) => !published.maySkip({ ...record, object }));
  const findings = fresh.map((record): Finding => ({
    id: record.id,
    verdict: judge(stamp, sightingOf(record), page.issuedMicros, null),
    json: record.json,
    told: untold(org.context),
  }));
  const events = await publishAll(poll, findings);
  for (const record of fresh) published.remember({ ...record, object }, page.issuedMicros);
  return events;
}

async function pollDeletions(poll: ObjectPoll, plan: RecordPlan, signal: AbortSignal): Promise<number> {
  const { org, watermark, object, published } = poll;
  const lookBackMicros = org.context.config['salesforce.lookBackSeconds'] * MICROS_PER_SECOND;
  const since = (watermark.value?.deletedMicros ?? org.context.clock.nowMicros()) - lookBackMicros;
  const list = await listDeletions(org, object, since, 'poll', signal);
  tellPurged(org, object, list, since + lookBackMicros);
  const known = ({ id, deletedMicros }: { readonly id: string; readonly deletedMicros: number }): boolean =>
    published.maySkip({ object, id, modifiedMicros: deletedMicros, deleted: true });
  const fresh = list.deletions.filter((deletion) => !known(deletion));
  const issuedMicros = org.context.clock.nowMicros();
  const findings = await findDeletions(org, plan, fresh, 'poll', signal);
  const events = await publishAll(poll, findings);
  for (const { id, deletedMicros } of fresh)
    published.remember({ object, id, modifiedMicros: deletedMicros, deleted: true }, issuedMicros);
  move(watermark, { deletedMicros: Math.max(watermark.value?.deletedMicros ?? 0, list.coveredToMicros) });
  return events;
}

async function publishAll(poll: ObjectPoll, findings: readonly Finding[]): Promise<number> {
  const { org, object, instance, runId } = poll;
  const origin: Origin = { instance, object, lane: 'live', runId, observedAtMicros: org.context.clock.nowMicros() };
  const { events, tooLarge } = await publishFindings(org.context, origin, 'poll', findings, 'power');
  await hintTooLarge(org.context, origin, org.epoch, tooLarge);
  return events;
}

function move(watermark: Checkpoint<Watermark>, part: Partial<Watermark>): void {
  watermark.note({ changedMicros: 0, deletedMicros: 0, ...watermark.value, ...part });
}
