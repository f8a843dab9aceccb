/**
 * Upserts into one table by the Storage Write API's default stream: rows are checked and encoded, split into requests
 * under the limit, and appended on one long-lived connection. BigQuery keeps, of each key, the greatest change sequence
 * number, which is our version: so a request sent twice does no harm, and a failed one is simply sent again.
 */
import type { Clock } from '#core/clock.ts';
import { DependencyDown } from '#core/errors.ts';
import type { RefusedRow, Row, Table } from '#core/ports/warehouse.ts';
import { prepareRows } from '../rows.ts';
import { COLUMN_KINDS } from './columns.ts';
import { openConnection, type Connection, type ConnectionOptions } from './connection.ts';
import { descriptorOf, RowEncoder } from './row-encoder.ts';

export interface TableWriterOptions {
  readonly client: ConnectionOptions['client'];
  /** `projects/…/datasets/…/tables/…` */
  readonly path: string;
  readonly table: Table;
  readonly clock: Clock;
  readonly timeoutMs: number;
}

/** The service takes less than 10 MB a request; this leaves room for its frame. */
const REQUEST_BYTES = 9_000_000;
/** Each row costs its tag and length in the request. */
const ROW_OVERHEAD_BYTES = 6;
/** The first connection may have died of age while idle, without a word. */
const ATTEMPTS = 3;

interface Encoded {
  /** In the batch. */
  readonly index: number;
  readonly bytes: Buffer;
}

export class TableWriter {
  readonly table: Table;
  readonly #options: TableWriterOptions;
  readonly #encoder: RowEncoder;
  #connection: Promise<Connection> | undefined;
  #underWay = 0;
  #whenIdle: (() => void)[] = [];

  constructor(options: TableWriterOptions) {
    this.table = options.table;
    this.#options = options;
    this.#encoder = new RowEncoder(options.table);
  }

  /** Resolves when all but the refused are durable. */
  async upsert(batch: readonly Row[]): Promise<readonly RefusedRow[]> {
    const { accepted, refused, columns } = await prepareRows(COLUMN_KINDS, this.table, batch);
    const encoded = accepted.map((index) => ({
      index,
      bytes: this.#encoder.encode(batch[index] as Row, columns, index),
    }));
    const { requests, oversize } = split(encoded);
    this.#underWay += 1;
    try {
      const later = await Promise.all(requests.map((request) => this.#write(request)));
      return [...refused, ...oversize.map(tooLarge), ...later.flat()].sort((a, b) => a.index - b.index);
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#whenIdle.splice(0).forEach((wake) => wake());
    }
  }

  /** Waits for what is under way: a connection that changes with writes pending mixes up their answers. */
  async close(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    connection?.close();
  }

  /** With bad rows nothing was written: the good ones are sent again without them, as often as it finds more. */
  async #write(request: readonly Encoded[]): Promise<readonly RefusedRow[]> {
    const refused: RefusedRow[] = [];
    let rows = request;
    while (rows.length > 0) {
      const bad = new Set((await this.#append(rows)).map(({ index }) => index));
      if (bad.size === 0) break;
      refused.push(...rows.filter((_, at) => bad.has(at)).map(refusedByService));
      rows = rows.filter((_, at) => !bad.has(at));
    }
    return refused;
  }

  async #append(rows: readonly Encoded[]) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const connection = await this.#open();
        return await connection.append(rows.map(({ bytes }) => bytes));
      } catch (error) {
        if (!(error instanceof DependencyDown) || attempt >= ATTEMPTS) throw error;
      }
    }
  }

  async #open(): Promise<Connection> {
    const current = this.#connection;
    if (current !== undefined) {
      const connection = await current.catch(() => undefined);
      if (connection !== undefined && !connection.isBroken) return connection;
    }
    // Of several writes that find it broken, the first opens the next.
    if (this.#connection === current) {
      const { client, path, table, clock, timeoutMs } = this.#options;
      this.#connection = openConnection({ client, table: path, descriptor: descriptorOf(table), clock, timeoutMs });
      this.#connection.catch(() => undefined);
    }
    return this.#connection as Promise<Connection>;
  }
}

function split(rows: readonly Encoded[]): {
  readonly requests: readonly (readonly Encoded[])[];
  readonly oversize: readonly Encoded[];
} {
  const requests: Encoded[][] = [];
  const oversize: Encoded[] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const row of rows) {
    const cost = row.bytes.length + ROW_OVERHEAD_BYTES;
    if (cost > REQUEST_BYTES) {
      oversize.push(row);
      continue;
    }
    if (bytes + cost > REQUEST_BYTES) {
      requests.push([]);
      bytes = 0;
    }
    (requests.at(-1) as Encoded[]).push(row);
    bytes += cost;
  }
  return { requests, oversize };
}

function tooLarge({ index, bytes }: Encoded): RefusedRow {
  return {
    index,
    code: 'row_oversize',
    reason: `The row has ${bytes.length} bytes, and BigQuery takes ${REQUEST_BYTES} at most.`,
  };
}

function refusedByService({ index }: Encoded): RefusedRow {
  return { index, code: 'row_refused', reason: 'BigQuery refused the row: its values do not fit the table.' };
}
