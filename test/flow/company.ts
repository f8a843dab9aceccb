/** The simulated company with its vendors in this process, and the river over them: started, stopped and compared with the truth. */
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Values } from '#runtime/settings.ts';
import { checkMatches, type MatchReport, type MatchRow } from '#test/kit/call-truth.ts';
import { expectedRows, OBJECT_NAMES, purgedIds, storedRow, storedRowsSql } from '#test/kit/salesforce-truth.ts';
import { openDialpad, type DialpadVendor } from '#tools/simulators/dialpad/index.ts';
import { startSalesforce, type Salesforce, type StartOptions } from '#tools/simulators/salesforce/start.ts';
import {
  createWorld,
  startChanges,
  type ChangesOptions,
  type ObjectName,
  type World,
  type WorldOptions,
} from '#tools/simulators/world/index.ts';
import { freshFolder, startRiver, type River, type RiverOptions } from './kit.ts';

export interface CompanyOptions extends Partial<WorldOptions> {
  readonly salesforce?: Partial<StartOptions>;
  readonly sources?: readonly ('salesforce' | 'dialpad')[];
}

export interface Company {
  readonly world: World;
  readonly salesforce: Salesforce;
  readonly dialpad: DialpadVendor | null;
  readonly folder: string;
  /** What an operator would configure. */
  readonly values: Values;
  start(options?: Partial<RiverOptions>): Promise<River>;
  /** Lets people work, and resolves when they have, their calls and all they push included. */
  work(changes: ChangesOptions & { readonly count: number }): Promise<void>;
  close(): Promise<void>;
}

export async function openCompany(options: CompanyOptions = {}): Promise<Company> {
  const { salesforce: given = {}, sources = ['salesforce'], ...size } = options;
  const world = createWorld({ seed: 21, contacts: 300, ...size });
  const { folder, remove } = freshFolder();
  const salesforce = await startSalesforce(world, { stateDir: join(folder, 'vendor'), keepaliveMs: 300, ...given });
  const dialpad = sources.includes('dialpad') ? await openDialpad(world) : null;
  const rivers: River[] = [];
  const values = valuesOf(salesforce, dialpad);
  return {
    world,
    salesforce,
    dialpad,
    folder,
    values,
    async start(more = {}) {
      const river = await startRiver({
        folder: join(folder, 'state'),
        ...more,
        values: { ...values, ...more.values },
      });
      rivers.push(river);
      dialpad?.subscribe(`${river.runtime.webUrl ?? ''}/webhooks/dialpad`);
      return river;
    },
    async work(changes) {
      await startChanges(world, changes).done;
      while (dialpad?.isBusy === true) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    async close() {
      for (const river of rivers) await river.stop();
      await Promise.all([salesforce.close(), dialpad?.close()]);
      remove();
    },
  };
}

function valuesOf({ urls }: Salesforce, dialpad: DialpadVendor | null): Values {
  return {
    'salesforce.instanceUrl': urls.instanceUrl,
    'salesforce.loginUrl': urls.loginUrl,
    'salesforce.grpcEndpoint': urls.grpcEndpoint,
    'salesforce.clientId': urls.clientId,
    'salesforce.clientSecret': urls.clientSecret,
    'salesforce.absenceWaitSeconds': '0',
    'normalizer.defaultCountry': 'US',
    'vendor.caFile': urls.caFile,
    ...(dialpad === null
      ? {}
      : {
          'dialpad.baseUrl': dialpad.baseUrl,
          'dialpad.apiKey': dialpad.apiKey,
          'dialpad.companyId': dialpad.companyId,
          'dialpad.webhookSecrets': dialpad.webhookSecret,
        }),
  };
}

type Rows = Pick<River, 'rows'>;

/** Every row of every object, field by field, is what the company's own record says; nothing is missing, doubled or invented. */
export async function expectSalesforceTruth(
  { world }: Pick<Company, 'world'>,
  river: Rows,
  objects: readonly ObjectName[] = OBJECT_NAMES,
): Promise<void> {
  for (const object of objects) {
    const expected = expectedRows(world, object);
    const stored = (await river.rows(storedRowsSql(object))).map((row) => storedRow(object, row));
    const ids = stored.map(({ id }) => String(id));
    expect(new Set(ids).size, `${object}: no row twice`).toBe(ids.length);
    const purged = purgedIds(world, object);
    const alive = stored.filter(({ id, deleted }) => !purged.has(String(id)) || deleted !== true);
    const differing = alive.filter((row) => !sameRow(row, expected.get(String(row.id))));
    const missing = [...expected.keys()].filter((id) => !ids.includes(id));
    expect(
      { differing: differing.slice(0, 5), expected: differing.slice(0, 5).map(({ id }) => expected.get(String(id))) },
      `${object}: ${differing.length} of ${alive.length} rows differ`,
    ).toEqual({ differing: [], expected: [] });
    expect(missing, `${object}: rows missing`).toEqual([]);
  }
}

function sameRow(
  row: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>> | undefined,
): boolean {
  return expected !== undefined && Object.entries(expected).every(([name, value]) => row[name] === value);
}

/** Every concluded call is one row; nobody is matched who does not hold the number, and all who alone hold it are. */
export async function expectCallTruth(company: Company, river: Rows): Promise<MatchReport> {
  const truth = company.dialpad?.simulator.company.concludedCalls ?? [];
  const rows = await river.rows('SELECT id, state, direction FROM sales_intelligence.dialpad_calls ORDER BY id');
  const expected = truth.map(({ id, state, direction }) => ({ id, state, direction }));
  expect(rows).toEqual(expected.sort((a, b) => (a.id < b.id ? -1 : 1)));
  const matches = (await river.rows(
    `SELECT activity_id, outcome, contact_id, lead_id FROM sales_intelligence.matches WHERE activity_source = 'dialpad'`,
  )) as unknown as readonly MatchRow[];
  expect(matches.length, 'one match a call').toBe(truth.length);
  const report = checkMatches(company.world, matches);
  expect(report.wrong).toEqual([]);
  expect(report.missed).toEqual([]);
  return report;
}

/** The run rows of a kind. */
export async function runsOf(
  river: Rows,
  kind: string,
  source = 'salesforce',
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return river.rows(
    `SELECT run_object, reason, state FROM sales_intelligence.etl_runs WHERE kind = '${kind}' AND run_source = '${source}'`,
  );
}
