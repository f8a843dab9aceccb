/**
 * The plain way: `tabledata.insertAll` into a table that takes every version, with a view of the newest in its place. The
 * insert id is a hash of key and version, so that what is sent twice within a minute or so is kept once; what is kept
 * twice later the view hides. Google's `Table.insert` is not used: it repeats a part with other ids.
 */
import { createHash } from 'node:crypto';
import { DependencyDown } from '#core/errors.ts';
import { keyText } from '#core/key.ts';
import type { RefusedRow, Row, Table } from '#core/ports/warehouse.ts';
import { changeSequenceNumber } from '#core/version.ts';
import { prepareRows } from '../rows.ts';
import { COLUMN_KINDS, columnsOf, type WireValue } from './columns.ts';
import { insertError, statusOf } from './errors.ts';
import { appendTable } from './options.ts';
import { REQUEST_BYTES, refusedByService, tooLarge } from './requests.ts';
import type { Json, Rest } from './rest.ts';

/** As the service recommends; its limits are 50,000 rows and 10 MB. */
const REQUEST_ROWS = 500;
/** A row's insert id and punctuation in the request. */
const FRAME_BYTES = 80;
const MS_PER_DAY = 86_400_000;

interface Insert {
  readonly index: number;
  readonly insertId: string;
  readonly json: Readonly<Record<string, unknown>>;
  readonly bytes: { readonly length: number };
}

/** Of a row's errors, those that say nothing against the row: https://cloud.google.com/bigquery/docs/error-messages */
const PASSING = new Set(['backendError', 'internalError', 'timeout', 'rateLimitExceeded', 'quotaExceeded']);

export class InsertWriter {
  readonly table: Table;
  readonly #rest: Rest;
  readonly #uri: string;

  constructor(table: Table, rest: Rest, dataset: string) {
    this.table = table;
    this.#rest = rest;
    this.#uri = `/datasets/${dataset}/tables/${appendTable(table.name)}/insertAll`;
  }

  async upsert(batch: readonly Row[]): Promise<readonly RefusedRow[]> {
    const { accepted, refused, columns } = await prepareRows(COLUMN_KINDS, this.table, batch);
    const inserts = accepted.map((index) => insertOf(this.table, batch[index] as Row, columns, index));
    const later = inserts.filter(isTooLarge).map(tooLarge);
    for (const request of split(inserts.filter((insert) => !isTooLarge(insert))))
      later.push(...(await this.#write(request)));
    return [...refused, ...later].sort((a, b) => a.index - b.index);
  }

  /** Nothing is held between calls. */
  async close(): Promise<void> {}

  /** A request with a bad row is refused whole (`stopped` for the good ones): these are sent again without it. */
  async #write(request: readonly Insert[]): Promise<readonly RefusedRow[]> {
    const refused: RefusedRow[] = [];
    let rows = request;
    while (rows.length > 0) {
      const bad = await this.#insert(rows);
      if (bad === 'too large') return [...refused, ...(await this.#inHalves(rows))];
      if (bad.size === 0) break;
      refused.push(...rows.filter((_, at) => bad.has(at)).map(refusedByService));
      rows = rows.filter((_, at) => !bad.has(at));
    }
    return refused;
  }

  /** What stands between us and the service may have a lower limit. */
  async #inHalves(rows: readonly Insert[]): Promise<readonly RefusedRow[]> {
    if (rows.length === 1) return rows.map(tooLarge);
    const middle = Math.ceil(rows.length / 2);
    return [...(await this.#write(rows.slice(0, middle))), ...(await this.#write(rows.slice(middle)))];
  }

  async #insert(rows: readonly Insert[]): Promise<ReadonlySet<number> | 'too large'> {
    const body = { rows: rows.map(({ insertId, json }) => ({ insertId, json })) };
    try {
      return this.#badOf(await this.#rest.request('POST', this.#uri, { body }), rows.length);
    } catch (error) {
      if (statusOf(error) === 413) return 'too large';
      throw insertError(error, this.table.name);
    }
  }

  #badOf(answer: Json, sent: number): ReadonlySet<number> {
    const errors = (answer['insertErrors'] ?? []) as readonly InsertErrors[];
    const bad = errors.filter(({ errors: all }) =>
      all.some(({ reason = '' }) => reason !== 'stopped' && !PASSING.has(reason)),
    );
    const indexes = new Set(bad.map(({ index }) => Number(index ?? 0)).filter((index) => index < sent));
    // Not one row is to blame and yet they were not written.
    if (errors.length > 0 && indexes.size === 0)
      throw new DependencyDown('warehouse', `BigQuery does not take rows for ${this.table.name} now.`);
    return indexes;
  }
}

interface InsertErrors {
  readonly index?: number | string;
  readonly errors: readonly { readonly reason?: string }[];
}

function insertOf(table: Table, row: Row, columns: readonly (readonly (WireValue | null)[])[], index: number): Insert {
  const values = columnsOf(table).map(({ name, type }, c) => {
    const value = columns[c]?.[index] ?? null;
    return [name, value === null ? null : (JSON_VALUES[type]?.(value) ?? value)];
  });
  const id = createHash('sha256')
    .update(`${keyText(row.key)} ${changeSequenceNumber(row.version)}`)
    .digest('base64url');
  const json = Object.fromEntries(values) as Insert['json'];
  return { index, insertId: id, json, bytes: { length: Buffer.byteLength(JSON.stringify(json)) + FRAME_BYTES } };
}

function isTooLarge({ bytes }: Insert): boolean {
  return bytes.length > REQUEST_BYTES;
}

/** Where JSON has another form than the protobuf row: whole numbers as text, which is exact. */
const JSON_VALUES: Readonly<Partial<Record<string, (value: WireValue) => unknown>>> = {
  int64: String,
  date: (days) => new Date(Number(days) * MS_PER_DAY).toISOString().slice(0, 10),
  timestamp: (micros) => instantText(Number(micros)),
};

/** RFC 3339 with microseconds. */
function instantText(micros: number): string {
  const ms = Math.floor(micros / 1_000);
  const rest = String(micros - ms * 1_000).padStart(3, '0');
  return new Date(ms).toISOString().replace('Z', `${rest}Z`);
}

function split(inserts: readonly Insert[]): readonly (readonly Insert[])[] {
  const requests: Insert[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const insert of inserts) {
    const cost = insert.bytes.length;
    if (bytes + cost > REQUEST_BYTES || (requests.at(-1)?.length ?? 0) >= REQUEST_ROWS) {
      requests.push([]);
      bytes = 0;
    }
    (requests.at(-1) as Insert[]).push(insert);
    bytes += cost;
  }
  return requests;
}
