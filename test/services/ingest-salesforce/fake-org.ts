/**
 * An org behind the vendor port, in memory and on a virtual clock: for faults that real wires cannot show on demand, and
 * for time that no test may spend. What it knows of the protocol is as little as the tests need; that we speak the real
 * one is shown against the simulator.
 */
import type { Clock } from '#core/clock.ts';
import {
  RpcError,
  type VendorPort,
  type VendorRequest,
  type VendorResponse,
  type VendorRpc,
  type VendorStream,
} from '#core/ports/vendor.ts';
import { fieldList, OBJECTS } from '#services/ingest-salesforce/objects.ts';

export const ORG_ID = '00D000000000001EAA';
export const INSTANCE_URL = 'https://acme.my.salesforce.example';

export type Row = Record<string, string | number | boolean | null>;

/** Answers instead of the org, or throws; undefined lets the request through. */
export type Fault = (request: VendorRequest) => VendorResponse | Promise<VendorResponse> | undefined;

interface CompositePart {
  readonly url: string;
  readonly referenceId: string;
}

interface Job {
  readonly object: string;
  readonly csv: readonly string[];
  readonly header: string;
}

const TYPES: Readonly<Record<string, string>> = {
  Id: 'id',
  IsDeleted: 'boolean',
  HasOptedOutOfEmail: 'boolean',
  IsActive: 'boolean',
  Amount: 'currency',
  AnnualRevenue: 'currency',
  CreatedDate: 'datetime',
  SystemModstamp: 'datetime',
};

