/** What the adapter is told, and the names that follow from it. */
import type { Clock } from '#core/clock.ts';

export interface BigqueryOptions {
  readonly projectId: string;
  /** Where datasets that are made have their data: `US`, `EU` or a region. */
  readonly location: string;
  /** Of the views; the tables are in `<dataset>_store`. */
  readonly dataset: string;
  /** Upserts by the Storage Write API, or plain inserts with a view of the newest versions in each table's place. */
  readonly writes: 'storage-write' | 'insert-all';
  /** How old a query's rows may be; 0: each query merges what has arrived. */
  readonly maxStalenessSeconds: number;
  /** Resource name of a policy tag for columns with personal data. */
  readonly policyTag: string | null;
  readonly clock: Clock;
  /** Reached without credentials and TLS. */
  readonly simulator?: { readonly restUrl: string; readonly grpcEndpoint: string };
  /** What nobody could be told by a promise: a connection that failed while nothing was under way. */
  readonly onFault?: (fault: { readonly message: string; readonly error: unknown }) => void;
}

/** What the names in SQL and in requests are made of. */
export type Places = Pick<BigqueryOptions, 'projectId' | 'dataset'>;

export function storeDataset({ dataset }: Pick<Places, 'dataset'>): string {
  return `${dataset}_store`;
}

/** With insert-all, the table that rows are appended to; the view of the newest versions has the table's own name. */
export function appendTable(table: string): string {
  return `${table}_appended`;
}

/** As SQL names it: dashes are usual in project names, so always quoted. */
export function quotedName(projectId: string, dataset: string, name: string): string {
  return `\`${projectId}\`.\`${dataset}\`.\`${name}\``;
}
