/**
 * Brings the stored tables and the views to what the schemas say, by steps that never lose anything: make, add, widen.
 * Entity columns are stored nullable whatever the schema says, because a tombstone without an image has none of them;
 * the check of each row keeps the promise for all others.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { Misconfigured } from '#core/errors.ts';
import { SYSTEM_COLUMNS, type Column, type Table, type View } from '#core/ports/warehouse.ts';
import { COLUMN_KINDS } from './columns.ts';
import { literal, quoted } from './sql.ts';

export interface Schemas {
  readonly store: string;
  readonly views: string;
}

export interface Step {
  /** For people. */
  readonly line: string;
  readonly sql: readonly string[];
}

/** A stored type may become one that holds every value of it: the same pairs as BigQuery allows in place. */
const WIDENINGS: Readonly<Record<string, readonly string[]>> = {
  [COLUMN_KINDS.int64.sqlType]: [COLUMN_KINDS.numeric.sqlType, COLUMN_KINDS.float64.sqlType],
  [COLUMN_KINDS.numeric.sqlType]: [COLUMN_KINDS.float64.sqlType],
};

/** Throws `Misconfigured`, naming every narrowing at once, if the tables cannot become what the schemas say. */
export async function planSteps(
  connection: DuckDBConnection,
  schemas: Schemas,
  tables: readonly Table[],
  views: readonly View[],
): Promise<readonly Step[]> {
  const steps: Step[] = await schemaSteps(connection, schemas);
  const narrowings: string[] = [];
  for (const table of tables) steps.push(...(await tableSteps(connection, schemas.store, table, narrowings)));
  if (narrowings.length > 0) {
    throw new Misconfigured(
      'schema_narrowed',
      `The warehouse cannot follow the schemas: ${narrowings.join('; ')}. Add a column under a new name instead.`,
    );
  }
  // A view fixes its columns when made, so every view is made again when any table changed.
  const changed = steps.length > 0;
  for (const view of views) steps.push(...(await viewSteps(connection, schemas, view, changed)));
  return steps;
}

/** The stored columns' SQL types by name, in the table's order; empty if there is no such table. */
export async function physicalColumns(
  connection: DuckDBConnection,
  schema: string,
  table: string,
): Promise<ReadonlyMap<string, string>> {
  const found = await connection.runAndReadAll(
    `SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database()
       AND schema_name = ${literal(schema)} AND table_name = ${literal(table)} ORDER BY column_index`,
  );
  return new Map(found.getRows() as [string, string][]);
}

async function schemaSteps(connection: DuckDBConnection, schemas: Schemas): Promise<Step[]> {
  const found = await connection.runAndReadAll(
    'SELECT schema_name FROM duckdb_schemas() WHERE database_name = current_database()',
  );
  const existing = new Set(found.getRows().map(([name]) => name));
  return [...new Set([schemas.store, schemas.views])]
    .filter((schema) => !existing.has(schema))
    .map((schema) => ({ line: `make schema ${schema}`, sql: [`CREATE SCHEMA ${quoted(schema)}`] }));
}

async function tableSteps(
  connection: DuckDBConnection,
  schema: string,
  table: Table,
  narrowings: string[],
): Promise<Step[]> {
  const name = `${quoted(schema)}.${quoted(table.name)}`;
  const stored = await physicalColumns(connection, schema, table.name);
  if (stored.size === 0) return [makeTable(name, table)];
  const steps: Step[] = [];
  for (const column of [...SYSTEM_COLUMNS, ...table.columns]) {
    const type = stored.get(column.name);
    const wanted = COLUMN_KINDS[column.type].sqlType;
    if (type === undefined) steps.push(addColumn(name, table, column));
    else if (type !== wanted && WIDENINGS[type]?.includes(wanted)) {
      const sql = `ALTER TABLE ${name} ALTER COLUMN ${quoted(column.name)} TYPE ${wanted}`;
      steps.push({ line: `widen ${table.name}.${column.name} from ${type} to ${wanted}`, sql: [sql] });
    } else if (type !== wanted) {
      narrowings.push(`${table.name}.${column.name} is stored as ${type} and cannot become ${wanted}`);
    }
  }
  return steps;
}

function makeTable(name: string, table: Table): Step {
  const system = SYSTEM_COLUMNS.map((column) => `${declared(column)}${column.nullable ? '' : ' NOT NULL'}`);
  const columns = [...system, ...table.columns.map(declared)].join(', ');
  return {
    line: `make table ${table.name}`,
    sql: [
      `CREATE TABLE ${name} (${columns})`,
      `COMMENT ON TABLE ${name} IS ${literal(table.description)}`,
      ...[...SYSTEM_COLUMNS, ...table.columns].map((column) => comment(name, column)),
    ],
  };
}

function addColumn(name: string, table: Table, column: Column): Step {
  return {
    line: `add column ${table.name}.${column.name} as ${COLUMN_KINDS[column.type].sqlType}`,
    sql: [`ALTER TABLE ${name} ADD COLUMN ${declared(column)}`, comment(name, column)],
  };
}

function declared(column: Column): string {
  return `${quoted(column.name)} ${COLUMN_KINDS[column.type].sqlType}`;
}

function comment(name: string, column: Column): string {
  return `COMMENT ON COLUMN ${name}.${quoted(column.name)} IS ${literal(column.description)}`;
}

async function viewSteps(
  connection: DuckDBConnection,
  schemas: Schemas,
  view: View,
  tablesChanged: boolean,
): Promise<Step[]> {
  const name = `${quoted(schemas.views)}.${quoted(view.name)}`;
  const body = view.sql.replaceAll('{store}', quoted(schemas.store));
  const stored = await storedView(connection, schemas.views, view.name);
  if (!tablesChanged && stored !== undefined && stored === (await normalised(connection, body))) return [];
  return [
    {
      line: `${stored === undefined ? 'make' : 'make again'} view ${view.name}`,
      sql: [`CREATE OR REPLACE VIEW ${name} AS ${body}`, `COMMENT ON VIEW ${name} IS ${literal(view.description)}`],
    },
  ];
}

async function storedView(connection: DuckDBConnection, schema: string, view: string): Promise<string | undefined> {
  const found = await connection.runAndReadAll(
    `SELECT sql FROM duckdb_views() WHERE database_name = current_database()
       AND schema_name = ${literal(schema)} AND view_name = ${literal(view)}`,
  );
  return bodyOf(found.getRows()[0]?.[0]);
}

/** DuckDB keeps a view's SQL as its own parser prints it: ours is comparable only after the same printing. */
async function normalised(connection: DuckDBConnection, body: string): Promise<string | undefined> {
  await connection.run(`CREATE OR REPLACE TEMP VIEW tributary_probe AS ${body}`);
  const found = await connection.runAndReadAll(
    "SELECT sql FROM duckdb_views() WHERE temporary AND view_name = 'tributary_probe'",
  );
  await connection.run('DROP VIEW temp.tributary_probe');
  return bodyOf(found.getRows()[0]?.[0]);
}

function bodyOf(createView: unknown): string | undefined {
  return typeof createView === 'string' ? createView.replace(/^CREATE .*?\bAS /s, '') : undefined;
}
