/**
 * One AppendRows connection: requests are taken in their order and answered in it. What concerns one request is told in its
 * answer and the connection stays; what is wrong with the connection or its target ends it with a status.
 */
import { status as codes } from '@grpc/grpc-js';
import type { Field } from '../catalog/fields.ts';
import type { Table } from '../catalog/catalog.ts';
import { nameOf } from '../catalog/catalog.ts';
import type { Faults } from '../faults.ts';
import type { Store } from '../store/store.ts';
import { decodeRows, type Decoded } from './decode.ts';
import { WriteFailure, malformed, permissionDenied, tableNotFound } from './failure.ts';
import { SchemaMismatch, planRows, type RowPlan } from './plan.ts';
import type { AppendRequest, AppendResponse, Descriptor } from './protos.ts';
import { schemaMessage } from './schema-message.ts';
import { checkOffset, parseName, type Stream, type StreamName, type Streams } from './streams.ts';

/** The documented limit of a request is 10 MB; the service's own message names this number. */
export const MAX_REQUEST_BYTES = 10_485_760;

export interface Writing {
  readonly store: Store;
  readonly streams: Streams;
  readonly faults: Faults;
  readonly nowMs: () => number;
}

interface Target {
  readonly name: StreamName;
  readonly text: string;
  readonly descriptor: Descriptor;
  /** Made again when the table's columns change. */
  plan: { readonly table: Table; readonly columns: readonly Field[]; readonly rows: RowPlan } | null;
}

export class AppendConnection {
  readonly #writing: Writing;
  #target: Target | null = null;
  /** The columns the client was last told of, by table. */
  readonly #told = new Map<string, string>();

  constructor(writing: Writing) {
    this.#writing = writing;
  }