export class FakeOrg implements VendorPort {
  readonly requests: VendorRequest[] = [];
  readonly faults: Fault[] = [];
  readonly streams: FakeStream[] = [];
  readonly schemas = new Map<string, string>();
  readonly tables = new Map<string, Map<string, Row>>(OBJECTS.map((object) => [object, new Map<string, Row>()]));
  readonly purged: { readonly object: string; readonly id: string; readonly deletedDate: string }[] = [];
  readonly jobs = new Map<string, Job>();
  /** Objects whose part of a composite is refused. */
  readonly refused = new Set<string>();
  /** The log of deletions begins here. */
  deletionsSinceMs = 0;
  pageRows = 100;
  queryRows = 2_000;
  resultPages: 'documented' | 'seen' | 'none' = 'documented';
  tokens = 1;
  readonly #clock: Clock;
  readonly #cursors: string[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  put(object: string, id: string, values: Row, atMs = this.#clock.nowMicros() / 1_000): void {
    const row = this.tables.get(object)?.get(id) ?? { Id: id, IsDeleted: false, CreatedDate: rest(atMs) };
    this.tables.get(object)?.set(id, { ...row, SystemModstamp: rest(Math.floor(atMs / 1_000) * 1_000), ...values });
  }

  purge(object: string, id: string): void {
    this.tables.get(object)?.delete(id);
    this.purged.push({ object, id, deletedDate: rest(this.#clock.nowMicros() / 1_000) });
  }

  /** Calls made, by method and the part of the path after the version. */
  calls(): readonly string[] {
    return this.requests.map(
      ({ method, url }) => `${method} ${new URL(url).pathname.replace(/^\/services\/data\/v62\.0\//, '')}`,
    );
  }

  async request(request: VendorRequest): Promise<VendorResponse> {
    this.requests.push(request);
    for (const [index, fault] of this.faults.entries()) {
      const answer = await fault(request);
      if (answer === undefined) continue;
      this.faults.splice(index, 1);
      return answer;
    }
    const url = new URL(request.url);
    const path = url.pathname.replace('/services/data/v62.0/', '');
    if (path === '/services/oauth2/token')
      return this.#json({
        access_token: `${ORG_ID.slice(0, 15)}!t${this.tokens}`,
        id: `https://login.example/id/${ORG_ID}/005000000000001AAA`,
      });
    if (request.headers?.authorization !== `Bearer ${ORG_ID.slice(0, 15)}!t${this.tokens}`)
      return this.#json([{ errorCode: 'INVALID_SESSION_ID' }], 401);
    return this.#answer(request, path, url.searchParams);
  }

  async call<Out extends object, In>(rpc: VendorRpc, message: Out): Promise<In> {
    if (rpc.rpc.endsWith('GetTopic')) return { topic_name: '/data/ChangeEvents', can_subscribe: true } as In;
    const schema = this.schemas.get((message as unknown as { readonly schema_id: string }).schema_id);
    if (schema === undefined) throw new RpcError({ status: 'NOT_FOUND', errorCode: null }, 'No such schema.');
    return { schema_json: schema } as In;
  }

  stream<Out extends object, In>(rpc: VendorRpc): VendorStream<Out, In> {
    const stream = new FakeStream(rpc);
    this.streams.push(stream);
    return stream as unknown as VendorStream<Out, In>;
  }

  #answer(request: VendorRequest, path: string, query: URLSearchParams): VendorResponse {
    const parts = path.split('/');
    if (path === 'limits') return this.#json({});
    if (path.endsWith('/describe')) return this.#describe(parts[1] ?? '');
    if (path === 'queryAll') return this.#query(query.get('q') ?? '', 0);
    if (parts[0] === 'query')
      return this.#query(this.#cursors[Number(parts[1]?.slice(3, 15))] ?? '', Number(parts[1]?.split('-')[1]));
    if (path === 'composite')
      return this.#composite(bodyOf(request) as { readonly compositeRequest: readonly CompositePart[] });
    if (parts[0] === 'composite') return this.#retrieve(parts[2] ?? '', bodyOf(request) as { readonly ids: string[] });
    if (path.includes('/deleted')) return this.#deleted(parts[1] ?? '', query);
    if (path === 'jobs/query') return this.#create((bodyOf(request) as { readonly query: string }).query);
    const job = this.jobs.get(parts[2] ?? '');
    if (job === undefined) return this.#json([{ errorCode: 'NOT_FOUND' }], 404);
    if (parts[3] === undefined)
      return this.#json({ id: parts[2], state: 'JobComplete', numberRecordsProcessed: job.csv.length });
    if (parts[3] === 'resultPages') return this.#pages(parts[2] ?? '', job);
    return this.#results(job, query);
  }

  #describe(object: string): VendorResponse {
    const known = OBJECTS.find((name) => name === object);
    const fields = known === undefined ? [] : fieldList(known, []);
    return this.#json({ fields: fields.map((name) => ({ name, type: TYPES[name] ?? 'string' })) });
  }

  #query(soql: string, at: number): VendorResponse {
    const { rows } = this.#select(soql);
    const page = rows.slice(at, at + this.queryRows);
    const next = at + this.queryRows;
    return this.#json({
      totalSize: rows.length,
      done: next >= rows.length,
      ...(next < rows.length ? { nextRecordsUrl: `/services/data/v62.0/query/${this.#cursor(soql)}-${next}` } : {}),
      records: page,
    });
  }

  #cursor(soql: string): string {
    if (!this.#cursors.includes(soql)) this.#cursors.push(soql);
    return `01g${String(this.#cursors.indexOf(soql)).padStart(12, '0')}AAA`;
  }

  #select(soql: string): {
    readonly object: string;
    readonly fields: readonly string[];
    readonly rows: readonly Row[];
  } {
    const [, fields = '', object = ''] = /^SELECT (\S+) FROM (\w+)/.exec(soql) ?? [];
    const ids = /Id IN \(([^)]*)\)/.exec(soql)?.[1]?.replaceAll("'", '').split(',');
    const from = Date.parse(/SystemModstamp >= (\S+)/.exec(soql)?.[1] ?? '1970-01-01');
    const upTo = Date.parse(/SystemModstamp <= (\S+)/.exec(soql)?.[1] ?? '9999-01-01');
    const rows = [...(this.tables.get(object)?.values() ?? [])]
      .filter((row) => ids === undefined || ids.includes(String(row.Id)))
      .filter((row) => between(Date.parse(String(row.SystemModstamp)), from, upTo))
      .sort((a, b) =>
        `${String(a.SystemModstamp)}${String(a.Id)}`.localeCompare(`${String(b.SystemModstamp)}${String(b.Id)}`),
      );
    return { object, fields: fields.split(','), rows };
  }

  #retrieve(object: string, { ids }: { readonly ids: readonly string[] }): VendorResponse {
    const table = this.tables.get(object);
    return this.#json(ids.map((id) => (table?.get(id)?.IsDeleted === false ? table.get(id) : null)));
  }

  #composite({ compositeRequest }: { readonly compositeRequest: readonly CompositePart[] }): VendorResponse {
    if (compositeRequest.length > 5) return this.#json([{ errorCode: 'TOO_MANY' }], 400);
    const compositeResponse = compositeRequest.map(({ url, referenceId }) => {
      const { object, rows } = this.#select(new URL(url, INSTANCE_URL).searchParams.get('q') ?? '');
      const refused = this.refused.has(object);
      const body = refused ? [{ errorCode: 'INVALID_FIELD' }] : { totalSize: rows.length, done: true, records: rows };
      return { body, httpStatusCode: refused ? '400' : '200', referenceId };
    });
    return this.#json({ compositeResponse });
  }

  #deleted(object: string, query: URLSearchParams): VendorResponse {
    const [start, end] = [Date.parse(query.get('start') ?? ''), Date.parse(query.get('end') ?? '')];
    if (start < this.deletionsSinceMs) return this.#json([{ errorCode: 'INVALID_REPLICATION_DATE' }], 400);
    const listed = this.purged.filter(
      (entry) => entry.object === object && between(Date.parse(entry.deletedDate), start, end),
    );
    return this.#json({
      deletedRecords: listed.map(({ id, deletedDate }) => ({ id, deletedDate })),
      earliestDateAvailable: rest(start - 86_400_000),
      latestDateCovered: rest(this.#clock.nowMicros() / 1_000),
    });
  }

  #create(soql: string): VendorResponse {
    const { object, fields, rows } = this.#select(soql);
    const id = `750${String(this.jobs.size + 1).padStart(12, '0')}AAA`;
    const csv = rows.map((row) => fields.map((name) => cell(row[name])).join(','));
    this.jobs.set(id, { object, csv, header: fields.map((name) => `"${name}"`).join(',') });
    return this.#json({ id, state: 'UploadComplete' });
  }

  #pages(id: string, job: Job): VendorResponse {
    if (this.resultPages === 'none') return this.#json([{ errorCode: 'NOT_FOUND' }], 404);
    const starts = Array.from(
      { length: Math.max(1, Math.ceil(job.csv.length / this.pageRows)) },
      (_, n) => n * this.pageRows,
    );
    const urls = starts.map((at) => `/services/data/v62.0/jobs/query/${id}/results?locator=L${at}`);
    return this.resultPages === 'documented'
      ? this.#json({ resultPages: urls.map((resultUrl) => ({ resultUrl })), nextRecordsUrl: '', done: true })
      : this.#json({
          resultChunks: urls.map((url) => ({ resultLink: url.replace('/services/data/v62.0', '') })),
          nextRecordsUrl: null,
        });
  }

  #results({ csv, header }: Job, query: URLSearchParams): VendorResponse {
    const at = Number(query.get('locator')?.slice(1) ?? 0);
    const size = Number(query.get('maxRecords') ?? this.pageRows);
    const rows = csv.slice(at, at + size);
    const next = at + size < csv.length ? `L${at + size}` : 'null';
    return this.#text(`${[header, ...rows].join('\n')}\n`, 200, {
      'sforce-numberofrecords': String(rows.length),
      'sforce-locator': next,
    });
  }

  #json(value: unknown, status = 200): VendorResponse {
    return this.#text(JSON.stringify(value), status, { 'content-type': 'application/json' });
  }

  #text(body: string, status: number, headers: Readonly<Record<string, string>>): VendorResponse {
    const issuedMicros = this.#clock.nowMicros();
    return {
      status,
      headers: { 'sforce-limit-info': 'api-usage=1/1000000', ...headers },
      body: streamOf(body),
      issuedMicros,
    };
  }
}

