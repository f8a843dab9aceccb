/** Brings datasets, tables and views to what the schemas say, by steps that never lose anything: make, add, widen. */
import { Misconfigured } from '#core/errors.ts';
import type { Column, Table, View } from '#core/ports/warehouse.ts';
import { COLUMN_KINDS, columnsOf } from './columns.ts';
import { ALTER, makeDataset, makeTable, makeView, newestSql, newestView, viewSql, type DdlOptions } from './ddl.ts';
import { appendTable, quotedName, storeDataset } from './options.ts';
import type { Rest } from './rest.ts';
import { hasDataset, storedTable, type StoredTable } from './stored.ts';

export interface Step {
  /** For people. */
  readonly line: string;
  readonly sql: readonly string[];
  /** Columns of a stored table that get the policy tag, which SQL cannot give. */
  readonly tags?: { readonly table: string; readonly columns: readonly string[] };
}

export interface PlanOptions extends DdlOptions {
  readonly rest: Rest;
  readonly policyTag: string | null;
}

/** What BigQuery converts in place, https://cloud.google.com/bigquery/docs/managing-table-schemas */
const WIDENINGS: Readonly<Record<string, readonly string[]>> = {
  INTEGER: ['NUMERIC', 'FLOAT'],
  NUMERIC: ['FLOAT'],
};

/** Throws `Misconfigured`, naming every narrowing at once, if the tables cannot become what the schemas say. */
export async function planSteps(
  options: PlanOptions,
  tables: readonly Table[],
  views: readonly View[],
): Promise<readonly Step[]> {
  const steps: Step[] = await datasetSteps(options);
  const narrowings: string[] = [];
  for (const table of tables) steps.push(...(await tableSteps(options, table, narrowings)));
  if (narrowings.length > 0)
    throw new Misconfigured(
      'schema_narrowed',
      `The warehouse cannot follow the schemas: ${narrowings.join('; ')}. Add a column under a new name instead.`,
    );
  // A view fixes its columns when made, so every view is made again when any column changed.
  const isChanged = steps.some(({ line }) => !line.startsWith('set options'));
  for (const view of views) steps.push(...(await viewSteps(options, view, isChanged)));
  return steps;
}

async function datasetSteps(options: PlanOptions): Promise<Step[]> {
  const wanted = [
    [storeDataset(options), 'Rows of every canonical entity, with versions and tombstones.'],
    [options.dataset, 'Sales activity: the views that people query.'],
  ] as const;
  const steps: Step[] = [];
  for (const [name, description] of wanted)
    if (!(await hasDataset(options.rest, name)))
      steps.push({ line: `make dataset ${name}`, sql: [makeDataset(options, name, description)] });
  return steps;
}

async function tableSteps(options: PlanOptions, table: Table, narrowings: string[]): Promise<Step[]> {
  const isAppended = options.writes === 'insert-all';
  const name = isAppended ? appendTable(table.name) : table.name;
  const dataset = storeDataset(options);
  const stored = await storedTable(options.rest, dataset, name);
  if (stored === undefined) {
    const step = { line: `make table ${name}`, sql: makeTable(table, options) };
    return [withTags(step, name, taggable(table), options)];
  }
  if (stored.kind !== 'TABLE') {
    narrowings.push(`${name} is a view, as the other kind of writes makes it: use another dataset`);
    return [];
  }
  const path = quotedName(options.projectId, dataset, name);
  const columns = columnsOf(table).flatMap((column) => columnSteps(path, name, column, stored, narrowings, options));
  const others = optionSteps(path, name, table, stored, isAppended ? 0 : options.maxStalenessSeconds);
  return isAppended ? [...(await withNewest(options, table, columns)), ...others] : [...columns, ...others];
}

function columnSteps(
  path: string,
  name: string,
  column: Column,
  stored: StoredTable,
  narrowings: string[],
  options: PlanOptions,
): Step[] {
  const label = `${name}.${column.name}`;
  const { restType, sqlType } = COLUMN_KINDS[column.type];
  const known = stored.columns.get(column.name);
  const tagged = column.pii ? [column.name] : [];
  if (known === undefined)
    return [
      withTags(
        { line: `add column ${label} as ${sqlType}`, sql: [ALTER.addColumn(path, column)] },
        name,
        tagged,
        options,
      ),
    ];
  const steps: Step[] = [];
  if (known.type !== restType && WIDENINGS[known.type]?.includes(restType))
    steps.push({ line: `widen ${label} from ${known.type} to ${sqlType}`, sql: [ALTER.widen(path, column)] });
  else if (known.type !== restType) narrowings.push(`${label} is stored as ${known.type} and cannot become ${sqlType}`);
  if (known.isRequired && column.nullable)
    steps.push({ line: `allow null in ${label}`, sql: [ALTER.allowNull(path, column)] });
  if (known.description !== column.description)
    steps.push({ line: `set options of ${label}`, sql: [ALTER.describe(path, column)] });
  const { policyTag } = options;
  if (column.pii && policyTag !== null && !known.policyTags.includes(policyTag))
    steps.push(withTags({ line: `set options of ${label}: policy tag`, sql: [] }, name, tagged, options));
  return steps;
}

function optionSteps(
  path: string,
  name: string,
  table: Table,
  stored: StoredTable,
  maxStalenessSeconds: number,
): Step[] {
  if (stored.description === table.description && stored.maxStalenessSeconds === maxStalenessSeconds) return [];
  const sql = [ALTER.setOptions(path, table.description, maxStalenessSeconds)];
  return [{ line: `set options of table ${name}`, sql }];
}

/** The view in the table's place, where rows are only inserted, is made again with the last change of its columns. */
async function withNewest(options: PlanOptions, table: Table, columns: readonly Step[]): Promise<readonly Step[]> {
  const sql = newestView(table, options);
  const last = columns.at(-1);
  if (last !== undefined) return [...columns.slice(0, -1), { ...last, sql: [...last.sql, sql] }];
  const stored = await storedTable(options.rest, storeDataset(options), table.name);
  return isSameSql(stored?.viewSql, newestSql(table, options)) ? [] : [{ line: `make view ${table.name}`, sql: [sql] }];
}

async function viewSteps(options: PlanOptions, view: View, tablesChanged: boolean): Promise<Step[]> {
  const stored = await storedTable(options.rest, options.dataset, view.name);
  const isSame = isSameSql(stored?.viewSql, viewSql(view, options)) && stored?.description === view.description;
  if (isSame && !tablesChanged) return [];
  const word = stored === undefined ? 'make' : 'make again';
  return [{ line: `${word} view ${view.name}`, sql: [makeView(view, options)] }];
}

function taggable(table: Table): readonly string[] {
  return columnsOf(table).flatMap(({ name, pii }) => (pii ? [name] : []));
}

function withTags(step: Step, table: string, columns: readonly string[], { policyTag }: PlanOptions): Step {
  return policyTag === null || columns.length === 0 ? step : { ...step, tags: { table, columns } };
}

function isSameSql(stored: string | null | undefined, wanted: string): boolean {
  return stored?.trim() === wanted.trim();
}
