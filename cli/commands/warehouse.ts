/** `tributary warehouse plan|apply`: the difference between the schemas and the warehouse, shown and made. Nothing is ever dropped. */
import { Command } from 'commander';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { Misconfigured } from '#core/errors.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { discoverServices } from '#runtime/discover.ts';
import { Lifecycle } from '#runtime/lifecycle.ts';
import { openWarehouse } from '#runtime/places/warehouse.ts';
import { isRunning } from '#runtime/socket.ts';
import { differenceOf, type Difference } from '#runtime/warehouse-difference.ts';
import { refuseWithoutState } from '../client.ts';
import { EXIT } from '../exit.ts';
import { givenValues, loadSettings, stateOf, withCommonOptions, type CommonOptions } from '../settings.ts';
import { refuseWithoutStandIns } from '../stand-ins.ts';

export function warehouseCommand(): Command {
  const warehouse = new Command('warehouse').description(
    'Tables and views: what differs from the schemas, and make it',
  );
  warehouse.addCommand(planCommand());
  warehouse.addCommand(applyCommand());
  return warehouse;
}

function planCommand(): Command {
  return withCommonOptions(new Command('plan'))
    .description(
      'Show what apply would do; exit code 0: nothing, 3: something, 4: a column cannot become what its schema says',
    )
    .action(async (options: CommonOptions) => {
      const difference = await withWarehouse(options, differenceOf);
      console.log(options.json ? JSON.stringify(difference) : planText(difference));
      process.exitCode = exitCodeOf(difference);
    });
}

function applyCommand(): Command {
  return withCommonOptions(new Command('apply'))
    .description(
      'Make tables and views, add columns, widen types; never drop; exit code 4: a column cannot follow, and nothing is done',
    )
    .action(async (options: CommonOptions) => {
      const made: string[] = [];
      await withWarehouse(options, (warehouse) =>
        warehouse.apply(Object.values(TABLES), VIEWS, (line) => {
          made.push(line);
          if (!options.json) console.log(`Done: ${line}.`);
        }),
      );
      if (options.json) console.log(JSON.stringify({ made }));
      else console.log(made.length === 0 ? SAME : `${made.length} changes were made.`);
    });
}

const SAME = 'The warehouse is as the schemas say.';

function planText({ steps, refused }: Difference): string {
  if (steps.length === 0 && refused.length === 0) return SAME;
  const lines = [...steps.map((line) => `  ${line}`), ...refused.map((reason) => `! ${reason}`)];
  const end = refused.length > 0 ? 'Lines with ! are refused, and until they are mended apply makes nothing.' : APPLY;
  return [...lines, '', end].join('\n');
}

const APPLY = '«tributary warehouse apply» makes these. Where Terraform owns the tables, apply that instead.';

function exitCodeOf({ steps, refused }: Difference): number {
  if (refused.length > 0) return EXIT.cannotFollow;
  return steps.length > 0 ? EXIT.differs : EXIT.done;
}

/** The one service that writes there: of the others' settings nothing is needed. */
const WRITER = 'bq-writer';

async function withWarehouse<T>(options: CommonOptions, work: (warehouse: WarehousePort) => Promise<T>): Promise<T> {
  if (!(await standsAlone(options))) await refuseWithoutOwn(options);
  const { settings } = await loadSettings(options, { services: WRITER });
  const lifecycle = new Lifecycle();
  try {
    return await work(await openWarehouse(settings.runtime, new TelemetryHub(), lifecycle));
  } finally {
    await lifecycle.stop();
  }
}

/** Whether others than the pipeline of a folder can reach it: a BigQuery that did not start with the pipeline. */
async function standsAlone(options: CommonOptions): Promise<boolean> {
  const values = givenValues(options, await discoverServices());
  return values['warehouse'] === 'bigquery' && Boolean(values['bigquery.restUrl'] || values['google.project']);
}

/** Throws `Misconfigured` while a pipeline runs on the folder, and where the folder holds no warehouse. */
async function refuseWithoutOwn(options: CommonOptions): Promise<void> {
  const folder = stateOf(options);
  if (await isRunning(folder))
    throw new Misconfigured(
      'already_running',
      `A pipeline runs on ${folder}, and made the tables what its schemas say when it started: stop it first to compare them with these.`,
    );
  refuseWithoutState(folder);
  await refuseWithoutStandIns(options, 'bigquery');
}
