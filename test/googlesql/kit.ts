/** The warehouse as BigQuery's analyzer is told of it: tables from our schemas, views as they are made there, one by one. */
import { SYSTEM_COLUMNS, type Column, type ColumnType, type View } from '#core/ports/warehouse.ts';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import type { GoogleSql } from '#tools/googlesql/client.ts';
import type { SqlStatement, SqlTable, SqlVerdict } from '#tools/googlesql/protocol.ts';

export const PROJECT = 'example-project';
export const DATASET = 'sales_intelligence';

/** The types of BigQuery that hold every value the port promises: NUMERIC is 38 digits, 9 of them after the point, as ours. */
const TYPES: Readonly<Record<ColumnType, string>> = {
  string: 'STRING',
  int64: 'INT64',
  float64: 'FLOAT64',
  numeric: 'NUMERIC',
  bool: 'BOOL',
  timestamp: 'TIMESTAMP',
  date: 'DATE',
  json: 'JSON',
};

/** Names by which a statement may call it: with its project, with its dataset. */
export function namesOf(dataset: string, name: string): readonly string[] {
  return [`${PROJECT}.${dataset}.${name}`, `${dataset}.${name}`];
}

export function storedTables(): readonly SqlTable[] {
  return Object.values(TABLES).flatMap(({ name, columns }) => {
    const all = [...SYSTEM_COLUMNS, ...(columns as readonly Column[])];
    const described = all.map((column) => ({ name: column.name, type: TYPES[column.type] }));
    return namesOf(`${DATASET}_store`, name).map((called) => ({ name: called, columns: described }));
  });
}

/** The port writes `{store}.calls`; BigQuery takes the whole path between backticks. */
export function bodyOf(view: View, store = `${PROJECT}.${DATASET}_store`): string {
  return view.sql.replaceAll(/\{store\}\.(\w+)/g, (_, table: string) => `\`${store}.${table}\``);
}

/** After it the view is a table to what follows, under its bare name too: queries run with the dataset as default. */
export function makeView(view: View): SqlStatement {
  const [fullName = ''] = namesOf(DATASET, view.name);
  const sql = `CREATE OR REPLACE VIEW \`${fullName}\` OPTIONS (description = ${JSON.stringify(view.description)}) AS\n${bodyOf(view)}`;
  return { sql, becomes: [...namesOf(DATASET, view.name), view.name] };
}

/** What an analyst's statement may name: the tables, and the views as the analyzer saw them. */
export async function warehouseOf(analyzer: GoogleSql): Promise<readonly SqlTable[]> {
  const tables = storedTables();
  const statements = VIEWS.map(makeView);
  const verdicts = await analyzer.analyse({ tables, statements });
  const views = statements.flatMap(({ becomes = [] }, index) => {
    const verdict = verdicts[index] as SqlVerdict;
    if (!verdict.ok) throw new Error(`${VIEWS[index]?.name ?? ''} is refused: ${verdict.error}`);
    return becomes.map((name) => ({ name, columns: verdict.columns }));
  });
  return [...tables, ...views];
}
