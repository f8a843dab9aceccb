import type { RecordKey } from '../key.ts';
import type { Version } from '../version.ts';

/**
 * `timestamp` values are numbers of microseconds since 1970; `date` values are `YYYY-MM-DD`; `numeric` values are decimal
 * text; `json` values are JSON text; `int64` values are safe integers, or `bigint`s of 64 bits.
 */
export type ColumnType = 'string' | 'int64' | 'float64' | 'numeric' | 'bool' | 'timestamp' | 'date' | 'json';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly description: string;
  readonly pii: boolean;
}

/** One table per canonical entity, generated from its schema. `columns` are the entity's own; the adapter adds `SYSTEM_COLUMNS`. */
export interface Table {
  readonly name: string;
  readonly description: string;
  readonly columns: readonly Column[];
  /** A column whose value is always known and never changes, to partition by where the warehouse can; null if there is none. */
  readonly partitionBy: string | null;
}

/** A view that people use, over the stored tables: `{store}` in the SQL stands for the schema or dataset of the tables. */
export interface View {
  readonly name: string;
  readonly description: string;
  readonly sql: string;
}

export interface Row {
  readonly key: RecordKey;
  readonly version: Version;
  readonly deleted: boolean;
  readonly observedAtMicros: number;
  readonly runId: string | null;
  readonly trace: string;
  /** The entity's columns by name. A missing or unknown name is an error for that row, never silence. */
  readonly values: Readonly<Record<string, unknown>>;
}

export interface RefusedRow {
  readonly index: number;
  readonly code: string;
  readonly reason: string;
}

/** Columns every table has, before the entity's own: the key, the version, and where the row came from. */
export const SYSTEM_COLUMNS: readonly Column[] = [
  system('source', 'string', false, 'The source system, e.g. salesforce.'),
  system('instance', 'string', false, 'The org, portal, company or mailbox.'),
  system('object', 'string', false, "The source's own name of the kind of record."),
  system('id', 'string', false, "The source's id of the record."),
  system(
    'epoch',
    'int64',
    false,
    'First part of the version: raised by an operator when the source went back in time.',
  ),
  system(
    'source_sequence',
    'int64',
    false,
    'Second part of the version: what the source says, in microseconds where it is a time.',
  ),
  system('issued_micros', 'int64', false, 'Third part of the version: when the read was sent.'),
  system('generation', 'int64', false, 'Fourth part of the version: 0, or the number of the replay.'),
  system('deleted', 'bool', false, 'True on a tombstone: the source deleted the record.'),
  system('observed_at', 'timestamp', false, 'When this state was read or received.'),
  system('run_id', 'string', true, 'The run that read it, if it was a backfill, poll or reconcile.'),
  system('trace', 'string', false, 'Trace id, the same from the source to this row.'),
];

function system(name: string, type: ColumnType, nullable: boolean, description: string): Column {
  return { name, type, nullable, description, pii: false };
}

export interface QueryLimits {
  readonly rows: number;
  readonly timeoutMs: number;
}

export type QueryRow = Readonly<Record<string, unknown>>;

export interface WarehousePort {
  /**
   * Applies each row whose version is greater than the stored one's, and no older one. Of two rows with one version and
   * other values, which the pipeline never writes, either may stay (BigQuery keeps the later). At most one row per key in a call (throws otherwise).
   * Resolves when durable, with the rows refused; the others are written. Throws `DependencyDown` if the warehouse is.
   */
  upsert(table: Table, rows: readonly Row[]): Promise<readonly RefusedRow[]>;
  /** What `apply` would do, one line each; empty when the warehouse is as the schemas say. */
  plan(tables: readonly Table[], views: readonly View[]): Promise<readonly string[]>;
  /**
   * Makes tables, adds columns, widens types; never drops. A narrowing throws `Misconfigured` with the reason. `made` is told
   * each line of `plan` when it is done.
   */
  apply(tables: readonly Table[], views: readonly View[], made?: (line: string) => void): Promise<void>;
  /** Runs one read-only statement. Throws `InvalidMessage` for SQL that is wrong or writes, `Transient` on the time limit. */
  query(sql: string, limits: QueryLimits): AsyncIterable<readonly QueryRow[]>;
  /** The ids held of one object that are not deleted and whose source sequence is below `beforeSequence`: for reconcile only. */
  liveIds(table: Table, object: Omit<RecordKey, 'id'>, beforeSequence: number): AsyncIterable<readonly string[]>;
}
