/** `tributary warehouse plan|apply` on both warehouses: a file of a state folder, and BigQuery's simulator. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { openBigqueryWarehouse } from '#adapters/warehouse/bigquery/index.ts';
import { openDuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import type { Column, Table, WarehousePort } from '#core/ports/warehouse.ts';
import { socketPath } from '#runtime/socket.ts';
import type { Difference } from '#runtime/warehouse-difference.ts';
import { TABLES } from '#schemas/generated/tables.ts';
import { freshFolder } from '#test/flow/kit.ts';
import { startBigquerySimulator } from '#tools/simulators/bigquery/index.ts';
import { saveSettings } from '#cli/simulators.ts';
import { commandLine, lastJson, type Ran } from './kit.ts';

interface Under {
  readonly env: Readonly<Record<string, string>>;
  open(): Promise<WarehousePort & { close(): Promise<void> }>;
  end(): Promise<void>;
}

async function duckdb(): Promise<Under> {
  const { folder, remove } = freshFolder();
  return {
    env: { TRIBUTARY_STATE_FOLDER: folder },
    open: () => openDuckdbWarehouse({ path: join(folder, 'warehouse.duckdb'), clock: systemClock }),
    end: async () => remove(),
  };
}

async function bigquery(): Promise<Under> {
  const { folder, remove } = freshFolder();
  const simulator = await startBigquerySimulator();
  const [projectId, dataset] = ['acme', 'sales'];
  return {
    env: {
      METADATA_SERVER_DETECTION: 'none',
      TRIBUTARY_STATE_FOLDER: join(folder, 'none'),
      TRIBUTARY_WAREHOUSE: 'bigquery',
      TRIBUTARY_GOOGLE_PROJECT: projectId,
      TRIBUTARY_BIGQUERY_DATASET: dataset,
      TRIBUTARY_BIGQUERY_REST_URL: simulator.restUrl,
      TRIBUTARY_BIGQUERY_GRPC_ENDPOINT: simulator.grpcEndpoint,
    },
    open: () =>
      openBigqueryWarehouse({
        projectId,
        dataset,
        location: 'US',
        writes: 'storage-write',
        maxStalenessSeconds: 0,
        policyTag: null,
        clock: systemClock,
        simulator,
      }),
    async end() {
      await simulator.stop();
      remove();
    },
  };
}

const { contact: contacts, opportunity: opportunities, user: users } = TABLES;

function without(table: Table, name: string): Table {
  return { ...table, columns: table.columns.filter((column) => column.name !== name) };
}

function retyped(table: Table, name: string, type: Column['type']): Table {
  return { ...table, columns: table.columns.map((column) => (column.name === name ? { ...column, type } : column)) };
}

describe.each([
  ['a DuckDB file', duckdb],
  ['BigQuery', bigquery],
])('the warehouse of %s', (_, start) => {
  let under: Under;
  let cli: (...args: string[]) => Promise<Ran>;
  beforeAll(async () => {
    under = await start();
    cli = (...args) => commandLine(['warehouse', ...args], under.env);
    // A warehouse of an older version: one column is missing, one is narrower, and nothing else is there.
    const warehouse = await under.open();
    await warehouse.apply([without(contacts, 'title'), retyped(opportunities, 'amount', 'int64')], []);
    await warehouse.close();
  });
  afterAll(() => under.end());

  it('that is older than the schemas is planned: what is made, added and widened, with exit code 3, and nothing is done', async () => {
    for (const _twice of [1, 2]) {
      const ran = await cli('plan');
      expect([ran.code, ran.err]).toEqual([3, '']);
      for (const line of [/make table users/, /add column contacts\.title as /, /widen opportunities\.amount from /, /make view sf_contacts/])
        expect(ran.out).toMatch(line); // prettier-ignore
    }
  });

  it('is made what it should be, line by line, without loss; a second time there is nothing to do', async () => {
    const planned = (lastJson(await cli('plan', '--json')) as { readonly steps: readonly string[] }).steps;
    const applied = await cli('apply');
    expect([applied.code, applied.err]).toEqual([0, '']);
    const lines = applied.out.trim().split('\n');
    expect(lines.slice(0, -1)).toEqual(planned.map((line) => `Done: ${line}.`));
    expect(lines.at(-1)).toBe(`${planned.length} changes were made.`);
    expect(lastJson(await cli('apply', '--json'))).toEqual({ made: [] });
    const plan = await cli('plan', '--json');
    expect([plan.code, lastJson(plan)]).toEqual([0, { steps: [], refused: [] }]);
  });

  it('that cannot follow is told so, with every reason, the other steps and exit code 4; apply does none of them', async () => {
    const other = await start();
    const warehouse = await other.open();
    await warehouse.apply(
      [retyped(retyped(users, 'name', 'json'), 'email', 'float64'), without(contacts, 'title')],
      [],
    );
    await warehouse.close();
    const [plan, json, apply] = [
      await commandLine(['warehouse', 'plan'], other.env),
      lastJson(await commandLine(['warehouse', 'plan', '--json'], other.env)) as Difference,
      await commandLine(['warehouse', 'apply'], other.env),
    ];
    expect(plan.code).toBe(4);
    expect(plan.out).toMatch(
      /^! .*users\.name is stored as JSON.*users\.email is stored as .*Add a column under a new name/m,
    );
    expect(plan.out).toContain('  add column contacts.title as ');
    expect(json.refused).toHaveLength(1);
    expect([apply.code, apply.out, apply.err]).toEqual([4, '', expect.stringContaining('[schema_narrowed]')]);
    expect(lastJson(await commandLine(['warehouse', 'plan', '--json'], other.env))).toEqual(json);
    await other.end();
  });
});

describe('the warehouse of a state folder', () => {
  it.each(['plan', 'apply'])('is not there before a first start: %s says so', async (verb) => {
    const ran = await commandLine(['warehouse', verb, '--state', '/nowhere/at/all']);
    expect([ran.code, ran.out, ran.err]).toEqual([1, '', expect.stringContaining('[no_state]')]);
  });

  it('is left to the pipeline that runs on it', async () => {
    const { folder, remove } = freshFolder();
    const pipeline = createServer().listen(socketPath(folder));
    await once(pipeline, 'listening');
    const ran = await commandLine(['warehouse', 'plan', '--state', folder]);
    expect([ran.code, ran.err]).toEqual([1, expect.stringMatching(/stop it first .*\[already_running\]/)]);
    pipeline.close();
    remove();
  });

  it('that ended with its stand-in cannot be looked at: start it again', async () => {
    const { folder, remove } = freshFolder();
    saveSettings(folder, { warehouse: 'bigquery' });
    const ran = await commandLine(['warehouse', 'plan', '--state', folder]);
    expect([ran.code, ran.err]).toEqual([1, expect.stringMatching(/npm start.*\[stand_ins_ended\]/)]);
    remove();
  });
});
