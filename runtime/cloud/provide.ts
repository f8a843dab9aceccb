/**
 * What has to be there before services run. On Google's services topics are Terraform's and tables Terraform's or `warehouse
 * apply`'s to make, so nothing is made and the tables are compared. On an emulator or a simulator nobody else makes them,
 * and several processes that start together all try to.
 */
import { VIEWS, TABLES } from '#schemas/generated/tables.ts';
import { messageOf, Misconfigured } from '#core/errors.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { AnyService, Declared } from '#core/service.ts';
import type { RuntimeConfig } from '../config.ts';
import type { Ground } from '../ground.ts';
import { applySchemas } from '../places/warehouse.ts';
import { topologyOf } from '../topology.ts';
import { reached, type Reaching } from './reach.ts';

export interface Providing extends Reaching {
  readonly config: RuntimeConfig;
  readonly ground: Ground;
  /** All there are: what the others of them have not made yet would miss what these publish. */
  readonly services: readonly AnyService[];
  /** Those that run here. */
  readonly running: readonly Declared[];
  readonly onWait: (what: string) => void;
}

const RACES = 20;

export async function provide(providing: Providing): Promise<void> {
  const { config, ground, services, running, onWait } = providing;
  if (config.broker === 'embedded' || config['pubsub.emulator'] !== null) {
    onWait('broker');
    const { topics, subscriptions } = topologyOf(services);
    await reached('broker', () => ground.broker.port.ensure(topics, subscriptions), providing);
  }
  if (!running.some(usesWarehouse)) return;
  onWait('warehouse');
  if (config.warehouse === 'duckdb' || config['bigquery.restUrl'] !== null)
    await reached('warehouse', () => applyTogether(ground.warehouse, providing), providing);
  if (running.some(writesWarehouse)) await reached('warehouse', () => compare(providing), providing);
}

/** Another process may make between our look and our making what we were to make: then there is less to do. */
async function applyTogether(warehouse: WarehousePort, { clock, random, signal }: Reaching): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await applySchemas(warehouse);
    } catch (error) {
      const isRace = error instanceof Misconfigured && error.code === 'schema_invalid' && attempt < RACES;
      if (!isRace) throw error;
    }
    await clock.sleep(50 + random.unit() * 200, signal);
  }
}

/**
 * Rows would be refused where a column is missing: that ends the start. What only reads otherwise, or is described otherwise,
 * is told: after an update of the tables the version before goes on, and one that is rolled back to starts.
 */
async function compare({ ground: { warehouse }, telemetry }: Providing): Promise<void> {
  const tables = await warehouse.plan(Object.values(TABLES), []);
  const missing = tables.filter((line) => !line.startsWith('set options'));
  if (missing.length > 0)
    throw new Misconfigured(
      'warehouse_drift',
      `The warehouse is not what the schemas say: apply Terraform, or run «tributary warehouse apply».\n- ${missing.join('\n- ')}`,
    );
  try {
    const others = await warehouse.plan(Object.values(TABLES), VIEWS);
    if (others.length > 0) tell(others.join('; '));
  } catch (error) {
    tell(`the views cannot be looked at: ${messageOf(error)}`);
  }
  function tell(what: string): void {
    const message = `Descriptions or views differ from the schemas; rows are written all the same: ${what}`;
    telemetry.emit('faultSeen', { service: 'runtime', code: 'warehouse_drift', message });
  }
}

export function usesWarehouse({ uses }: Declared): boolean {
  return uses.includes('warehouse');
}

/** What belongs to a source may only ask which ids are held, and may not look at tables (`docs/iam.md`). */
function writesWarehouse(declared: Declared): boolean {
  return usesWarehouse(declared) && declared.source === null;
}
