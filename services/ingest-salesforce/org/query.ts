/**
 * SOQL by REST, page by page, deleted rows included (`queryAll`). A page is answered only when it is whole and decoded,
 * and the last one only if all pages together have as many rows as the first one promised.
 */
import { Transient } from '#core/errors.ts';
import type { Purpose } from '#core/ports/vendor.ts';
import { isRecord } from '#core/vendor/json.ts';
import { decodeObject } from '../decode/row.ts';
import type { DecodedRecord, RecordPlan } from '../decode/plan.ts';
import type { OrgClient, OrgRequest, Read } from './client.ts';

export interface Page {
  readonly records: readonly DecodedRecord[];
  readonly totalSize: number;
  readonly issuedMicros: number;
}

export async function* queryPages(
  client: OrgClient,
  plan: RecordPlan,
  soql: string,
  purpose: Purpose,
  signal: AbortSignal,
): AsyncGenerator<Page> {
  let request: OrgRequest | null = { path: client.data('queryAll'), query: { q: soql }, purpose, signal };
  let seen = 0;
  while (request !== null) {
    const answer: Read<Answer> = await client.json(request, answerOf);
    const { records, totalSize, next }: Answer = answer.value;
    const { issuedMicros } = answer;
    seen += records.length;
    if (next === null ? seen !== totalSize : records.length === 0) throw incomplete();
    yield { records: records.map((record) => decodeObject(plan, record)), totalSize, issuedMicros };
    request = next === null ? null : { path: next, purpose, signal };
  }
}

/** The rows of an answer that must be whole. */
export function recordsOf(plan: RecordPlan, value: unknown): readonly DecodedRecord[] {
  const { records, totalSize, next } = answerOf(value);
  if (next !== null || records.length !== totalSize) throw incomplete();
  return records.map((record) => decodeObject(plan, record));
}

interface Answer {
  readonly records: readonly unknown[];
  readonly totalSize: number;
  readonly next: string | null;
}

function answerOf(value: unknown): Answer {
  if (!isRecord(value) || !Array.isArray(value.records) || typeof value.done !== 'boolean') throw incomplete();
  const next = value.done ? null : value.nextRecordsUrl;
  const totalSize = Number(value.totalSize);
  if (!Number.isSafeInteger(totalSize) || (next !== null && typeof next !== 'string')) throw incomplete();
  return { records: value.records as readonly unknown[], totalSize, next };
}

function incomplete(): Transient {
  return new Transient(
    'page_incomplete',
    'A page of a query is incomplete: none of it is taken, and it is read again.',
  );
}
