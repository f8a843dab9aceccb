/**
 * Records of several objects by one call: Composite, which counts once towards the allowance however many requests it
 * carries (REST API Guide, "Send Multiple Requests Using Composite"). It could carry anything: the allow-list lets it
 * carry only such queries. Rows in the recycle bin are shown too, marked deleted.
 */
import { InvalidMessage, Transient } from '#core/errors.ts';
import type { Purpose } from '#core/ports/vendor.ts';
import { isRecord } from '#core/vendor/json.ts';
import { fieldNames, type DecodedRecord, type RecordPlan } from '../decode/plan.ts';
import type { ObjectName } from '../objects.ts';
import { idIn, select } from '../soql.ts';
import type { OrgClient, Read } from './client.ts';
import { recordsOf } from './query.ts';
import { lastImages } from './read-by-id.ts';
import { refusal } from './refusal.ts';

export interface Wanted {
  readonly plan: RecordPlan;
  readonly ids: readonly string[];
}

export interface Found {
  readonly records: ReadonlyMap<ObjectName, ReadonlyMap<string, DecodedRecord>>;
  /** Objects whose query was refused; the others' are answered. */
  readonly refused: ReadonlyMap<ObjectName, InvalidMessage>;
}

/** Of the 25 requests that a composite may carry, so many may be queries. */
const QUERIES_A_CALL = 5;
const IDS_A_QUERY = 200;

interface Query {
  readonly plan: RecordPlan;
  readonly soql: string;
}

/**
 * `issuedMicros` is of the earliest of its calls. Where a server does not offer Composite, each object is asked for by
 * itself, which also tells whose query was refused.
 */
export async function readMany(
  client: OrgClient,
  wanted: readonly Wanted[],
  purpose: Purpose,
  signal: AbortSignal,
): Promise<Read<Found>> {
  try {
    return await readTogether(client, wanted, purpose, signal);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return readOneByOne(client, wanted, purpose, signal);
  }
}

async function readOneByOne(
  client: OrgClient,
  wanted: readonly Wanted[],
  purpose: Purpose,
  signal: AbortSignal,
): Promise<Read<Found>> {
  const records = new Map<ObjectName, ReadonlyMap<string, DecodedRecord>>();
  const refused = new Map<ObjectName, InvalidMessage>();
  let issued = Number.POSITIVE_INFINITY;
  for (const { plan, ids } of wanted) {
    try {
      const { value, issuedMicros } = await lastImages(client, plan, ids, purpose, signal);
      records.set(plan.object, value);
      issued = Math.min(issued, issuedMicros);
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      refused.set(plan.object, error);
    }
  }
  return { value: { records, refused }, issuedMicros: Number.isFinite(issued) ? issued : 0 };
}

async function readTogether(
  client: OrgClient,
  wanted: readonly Wanted[],
  purpose: Purpose,
  signal: AbortSignal,
): Promise<Read<Found>> {
  const queries = wanted.flatMap(({ plan, ids }) =>
    chunks(ids, IDS_A_QUERY).map((some): Query => ({
      plan,
      soql: select(plan.object, fieldNames(plan), [idIn(some)]),
    })),
  );
  const calls = chunks(queries, QUERIES_A_CALL).map((some) => callFor(client, some, purpose, signal));
  const answers = await Promise.all(calls);
  const records = new Map<ObjectName, Map<string, DecodedRecord>>(wanted.map(({ plan }) => [plan.object, new Map()]));
  const refused = new Map<ObjectName, InvalidMessage>();
  for (const { object, rows, error } of answers.flatMap(({ value }) => value)) {
    if (error !== null) refused.set(object, error);
    for (const row of rows) records.get(object)?.set(row.id, row);
  }
  return { value: { records, refused }, issuedMicros: Math.min(...answers.map(({ issuedMicros }) => issuedMicros)) };
}

interface Answered {
  readonly object: ObjectName;
  readonly rows: readonly DecodedRecord[];
  readonly error: InvalidMessage | null;
}

function callFor(
  client: OrgClient,
  queries: readonly Query[],
  purpose: Purpose,
  signal: AbortSignal,
): Promise<Read<readonly Answered[]>> {
  const compositeRequest = queries.map(({ soql }, index) => ({
    method: 'GET',
    url: `${client.data('queryAll')}?${new URLSearchParams({ q: soql }).toString()}`,
    referenceId: `q${index}`,
  }));
  const body = { allOrNone: false, compositeRequest };
  return client.json({ method: 'POST', path: client.data('composite'), body, purpose, signal }, (value) => {
    const answers = isRecord(value) && Array.isArray(value.compositeResponse) ? value.compositeResponse : [];
    const byReference = new Map((answers as readonly unknown[]).map((answer) => [referenceOf(answer), answer]));
    return queries.map(({ plan }, index) => answered(plan, byReference.get(`q${index}`)));
  });
}

function referenceOf(answer: unknown): unknown {
  return isRecord(answer) ? answer.referenceId : undefined;
}

function answered(plan: RecordPlan, answer: unknown): Answered {
  const { object } = plan;
  if (!isRecord(answer)) throw incomplete();
  if (answer.httpStatusCode === '200') return { object, rows: recordsOf(plan, answer.body), error: null };
  const error = refusal(Number(answer.httpStatusCode), answer.body, `a query of ${object}`);
  if (!(error instanceof InvalidMessage)) throw error;
  return { object, rows: [], error };
}

function incomplete(): Transient {
  return new Transient('answer_incomplete', 'A composite read did not answer for every object; tried again later.');
}

function chunks<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}