export function streamOf(text: string): ReadableStream<Uint8Array> {
  return new Blob([text]).stream();
}

/** A stream that a test feeds: what is pushed is read in order, a failure ends it. */
export class FakeStream {
  readonly rpc: VendorRpc;
  readonly sent: Record<string, unknown>[] = [];
  cancelled = false;
  #waiting: ((result: IteratorResult<unknown>) => void) | null = null;
  #failing: ((error: Error) => void) | null = null;
  readonly #queue: unknown[] = [];
  #error: Error | null = null;

  constructor(rpc: VendorRpc) {
    this.rpc = rpc;
  }

  async send(message: Record<string, unknown>): Promise<void> {
    this.sent.push(message);
  }

  end(): void {
    this.cancel();
  }

  cancel(): void {
    this.cancelled = true;
    this.fail(new RpcError({ status: 'CANCELLED', errorCode: null }, 'cancelled'));
  }

  push(message: unknown): void {
    if (this.#waiting !== null) this.#waiting({ done: false, value: message });
    else this.#queue.push(message);
    this.#waiting = null;
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#failing?.(this.#error);
    this.#failing = null;
    this.#waiting = null;
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return {
      next: () => {
        if (this.#queue.length > 0) return Promise.resolve({ done: false, value: this.#queue.shift() });
        if (this.#error !== null) return Promise.reject(this.#error);
        return new Promise((resolve, reject) => {
          this.#waiting = resolve;
          this.#failing = reject;
        });
      },
      return: () => Promise.resolve({ done: true, value: undefined }),
    };
  }
}

function bodyOf({ body }: VendorRequest): unknown {
  return JSON.parse(Buffer.from(body ?? []).toString());
}

function rest(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '+0000');
}

function cell(value: Row[string] | undefined): string {
  if (value === null || value === undefined) return '';
  const text = String(value).replace(/^(\d{4}-\d\d-\d\dT[\d:.]+)\+0000$/, '$1Z');
  return `"${text.replaceAll('"', '""')}"`;
}

function between(value: number, low: number, high: number): boolean {
  return value >= low && value <= high;
}
