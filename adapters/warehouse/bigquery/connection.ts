/**
 * One connection to the default stream of one table, on Google's own client, with what the client leaves out: an answer
 * that says no is seen, silence ends in time, and when one write fails all others under way fail with it, since the client
 * gives answers to pending writes in the order of their coming and a lost one shifts all after it.
 */
import { managedwriter } from '@google-cloud/bigquery-storage';
import type { Clock } from '#core/clock.ts';
import { DependencyDown } from '#core/errors.ts';
import { appendError } from './errors.ts';
import type { RowDescriptor } from './row-encoder.ts';

type Client = InstanceType<typeof managedwriter.WriterClient>;
type StreamConnection = Awaited<ReturnType<Client['createStreamConnection']>>;

export interface ConnectionOptions {
  readonly client: Client;
  /** `projects/…/datasets/…/tables/…` */
  readonly table: string;
  readonly descriptor: RowDescriptor;
  readonly clock: Clock;
  /** Longest silence after a write before the connection counts as dead. */
  readonly timeoutMs: number;
}

/** By index in the append; nothing of an append with refused rows was written. */
export type Refusals = readonly { readonly index: number; readonly message: string }[];

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #stream: StreamConnection;
  readonly #writer: managedwriter.Writer;
  readonly #broken = Promise.withResolvers<never>();
  #isBroken = false;

  constructor(options: ConnectionOptions, stream: StreamConnection) {
    this.#options = options;
    this.#stream = stream;
    this.#broken.promise.catch(() => undefined);
    // Without a listener an error of the stream ends the process.
    stream.onConnectionError((error) => this.#break(appendError(error.code, error.message, options.table)));
    // The schema grew on the server: this connection goes on with its own; the next is made with the new one.
    this.#writer = new managedwriter.Writer({
      connection: stream,
      protoDescriptor: {
        name: options.descriptor.name,
        field: options.descriptor.field.map((field) => ({ ...field })),
      },
      traceId: 'tributary',
    });
  }

  /** True once a write has failed: what is written next needs another connection. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Resolves with the refused rows when all are durable, or none where any was refused. Rejects where that is not known. */
  async append(rows: readonly Uint8Array[]): Promise<Refusals> {
    const { clock, table, timeoutMs } = this.#options;
    const cancel = clock.after(timeoutMs, () => this.#break(silent(table, timeoutMs)));
    try {
      const pending = this.#writer.appendRows({ serializedRows: [...rows] as Uint8Array[] });
      const result = pending.getResult();
      result.catch(() => undefined);
      return refusalsOf(await Promise.race([result, this.#broken.promise]), table);
    } catch (error) {
      const failed = error as { readonly code?: number; readonly message?: string };
      const known = error instanceof Error && 'actor' in error;
      this.#break(known ? error : appendError(failed.code, failed.message ?? '', table));
      return this.#broken.promise;
    } finally {
      cancel();
    }
  }

  close(): void {
    this.#break(new DependencyDown('warehouse', 'The connection to BigQuery was closed.'));
  }

  #break(error: Error): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#broken.reject(error);
    this.#stream.close();
  }
}

export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const stream = await options.client.createStreamConnection({
    streamId: managedwriter.DefaultStream,
    destinationTable: options.table,
  });
  return new Connection(options, stream);
}

type Answer = Awaited<ReturnType<ReturnType<managedwriter.Writer['appendRows']>['getResult']>>;

/** Errors of rows, and errors that no repetition mends, RESOLVE the client's promise. */
function refusalsOf({ error, rowErrors }: Answer, table: string): Refusals {
  if (rowErrors !== null && rowErrors !== undefined && rowErrors.length > 0)
    return rowErrors.map(({ index, message }) => ({ index: Number(index), message: message ?? '' }));
  if (error !== null && error !== undefined) throw appendError(error.code ?? undefined, error.message ?? '', table);
  return [];
}

function silent(table: string, timeoutMs: number): DependencyDown {
  return new DependencyDown(
    'warehouse',
    `BigQuery did not answer a write to ${table} within ${timeoutMs} ms: it is tried again on a new connection.`,
  );
}
