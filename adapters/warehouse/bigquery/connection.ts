/**
 * One connection to the default stream of one table, on Google's generated client. Its hand-written one (`managedwriter`)
 * is not used: with it a write to a half-closed stream waits for ever, a closed connection keeps its pending requests for
 * the life of the process, and an unheard error ends the process. Here answers are given to writes in their order, which is
 * the service's; once that order is in doubt, every write under way fails and the next is made on another connection.
 */
import type { BigQueryWriteClient } from '@google-cloud/bigquery-storage';
import type { Clock } from '#core/clock.ts';
import { DependencyDown, type TributaryError } from '#core/errors.ts';
import { appendError, type Status } from './errors.ts';
import type { RowDescriptor } from './row-encoder.ts';

export interface ConnectionOptions {
  readonly client: Pick<BigQueryWriteClient, 'initialize' | 'appendRows'>;
  /** `projects/…/datasets/…/tables/…` */
  readonly table: string;
  readonly descriptor: RowDescriptor;
  readonly clock: Clock;
  /** Longest silence after a write before the connection counts as dead. */
  readonly timeoutMs: number;
  /** Told of an end that no write under way could be told of, unless it is one that the next write mends. */
  readonly onFault?: ((error: TributaryError) => void) | undefined;
}

/** By index in the append; nothing of an append with refused rows was written. */
export type Refusals = readonly { readonly index: number }[];

interface Answer {
  readonly error?: Status | null;
  readonly rowErrors?: readonly { readonly index?: unknown }[] | null;
}

type Call = ReturnType<BigQueryWriteClient['appendRows']>;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #call: Call;
  readonly #waiting: PromiseWithResolvers<Answer>[] = [];
  #isFirst = true;
  #isRetired = false;
  #failure: TributaryError | undefined;
  #status: Status | undefined;

  constructor(options: ConnectionOptions, call: Call) {
    this.#options = options;
    this.#call = call;
    call.on('data', (answer: Answer) => this.#answered(answer));
    call.on('status', (status: Status) => (this.#status = status));
    // A clean end too: what waits for an answer then would wait for ever.
    for (const end of ['end', 'close']) call.on(end, () => this.#fail(this.#ended(this.#status)));
    call.on('error', (error: Status) => this.#fail(this.#ended(error)));
  }

  /** True once what is written next needs another connection. */
  get isBroken(): boolean {
    return this.#isRetired || this.#failure !== undefined;
  }

  /** Resolves with the refused rows when all are durable, or none where any was refused. Rejects where that is not known. */
  async append(rows: readonly Uint8Array[]): Promise<Refusals> {
    if (this.#failure !== undefined) throw this.#failure;
    const { clock, table, timeoutMs } = this.#options;
    const waiting = Promise.withResolvers<Answer>();
    const cancel = clock.after(timeoutMs, () => this.#fail(silent(table, timeoutMs)));
    this.#waiting.push(waiting);
    try {
      this.#call.write(this.#request(rows));
      return this.#refusalsOf(await waiting.promise);
    } finally {
      cancel();
    }
  }

  close(): void {
    this.#fail(new DependencyDown('warehouse', 'The connection to BigQuery was closed.'));
  }

  /** The first says where to and how rows are written; the service remembers it for the connection. */
  #request(rows: readonly Uint8Array[]): object {
    const protoRows = { rows: { serializedRows: rows } };
    if (!this.#isFirst) return { protoRows };
    this.#isFirst = false;
    const { table, descriptor } = this.#options;
    return {
      writeStream: streamOf(table),
      traceId: 'tributary',
      protoRows: { ...protoRows, writerSchema: { protoDescriptor: descriptor } },
    };
  }

  #answered(answer: Answer): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return this.#fail(this.#ended(undefined));
    waiting.resolve(answer);
    if (this.#isRetired && this.#waiting.length === 0) this.close();
  }

  /** Errors of rows come as an answer, and so do errors of one request, after which the stream goes on. */
  #refusalsOf({ error, rowErrors }: Answer): Refusals {
    if (rowErrors !== null && rowErrors !== undefined && rowErrors.length > 0)
      return rowErrors.map(({ index }) => ({ index: Number(index ?? 0) }));
    if (error === null || error === undefined) return [];
    const failure = appendError(error, this.#options.table);
    // What is tried again is so on another connection, perhaps to another server; what waits on this one is still answered.
    if (failure instanceof DependencyDown) this.#retire();
    throw failure;
  }

  #retire(): void {
    this.#isRetired = true;
    if (this.#waiting.length === 0) this.close();
  }

  #ended(status: Status | undefined): TributaryError {
    return appendError(status ?? {}, this.#options.table);
  }

  #fail(failure: TributaryError): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    const waiting = this.#waiting.splice(0);
    for (const each of waiting) each.reject(failure);
    if (waiting.length === 0 && !(failure instanceof DependencyDown)) this.#options.onFault?.(failure);
    // Without it a server that hangs keeps the stream, and what was written to it, until the program ends.
    this.#call.cancel();
  }
}

/** Throws `DependencyDown` where the client is not ready in time, `Unauthorized` where it finds no credentials. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { client, clock, table, timeoutMs } = options;
  const late = Promise.withResolvers<never>();
  const cancel = clock.after(timeoutMs, () => late.reject(silent(table, timeoutMs)));
  try {
    await Promise.race([client.initialize(), late.promise]);
  } catch (error) {
    throw error instanceof DependencyDown ? error : appendError({ code: 16 }, table, error);
  } finally {
    cancel();
  }
  // By this header the service finds the region of the table.
  const headers = { 'x-goog-request-params': `write_stream=${streamOf(table)}` };
  return new Connection(options, client.appendRows({ otherArgs: { headers } }));
}

function streamOf(table: string): string {
  return `${table}/streams/_default`;
}

function silent(table: string, timeoutMs: number): DependencyDown {
  return new DependencyDown(
    'warehouse',
    `BigQuery did not answer a write to ${table} within ${timeoutMs} ms: it is tried again on a new connection.`,
  );
}
