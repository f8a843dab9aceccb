/** What is in BigQuery now, as its REST resources say. */
import { restError, statusOf } from './errors.ts';
import type { Json, Rest } from './rest.ts';

export interface StoredColumn {
  readonly type: string;
  readonly isRequired: boolean;
  readonly description: string;
  readonly policyTags: readonly string[];
}

export interface StoredTable {
  readonly kind: 'TABLE' | 'VIEW' | 'other';
  readonly columns: ReadonlyMap<string, StoredColumn>;
  readonly description: string;
  readonly maxStalenessSeconds: number;
  readonly viewSql: string | null;
  /** The schema as the service gave it, to be given back with policy tags. */
  readonly schema: Json;
}

export async function hasDataset(rest: Rest, dataset: string): Promise<boolean> {
  return (await found(rest, `/datasets/${dataset}`)) !== undefined;
}

export async function storedTable(rest: Rest, dataset: string, name: string): Promise<StoredTable | undefined> {
  const table = await found(rest, `/datasets/${dataset}/tables/${name}`);
  if (table === undefined) return undefined;
  const { schema = {}, view } = table as { readonly schema?: Json; readonly view?: { readonly query?: string } };
  return {
    kind: table['type'] === 'TABLE' || table['type'] === 'VIEW' ? table['type'] : 'other',
    columns: columnsOf(schema),
    description: textOf(table['description']),
    maxStalenessSeconds: secondsOf(table['maxStaleness']),
    viewSql: view?.query ?? null,
    schema,
  };
}

async function found(rest: Rest, uri: string): Promise<Json | undefined> {
  try {
    return await rest.request('GET', uri);
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw restError(error, `reading ${uri}`);
  }
}

function columnsOf(schema: Json): ReadonlyMap<string, StoredColumn> {
  const fields = (schema['fields'] ?? []) as readonly Json[];
  return new Map(
    fields.map((field) => {
      const tags = (field['policyTags'] ?? {}) as { readonly names?: readonly string[] };
      const column = {
        type: textOf(field['type']),
        isRequired: field['mode'] === 'REQUIRED',
        description: textOf(field['description']),
        policyTags: tags.names ?? [],
      };
      return [textOf(field['name']), column] as const;
    }),
  );
}

/** `Y-M D H:M:S`, as the service writes an interval; of months and years it makes none for a staleness. */
function secondsOf(interval: unknown): number {
  const parts = /^-?\d+-\d+ (\d+) (\d+):(\d+):(\d+)/.exec(textOf(interval));
  if (parts === null) return 0;
  const [days, hours, minutes, seconds] = parts.slice(1).map(Number) as [number, number, number, number];
  return ((days * 24 + hours) * 60 + minutes) * 60 + seconds;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
