/**
 * One call's worth of hinted records: read, judged, published. Records of several objects, and what the source said was
 * deleted (whose last image is in the recycle bin), are read by a composite of queries; else by id. Not found is not a
 * delete: it makes no event, and the poll repairs.
 */
import type { ReadBatch, ReadItem } from '#core/capture/read-plan.ts';
import { judge } from '#core/capture/verdict.ts';
import { InvalidMessage } from '#core/errors.ts';
import type { Purpose } from '#core/ports/vendor.ts';
import type { DecodedRecord, RecordPlan } from '../decode/plan.ts';
import { isObject, type ObjectName } from '../objects.ts';
import type { Read } from '../org/client.ts';
import type { Org } from '../org/org.ts';
import { retrieve } from '../org/read-by-id.ts';
import { readMany, type Found, type Wanted } from '../org/read-many.ts';
import { publishFindings, sightingOf, type Finding } from '../publish.ts';
import { stampOf } from '../raw-event.ts';
import type { FirstSight } from './first-sight.ts';

export interface BatchRead {
  /** The earliest of the calls. */
  readonly issuedMicros: number;
  /** Keys (`object/id`) of records that are too large for a message. */
  readonly tooLarge: readonly string[];
  /** Objects that could not be read: the request is at fault, and would be again. */
  readonly refused: ReadonlyMap<ObjectName, InvalidMessage>;
}

interface Group {
  readonly plan: RecordPlan;
  readonly items: readonly ReadItem[];
}

export async function readBatch(
  org: Org,
  { items, purpose }: ReadBatch,
  traceOf: (item: ReadItem) => string,
  sights: FirstSight,
  signal: AbortSignal,
): Promise<BatchRead> {
  const { groups, refused } = await groupsOf(org, items);
  if (groups.length === 0) return { issuedMicros: org.context.clock.nowMicros(), tooLarge: [], refused };
  const { value: found, issuedMicros } = await readGroups(org, groups, purpose, signal);
  const instance = await org.client.orgId();
  const tooLarge: string[] = [];
  for (const { plan, items: some } of groups) {
    const { object } = plan;
    if (found.refused.has(object)) continue;
    const records = found.records.get(object) ?? new Map<string, DecodedRecord>();
    const findings = some.map((item) =>
      findingOf(org, item, records.get(item.id), {
        issuedMicros,
        trace: traceOf(item),
        sights,
      }),
    );
    const observedAtMicros = org.context.clock.nowMicros();
    const origin = { instance, object, lane: 'live', runId: null, observedAtMicros } as const;
    const published = await publishFindings(org.context, origin, 'hint', findings, 'kill');
    tooLarge.push(...published.tooLarge.map((id) => `${object}/${id}`));
  }
  return { issuedMicros, tooLarge, refused: new Map([...refused, ...found.refused]) };
}

/** By object, each with its plan; an object that cannot even be described is refused like one that cannot be read. */
async function groupsOf(
  org: Org,
  items: readonly ReadItem[],
): Promise<{ readonly groups: readonly Group[]; readonly refused: ReadonlyMap<ObjectName, InvalidMessage> }> {
  const groups: Group[] = [];
  const refused = new Map<ObjectName, InvalidMessage>();
  for (const [object, some = []] of Object.entries(Object.groupBy(items, (item) => item.object))) {
    if (!isObject(object)) throw new TypeError(`Hints of ${object} are not read.`);
    try {
      groups.push({ plan: await org.catalogue.plan(object), items: some });
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      refused.set(object, error);
    }
  }
  return { groups, refused };
}

async function readGroups(
  org: Org,
  groups: readonly Group[],
  purpose: Purpose,
  signal: AbortSignal,
): Promise<Read<Found>> {
  const wanted = groups.map(({ plan, items }): Wanted => ({ plan, ids: items.map(({ id }) => id) }));
  const [only] = wanted;
  const isGone = groups.some(({ items }) => items.some(({ cause }) => cause.deletion !== null));
  if (isGone || wanted.length > 1 || only === undefined) return readMany(org.client, wanted, purpose, signal);
  const { object } = only.plan;
  try {
    const { value, issuedMicros } = await retrieve(org.client, only.plan, only.ids, purpose, signal);
    return { value: { records: new Map([[object, value]]), refused: new Map() }, issuedMicros };
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return { value: { records: new Map(), refused: new Map([[object, error]]) }, issuedMicros: 0 };
  }
}

interface Reading {
  readonly issuedMicros: number;
  readonly trace: string;
  readonly sights: FirstSight;
}

function findingOf(org: Org, item: ReadItem, record: DecodedRecord | undefined, reading: Reading): Finding {
  const { id, object, cause } = item;
  const { issuedMicros, trace, sights } = reading;
  const json = record?.json ?? null;
  return {
    id,
    verdict: judge(stampOf(org.epoch), sightingOf(record), issuedMicros, cause.deletion),
    json,
    told: {
      trace,
      changedAtMicros: sights.of(`${object}/${id}`, cause.changedAtMicros, json),
      hint: cause.facts,
    },
  };
}