  /** `dataset.table` the request goes to, for who decides on faults. */
  destination(request: AppendRequest): string {
    const match = /datasets\/([^/]+)\/tables\/([^/]+)/.exec(request.writeStream || (this.#target?.text ?? ''));
    return match === null ? '' : `${match[1]}.${match[2]}`;
  }

  /** The answer to one request. Throws `WriteFailure` that ends the connection. */
  async answer(request: AppendRequest, requestBytes: number): Promise<AppendResponse> {
    const target = this.#targetOf(request);
    if (requestBytes >= MAX_REQUEST_BYTES)
      throw malformed(`AppendRows request too large: ${requestBytes} limit ${MAX_REQUEST_BYTES}`, target.text);
    const table = this.#tableOf(target);
    try {
      const result = await this.#write(request, target, table);
      return { ...result, ...this.#schemaNews(table), writeStream: target.text };
    } catch (error) {
      if (!(error instanceof WriteFailure) || error.endsConnection) throw error;
      return { error: error.status, ...this.#schemaNews(table), writeStream: target.text };
    }
  }

  #targetOf(request: AppendRequest): Target {
    const schema = request.protoRows?.writerSchema?.protoDescriptor ?? null;
    const text = request.writeStream || this.#target?.text;
    if (text === undefined)
      throw malformed('Missing write_stream: it must be set in the first request of a connection.');
    if (request.arrowRows !== null && request.arrowRows !== undefined)
      throw new WriteFailure(codes.UNIMPLEMENTED, 'Arrow rows are not simulated.', { endsConnection: true });
    const moves = text !== this.#target?.text;
    if (moves && this.#target !== null && !(text.endsWith('/_default') && this.#target.text.endsWith('/_default')))
      throw malformed('Only default streams may be changed within a connection.', text);
    if (moves && schema === null)
      throw malformed('Invalid writer schema: it must be set in the first request to a destination.', text);
    // A schema that comes again unchanged, or in every request, costs nothing; one that differs makes a new plan.
    if (moves || (schema !== null && JSON.stringify(schema) !== JSON.stringify(this.#target?.descriptor)))
      this.#target = { name: parseName(text), text, descriptor: schema ?? {}, plan: null };
    return this.#target as Target;
  }

  #tableOf({ name, text }: Target): Table {
    const { store, faults, nowMs } = this.#writing;
    if (faults.denies(name.table.datasetId, name.table.tableId)) throw permissionDenied(name.tableName);
    if (faults.switches.isQuotaExceeded)
      throw new WriteFailure(
        codes.RESOURCE_EXHAUSTED,
        "Exceeds 'AppendRows throughput' quota, user_id: project (status: INSUFFICIENT_TOKENS)",
        { entity: text, endsConnection: true },
      );
    const table = store.catalog.findTable(name.table);
    if (table === undefined || nowMs() < table.createdMs + faults.switches.newTableDelayMs) throw tableNotFound(text);
    if (table.kind !== 'TABLE') throw malformed(`Cannot append to ${nameOf(table.ref)}: it is a view.`, text);
    return table;
  }

  async #write(request: AppendRequest, target: Target, table: Table): Promise<AppendResponse> {
    const offset =
      request.offset?.value === undefined || request.offset.value === null ? null : Number(request.offset.value);
    const stream = target.name.stream === '_default' ? null : this.#writing.streams.get(target.text);
    if (stream === null && offset !== null)
      throw new WriteFailure(
        codes.INVALID_ARGUMENT,
        'Offset cannot be specified when appending to the default stream.',
        { entity: target.text },
      );
    const start = stream === null ? null : checkOffset(stream, offset);
    const { rows, bad } = this.#decoded(request, target, table, stream);
    if (bad.length > 0) {
      const failure = new WriteFailure(
        codes.INVALID_ARGUMENT,
        'Errors found while processing rows. Please refer to the row_errors field for details. The list may not be complete because of the size limitations.',
        { entity: target.text },
      );
      return { error: failure.status, rowErrors: bad.map(({ index, message }) => ({ index, code: 1, message })) };
    }
    if (stream !== null) stream.rowCount += rows.length;
    if (stream === null || stream.kind === 'COMMITTED') await this.#writing.store.append(table, rows);
    else stream.held.push(...rows);
    return { appendResult: start === null ? {} : { offset: { value: start } } };
  }

  #decoded(request: AppendRequest, target: Target, table: Table, stream: Stream | null): Decoded {
    const columns = this.#columnsKnown(table);
    if (target.plan === null || target.plan.table !== table || target.plan.columns.length !== columns.length) {
      try {
        const rows = planRows(
          target.descriptor,
          table.ref.tableId,
          columns,
          stream === null && table.primaryKey.length > 0,
        );
        target.plan = { table, columns, rows };
      } catch (error) {
        if (!(error instanceof SchemaMismatch)) throw error;
        throw new WriteFailure(codes.INVALID_ARGUMENT, error.message, {
          ...(error.hasExtraFields ? { storageCode: 7 } : {}),
          entity: `${target.name.tableName}/_default`,
        });
      }
    }
    const keyPlaces = table.primaryKey.map((name) => columns.findIndex((column) => column.name === name));
    return decodeRows(target.plan.rows, keyPlaces, request.protoRows?.rows?.serializedRows ?? []);
  }

  /** The write backend learns of an added column only later. Columns are added at the end, so places stay as they are. */
  #columnsKnown(table: Table): readonly Field[] {
    const { faults, nowMs } = this.#writing;
    const delayMs = faults.switches.schemaDelayMs;
    if (delayMs === 0) return table.fields;
    return table.fields.filter((field) => nowMs() >= (table.addedMs[field.name] ?? -Infinity) + delayMs);
  }

  /** Told once, in the first answer after the backend has seen the change. */
  #schemaNews(table: Table): Pick<AppendResponse, 'updatedSchema'> {
    const columns = this.#columnsKnown(table);
    const key = nameOf(table.ref);
    const now = columns.map(({ name, type, mode }) => `${name} ${type} ${mode}`).join();
    const before = this.#told.get(key);
    this.#told.set(key, now);
    return before === undefined || before === now ? {} : { updatedSchema: schemaMessage(columns) };
  }
}
