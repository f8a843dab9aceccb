/** What the analyzer is asked and answers, as JSON: one request or answer a line. */

/** A type as GoogleSQL writes it, e.g. `STRING` or `INT64`; of an array or struct only that it is one. */
export interface SqlColumn {
  readonly name: string;
  readonly type: string;
}

/** `name` as it stands between backticks in statements: `project.dataset.table`, or a bare one as of a default dataset. */
export interface SqlTable {
  readonly name: string;
  readonly columns: readonly SqlColumn[];
}

export interface SqlStatement {
  readonly sql: string;
  /** Names under which what the statement yields is a table for the statements after it, as a view is. */
  readonly becomes?: readonly string[];
}

export interface SqlRequest {
  readonly tables: readonly SqlTable[];
  readonly statements: readonly SqlStatement[];
}

/** `columns`: what a query or view yields, empty for other statements. `error`: the analyzer's words, with line and column. */
export type SqlVerdict =
  { readonly ok: true; readonly columns: readonly SqlColumn[] } | { readonly ok: false; readonly error: string };
