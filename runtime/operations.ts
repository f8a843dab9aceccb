/**
 * What a person can do with a state folder, the same whether the pipeline runs (then through its socket) or not (then on
 * the files themselves). Arguments and answers are JSON.
 */
import { Misconfigured } from '#core/errors.ts';
import type { RawSource } from '#schemas/generated/types.ts';
import type { Progress } from '#core/service.ts';
import { VIEWS } from '#schemas/generated/tables.ts';
import type { DeadLetterFilter } from './dead-letters.ts';
import type { EmbeddedRuntime } from './embedded.ts';
import type { EraseRequest } from './erase.ts';
import type { ArchiveReplayRequest } from './replay-archive.ts';

export interface Requests {
  readonly status: Record<string, never>;
  readonly query: { readonly sql: string; readonly rows: number; readonly timeoutMs: number };
  readonly 'dead-letters list': DeadLetterFilter;
  readonly 'dead-letters show': { readonly id: string };
  readonly 'dead-letters replay': DeadLetterFilter & { readonly dryRun: boolean };
  readonly 'dead-letters drop': DeadLetterFilter & { readonly dryRun: boolean };
  readonly replay: { readonly source: RawSource; readonly since: string; readonly object?: string };
  readonly 'replay archive': {
    readonly from: string;
    readonly to: string;
    readonly source?: RawSource;
    readonly entity?: string;
    readonly dryRun: boolean;
  };
  readonly erase: EraseRequest;
  readonly command: {
    readonly service: string;
    readonly command: string;
    readonly args: Readonly<Record<string, string>>;
  };
}

export type OperationName = keyof Requests;

/** Rows leave in chunks through `emit`; the answer is what is left to say. */
export type Emit = (chunk: unknown) => void;

export async function operate<N extends OperationName>(
  runtime: EmbeddedRuntime,
  name: N,
  request: Requests[N],
  io: { readonly emit: Emit; readonly progress: Progress; readonly signal: AbortSignal },
): Promise<unknown> {
  const handler = HANDLERS[name] as Handler<N> | undefined;
  if (handler === undefined)
    throw new Misconfigured(
      'unknown_operation',
      `There is no operation «${name}»: this command line and the running pipeline differ in version.`,
    );
  return handler(runtime, request, io);
}

type Handler<N extends OperationName> = (
  runtime: EmbeddedRuntime,
  request: Requests[N],
  io: { readonly emit: Emit; readonly progress: Progress; readonly signal: AbortSignal },
) => Promise<unknown>;

const HANDLERS: { readonly [N in OperationName]: Handler<N> } = {
  status: async (runtime) => status(runtime),
  query: async (runtime, { sql, rows, timeoutMs }, { emit }) => {
    let count = 0;
    for await (const chunk of runtime.warehouse.query(sql, { rows, timeoutMs })) {
      count += chunk.length;
      emit(chunk.map(plain));
    }
    return { rows: count, limited: count >= rows };
  },
  'dead-letters list': (runtime, filter) => runtime.deadLetters.list(filter),
  'dead-letters show': (runtime, { id }) => runtime.deadLetters.show(id),
  'dead-letters replay': (runtime, { dryRun, ...filter }) => runtime.deadLetters.replay(filter, dryRun),
  'dead-letters drop': (runtime, { dryRun, ...filter }) => runtime.deadLetters.drop(filter, dryRun),
  replay: (runtime, { since, ...request }) => runtime.replay({ ...request, since: timeOf(since) }),
  'replay archive': (runtime, request, { progress, signal }) =>
    runtime.replayArchive(archiveRequestOf(request), { progress, signal }),
  erase: (runtime, request) => runtime.erase(request),
  command: async (runtime, { service, command, args }, { progress, signal }) => {
    const host = runtime.hosts.find(({ declared }) => declared.name === service);
    if (host === undefined)
      throw new Misconfigured(
        'service_off',
        `The service ${service} is not configured: give its source's configuration, or name it in «sources».`,
      );
    return host.command(command, args, progress, signal);
  },
};

export function archiveRequestOf({ from, to, ...request }: Requests['replay archive']): ArchiveReplayRequest {
  return { ...request, from: timeOf(from), to: timeOf(to) };
}

function timeOf(text: string): Date {
  const at = new Date(text);
  if (Number.isNaN(at.getTime()))
    throw new Misconfigured('bad_time', `«${text}» is no ISO time, e.g. 2026-11-20T00:00:00Z.`);
  return at;
}

export interface Status {
  readonly services: readonly { readonly name: string; readonly state: 'running' | 'paused' | 'waiting' }[];
  readonly webUrl: string | null;
  /** No stage has anything to do. */
  readonly idle: boolean;
  readonly metrics: ReturnType<EmbeddedRuntime['metrics']['snapshot']>;
  readonly tables: Readonly<Record<string, number>>;
  readonly matches: Readonly<Record<string, number>>;
  readonly deadLetters: Readonly<Record<string, number>>;
  /** Null where the broker has no such figure. */
  readonly backlog:
    readonly { readonly subscription: string; readonly messages: number; readonly oldestAgeMs: number | null }[] | null;
  readonly memoryBytes: number;
}

async function status(runtime: EmbeddedRuntime): Promise<Status> {
  return {
    services: runtime.hosts.map(({ declared, state }) => ({ name: declared.name, state })),
    webUrl: runtime.webUrl ?? null,
    idle: runtime.isIdle(),
    metrics: runtime.metrics.snapshot(),
    tables: await countViews(runtime),
    matches: await countMatches(runtime),
    deadLetters: Object.fromEntries((await runtime.deadLetters.list({})).map(({ code, letters }) => [code, letters])),
    backlog: backlogOf(runtime),
    memoryBytes: process.memoryUsage.rss(),
  };
}

function backlogOf({ broker }: EmbeddedRuntime): Status['backlog'] {
  const waiting = broker.backlog()?.filter(({ unackedMessages }) => unackedMessages > 0);
  return (
    waiting?.map(({ name, unackedMessages, oldestAgeMs }) => ({
      subscription: name,
      messages: unackedMessages,
      oldestAgeMs,
    })) ?? null
  );
}

const LIMITS = { rows: 1_000, timeoutMs: 30_000 };

export async function countViews(
  runtime: Pick<EmbeddedRuntime, 'warehouse'>,
): Promise<Readonly<Record<string, number>>> {
  const sql = VIEWS.map(
    ({ name }) => `SELECT '${name}' AS name, count(*) AS rows FROM sales_intelligence.${name}`,
  ).join(' UNION ALL ');
  return counts(runtime, sql);
}

export async function countMatches(
  runtime: Pick<EmbeddedRuntime, 'warehouse'>,
): Promise<Readonly<Record<string, number>>> {
  return counts(
    runtime,
    'SELECT outcome AS name, count(*) AS rows FROM sales_intelligence.matches GROUP BY 1 ORDER BY 1',
  );
}

async function counts(
  runtime: Pick<EmbeddedRuntime, 'warehouse'>,
  sql: string,
): Promise<Readonly<Record<string, number>>> {
  const found: Record<string, number> = {};
  for await (const chunk of runtime.warehouse.query(sql, LIMITS)) {
    for (const row of chunk) found[String(row['name'])] = Number(row['rows']);
  }
  return found;
}

/** JSON has no bigint: whole numbers beyond the safe range leave as text. */
function plain(row: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, typeof value === 'bigint' ? whole(value) : value]),
  );
}

function whole(value: bigint): number | string {
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value.toString();
}
