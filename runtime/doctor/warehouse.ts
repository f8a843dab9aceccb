/** The warehouse: it answers, its tables and views are as the schemas say, and rows may be written. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { TABLES } from '#schemas/generated/tables.ts';
import { DependencyDown, Unauthorized } from '#core/errors.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { Lifecycle } from '../lifecycle.ts';
import { bigqueryOptions, openWarehouse } from '../places/warehouse.ts';
import { differenceOf } from '../warehouse-difference.ts';
import { failed, failure, ok, skipped, warning, type Check, type Finding } from './check.ts';
import { configOf, isCloud, type Subject } from './subject.ts';

const WITHIN_MS = 45_000;
const QUERY = { rows: 1, timeoutMs: 20_000 };

export function warehouseChecks(subject: Subject): readonly Check[] {
  const config = configOf(subject);
  if (config.warehouse === 'duckdb') return [check('warehouse', subject, () => file(subject))];
  if (subject.standIns.has('bigquery'))
    return [check('warehouse', subject, async () => skipped("«npm start» starts BigQuery's simulator."))];
  return [
    check('warehouse queries', subject, () => opened(subject, queries)),
    check('warehouse tables', subject, () => opened(subject, (warehouse) => tables(warehouse, subject))),
    check('warehouse rights', subject, () => rights(subject)),
  ];
}

function check(name: string, subject: Subject, run: () => Promise<Finding | readonly Finding[]>): Check {
  return { name, withinMs: WITHIN_MS, otherwise: reach(subject), run: () => run().catch((error: unknown) => told(error, subject)) }; // prettier-ignore
}

function told(error: unknown, subject: Subject): Finding {
  const found = failure(error, reach(subject));
  if (error instanceof DependencyDown) return failed(found.what, reach(subject));
  return error instanceof Unauthorized && isCloud(subject) ? warning(found.what, PEOPLE) : found;
}

const PEOPLE =
  'To see it, look as one of the services, or as somebody with roles/bigquery.metadataViewer on both datasets.';

function reach(subject: Subject): string {
  const config = configOf(subject);
  if (config.warehouse === 'duckdb') return 'See docs/runbooks/warehouse.md.';
  return config['bigquery.restUrl'] === null
    ? 'Look at the network, the project, and the credentials: gcloud auth application-default login.'
    : 'Start the simulator, or mend TRIBUTARY_BIGQUERY_REST_URL.';
}

/** DuckDB lets in one process: the pipeline that runs has it, and made the tables when it started. */
async function file(subject: Subject): Promise<Finding | readonly Finding[]> {
  if (subject.isRunning) return ok('The pipeline that runs has it open, with the tables of its schemas.');
  if (!existsSync(join(configOf(subject)['state.folder'], 'warehouse.duckdb')))
    return ok('There is none yet; «npm start» makes it.');
  return opened(subject, (warehouse) => tables(warehouse, subject));
}

async function opened<T>(subject: Subject, look: (warehouse: WarehousePort) => Promise<T>): Promise<T> {
  const lifecycle = new Lifecycle();
  try {
    return await look(await openWarehouse(configOf(subject), new TelemetryHub(), lifecycle));
  } finally {
    await lifecycle.stop();
  }
}

async function queries(warehouse: WarehousePort): Promise<Finding> {
  for await (const _page of warehouse.query('SELECT 1 AS one', QUERY)) return ok('It answers a query.');
  return ok('It answers a query.');
}

async function tables(warehouse: WarehousePort, subject: Subject): Promise<readonly Finding[]> {
  const { steps, refused } = await differenceOf(warehouse);
  const rows = steps.filter((line) => !isOnlyShown(line));
  const shown = steps.filter(isOnlyShown);
  const findings = [
    ...refused.map((reason) => failed(reason, 'See docs/runbooks/warehouse.md.')),
    ...(rows.length === 0 ? [] : [drift(rows, subject)]),
    ...(shown.length === 0 ? [] : [warning(`Views or descriptions are not current: ${some(shown)}.`, how(subject))]),
  ];
  return findings.length > 0 ? findings : [ok('Tables and views are as the schemas say.')];
}

/** Rows are written all the same. */
function isOnlyShown(line: string): boolean {
  return line.startsWith('set options') || /^make (?:again )?view /.test(line);
}

function drift(steps: readonly string[], subject: Subject): Finding {
  const what = `Tables are not as the schemas say: ${some(steps)}.`;
  return isCloud(subject) ? failed(what, how(subject)) : warning(what, how(subject));
}

function how(subject: Subject): string {
  return isCloud(subject)
    ? 'Apply Terraform, or run «tributary warehouse apply»; «tributary warehouse plan» has all of it.'
    : '«npm start» makes them so; «tributary warehouse plan» has all of it.';
}

const SHOWN = 4;

function some(lines: readonly string[]): string {
  const more = lines.length > SHOWN ? ` and ${lines.length - SHOWN} more` : '';
  return `${lines.slice(0, SHOWN).join('; ')}${more}`;
}

async function rights(subject: Subject): Promise<Finding> {
  const { mayWrite } = await import('#adapters/warehouse/bigquery/inspect.ts');
  const config = configOf(subject);
  const may = await mayWrite(bigqueryOptions(config), TABLES.account);
  if (may === undefined)
    return skipped(
      config['bigquery.restUrl'] === null
        ? 'It cannot be seen before there are tables.'
        : 'The simulator knows no rights.',
    );
  if (may) return ok('This account may write rows.');
  const what = 'This account may not write rows.';
  return isCloud(subject)
    ? warning(what, 'The account of bq-writer must, which Terraform grants: docs/iam.md.')
    : failed(what, 'Grant it roles/bigquery.dataEditor on the dataset of the tables.');
}
