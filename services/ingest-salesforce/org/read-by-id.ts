/**
 * Records by id. `retrieve` is the cheap way (up to 2,000 a call) and shows only what is not deleted; `lastImages` also
 * shows what is in the recycle bin, marked deleted. An id that neither shows is missing, which is not a deletion.
 */
import { Transient } from '#core/errors.ts';
import type { Purpose } from '#core/ports/vendor.ts';
import { decodeObject } from '../decode/row.ts';
import { fieldNames, type DecodedRecord, type RecordPlan } from '../decode/plan.ts';
import { idIn, select } from '../soql.ts';
import type { OrgClient, OrgRequest, Read } from './client.ts';
import { queryPages } from './query.ts';

/** sObject Collections, retrieve: at most 2,000 ids a request (REST API Guide). */
export const RETRIEVE_IDS = 2_000;
/** An id costs 27 bytes of a URL that may have 16 kB. */
const IDS_A_QUERY = 200;

export type Records = ReadonlyMap<string, DecodedRecord>;

export async function retrieve(
  client: OrgClient,
  plan: RecordPlan,
  ids: readonly string[],
  purpose: Purpose,
  signal: AbortSignal,
): Promise<Read<Records>> {
  const request: OrgRequest = {
    method: 'POST',
    path: client.data(`composite/sobjects/${plan.object}`),
    body: { ids, fields: fieldNames(plan) },
    purpose,
    signal,
  };
  return client.json(request, (value) => {
    if (!Array.isArray(value) || value.length !== ids.length)
      throw new Transient('answer_incomplete', 'A read by id did not answer for every id; tried again later.');
    const found = value.filter((item) => item !== null).map((item) => decodeObject(plan, item));
    return new Map(found.map((record) => [record.id, record]));
  });
}

/** `issuedMicros` is of the earliest of its calls. */
export async function lastImages(
  client: OrgClient,
  plan: RecordPlan,
  ids: readonly string[],
  purpose: Purpose,
  signal: AbortSignal,
): Promise<Read<Records>> {
  const records = new Map<string, DecodedRecord>();
  let issuedMicros = Number.POSITIVE_INFINITY;
  for (let at = 0; at < ids.length; at += IDS_A_QUERY) {
    const soql = select(plan.object, fieldNames(plan), [idIn(ids.slice(at, at + IDS_A_QUERY))]);
    for await (const page of queryPages(client, plan, soql, purpose, signal)) {
      issuedMicros = Math.min(issuedMicros, page.issuedMicros);
      for (const record of page.records) records.set(record.id, record);
    }
  }
  return { value: records, issuedMicros };
}
