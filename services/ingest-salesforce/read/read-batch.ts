/**
 * One call's worth of hinted records: read, judged, published. What the source said was deleted is read from the recycle
 * bin for its last image; the others by id. Not found is not a delete: it makes no event, and the poll repairs.
 */
import type { ReadBatch, ReadItem } from '#core/capture/read-plan.ts';
import { judge } from '#core/capture/verdict.ts';
import { isObject } from '../objects.ts';
import type { Org } from '../org/org.ts';
import { lastImages, retrieve, type Records } from '../org/read-by-id.ts';
import { publishFindings, sightingOf, type Finding } from '../publish.ts';
import { stampOf, type Origin } from '../raw-event.ts';

export interface BatchRead {
  /** The earliest of the calls. */
  readonly issuedMicros: number;
  /** Ids whose record is too large for a message. */
  readonly tooLarge: readonly string[];
}

export async function readBatch(
  org: Org,
  { items, purpose }: ReadBatch,
  traceOf: (item: ReadItem) => string,
  signal: AbortSignal,
): Promise<BatchRead> {
  const object = items[0]?.object ?? '';
  if (!isObject(object)) throw new TypeError(`Hints of ${object} are not read.`);
  const plan = await org.catalogue.plan(object);
  const gone = items.filter(({ cause }) => cause.deletion !== null);
  const others = items.filter(({ cause }) => cause.deletion === null);
  const [live, images] = await Promise.all([
    others.length === 0 ? null : retrieve(org.client, plan, idsOf(others), purpose, signal),
    gone.length === 0 ? null : lastImages(org.client, plan, idsOf(gone), purpose, signal),
  ]);
  const findings = [
    ...(live === null ? [] : findingsOf(org, others, live.value, live.issuedMicros, traceOf)),
    ...(images === null ? [] : findingsOf(org, gone, images.value, images.issuedMicros, traceOf)),
  ];
  const instance = await org.client.orgId();
  const observedAtMicros = org.context.clock.nowMicros();
  const origin: Origin = { instance, object, lane: 'live', runId: null, observedAtMicros };
  const { tooLarge } = await publishFindings(org.context, origin, 'hint', findings, 'kill');
  const issued = [live, images].flatMap((read) => (read === null ? [] : read.issuedMicros));
  return { issuedMicros: Math.min(...issued), tooLarge };
}

function findingsOf(
  org: Org,
  items: readonly ReadItem[],
  records: Records,
  issuedMicros: number,
  traceOf: (item: ReadItem) => string,
): readonly Finding[] {
  const stamp = stampOf(org.epoch);
  return items.map((item) => {
    const record = records.get(item.id);
    const { cause } = item;
    return {
      id: item.id,
      verdict: judge(stamp, sightingOf(record), issuedMicros, cause.deletion),
      json: record?.json ?? null,
      told: { trace: traceOf(item), changedAtMicros: cause.changedAtMicros, hint: cause.facts },
    };
  });
}

function idsOf(items: readonly ReadItem[]): readonly string[] {
  return items.map(({ id }) => id);
}
