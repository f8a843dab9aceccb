/** From REST's JSON, or from the cells of a CSV row, to the same decoded record. */
import { MICROS_PER_MS } from '#core/clock.ts';
import { InvalidMessage } from '#core/errors.ts';
import { isRecord } from '#core/vendor/json.ts';
import type { DecodedRecord, RecordPlan } from './plan.ts';
import { valueJson } from './value.ts';

/** `cells` in the order of the plan's fields. Throws `InvalidMessage` for a row without id or time. */
export function decodeCells(plan: RecordPlan, cells: readonly string[]): DecodedRecord {
  const { fields, prefixes } = plan;
  let json = '';
  for (let index = 0; index < fields.length; index += 1)
    json +=
      (prefixes[index] as string) + valueJson((fields[index] as (typeof fields)[number]).kind, cells[index] as string);
  return {
    id: idOf(cells[plan.idIndex]),
    json: `${json}}`,
    modifiedMicros: modifiedOf(cells[plan.modifiedIndex]),
    deleted: plan.deletedIndex >= 0 && cells[plan.deletedIndex] === 'true',
  };
}

/** `record` as `parseExact` gives it: numbers are already their decimal text. */
export function decodeObject(plan: RecordPlan, record: unknown): DecodedRecord {
  if (!isRecord(record))
    throw new InvalidMessage('not_a_record', `${plan.object}: an answer's record is not an object.`);
  return decodeCells(
    plan,
    plan.fields.map(({ name }) => textOf(record[name])),
  );
}

function textOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'boolean':
      return value ? 'true' : 'false';
    default:
      return value === null || value === undefined ? '' : JSON.stringify(value);
  }
}

function idOf(text: string | undefined): string {
  if (text === undefined || text === '')
    throw new InvalidMessage('no_record_id', 'A record has no Id: let the integration user see it.');
  return text;
}

let lastText = '';
let lastMicros = 0;

/** A bulk page is full of equal times: the last one is kept. */
function modifiedOf(text: string | undefined): number {
  if (text !== undefined && text === lastText) return lastMicros;
  const ms = text === undefined ? Number.NaN : Date.parse(text);
  if (Number.isNaN(ms))
    throw new InvalidMessage('no_system_modstamp', 'A record has no SystemModstamp: let the integration user see it.');
  lastText = text ?? '';
  lastMicros = ms * MICROS_PER_MS;
  return lastMicros;
}
