/**
 * Upserts into one table by the Storage Write API's default stream: rows are checked and encoded, split into requests
 * under the limit, and appended on one long-lived connection. BigQuery keeps, of each key, the greatest change sequence
 * number, which is our version: so a request sent twice does no harm, and a failed one is simply sent again.
 */
import type { Clock } from '#core/clock.ts';
import { DependencyDown, Misconfigured, type TributaryError } from '#core/errors.ts';
import type { RefusedRow, Row, Table } from '#core/ports/warehouse.ts';
import { prepareRows } from '../rows.ts';
import { COLUMN_KINDS } from './columns.ts';
import { openConnection, type Connection, type ConnectionOptions, type Refusals } from './connection.ts';
import { refusedByService, split, tooLarge, type Encoded } from './requests.ts';
import { descriptorOf, RowEncoder } from './row-encoder.ts';
import { Drain } from './drain.ts';

export interface TableWriterOptions {
  readonly client: ConnectionOptions['client'];
  /** `projects/…/datasets/…/tables/…` */
  readonly path: string;
  readonly table: Table;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** The end of the writer before this one: it wrote with other columns. */
  readonly after: Promise<void>;
  /** Whether REST knows the table. */
  readonly exists: () => Promise<boolean>;
  readonly onFault?: ((error: TributaryError) => void) | undefined;
}

/**
 * Before each repetition. The first is at once: the connection may have died of age while idle. Then at growing intervals
 * to the end of patience; after it the whole service pauses, which has intervals of its own.
 */
const WAITS_MS = [0, 250, 1_000, 2_000];
/** Of one call, so that a large one does not lie in the connection's memory as a whole. */
const REQUESTS_AT_ONCE = 4;
/** Longest wait for what is under way when it is closed: a platform kills after ten seconds. */
export const DRAIN_MS = 5_000;

export class TableWriter {
  readonly table: Table;
  readonly #options: TableWriterOptions;
  readonly #encoder: RowEncoder;
  readonly #drain: Drain;
  #connection: Promise<Connection> | undefined;

  constructor(options: TableWriterOptions) {
    this.table = options.table;
    this.#options = options;
    this.#encoder = new RowEncoder(options.table);
    this.#drain = new Drain(options.clock);
  }

  /** Resolves when all but the refused are durable. Rejects within twice the time limit. */
  upsert(batch: readonly Row[]): Promise<readonly RefusedRow[]> {
    return this.#drain.run(() => this.#upsert(batch));
  }

  /** Waits for what is under way, but not for ever: then that fails, and is delivered again. */
  async close(): Promise<void> {
    await this.#drain.close(DRAIN_MS);
    const connection = await this.#connection?.catch(() => undefined);
    this.#connection = undefined;
    connection?.close();
  }

  async #upsert(batch: readonly Row[]): Promise<readonly RefusedRow[]> {
    const { accepted, refused, columns } = await prepareRows(COLUMN_KINDS, this.table, batch);
    const encoded = accepted.map((index) => ({
      index,
      bytes: this.#encoder.encode(batch[index] as Row, columns, index),
    }));
    const { requests, oversize } = split(encoded);
    await this.#options.after;
    const all = [...refused, ...oversize.map(tooLarge)];
    for (let from = 0; from < requests.length; from += REQUESTS_AT_ONCE) {
      const some = requests.slice(from, from + REQUESTS_AT_ONCE);
      all.push(...(await Promise.all(some.map((request) => this.#write(request)))).flat());
    }
    return all.sort((a, b) => a.index - b.index);
  }

  /** With bad rows nothing was written: the good ones are sent again without them, as often as it finds more. */
  async #write(request: readonly Encoded[]): Promise<readonly RefusedRow[]> {
    const refused: RefusedRow[] = [];
    let rows = request;
    while (rows.length > 0) {
      const refusals = await this.#append(rows);
      if (refusals.length === 0) break;
      const bad = new Set(refusals.map(({ index }) => index));
      const good = rows.filter((_, at) => !bad.has(at));
      if (good.length === rows.length)
        throw new Misconfigured('warehouse_refused', `BigQuery refuses rows of ${this.table.name} that were not sent.`);
      refused.push(...rows.filter((_, at) => bad.has(at)).map(refusedByService));
      rows = good;
    }
    return refused;
  }

  async #append(rows: readonly Encoded[]): Promise<Refusals> {
    const { clock, timeoutMs } = this.#options;
    const startMs = clock.monotonicMs();
    for (let attempt = 0; ; attempt += 1) {
      try {
        const connection = await this.#open();
        return await connection.append(rows.map(({ bytes }) => bytes));
      } catch (error) {
        const failure = await this.#perhapsNew(error);
        const waitMs = WAITS_MS[attempt];
        // A server that only hangs takes the whole limit each time: twice is enough.
        const isLate = attempt > 0 && clock.monotonicMs() - startMs >= timeoutMs;
        if (!(failure instanceof DependencyDown) || waitMs === undefined || isLate) throw failure;
        this.#drain.signal.throwIfAborted();
        if (waitMs > 0) await clock.sleep(waitMs, this.#drain.signal);
      }
    }
  }

  /** The write service learns of a new table minutes after REST does. */
  async #perhapsNew(error: unknown): Promise<unknown> {
    if (!(error instanceof Misconfigured) || error.code !== 'table_not_applied') return error;
    if (!(await this.#options.exists())) return error;
    const message = `BigQuery does not take rows for ${this.table.name} yet, which is new: it is tried again.`;
    return new DependencyDown('warehouse', message, { cause: error });
  }

  async #open(): Promise<Connection> {
    this.#drain.signal.throwIfAborted();
    const current = this.#connection;
    if (current !== undefined) {
      const connection = await current.catch(() => undefined);
      if (connection !== undefined && !connection.isBroken) return connection;
    }
    // Of several writes that find it broken, the first opens the next.
    if (this.#connection === current) {
      const { client, path, table, clock, timeoutMs, onFault } = this.#options;
      const descriptor = descriptorOf(table);
      this.#connection = openConnection({ client, table: path, descriptor, clock, timeoutMs, onFault });
      this.#connection.catch(() => undefined);
    }
    return this.#connection as Promise<Connection>;
  }
}
