/** What lies between the schemas and the tables and views that are there. */
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { Misconfigured } from '#core/errors.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';

export interface Difference {
  /** What `apply` makes, one line each. */
  readonly steps: readonly string[];
  /** Why it would make nothing of it. */
  readonly refused: readonly string[];
}

/** Where a table cannot follow, the other tables' steps are still told, for who decides what to do; the views', which come after, not. */
export async function differenceOf(warehouse: Pick<WarehousePort, 'plan'>): Promise<Difference> {
  const tables = Object.values(TABLES);
  const whole = await stepsOf(() => warehouse.plan(tables, VIEWS));
  if (whole.refused.length === 0) return whole;
  const each: Difference[] = [];
  for (const table of tables) each.push(await stepsOf(() => warehouse.plan([table], [])));
  return {
    steps: [...new Set(each.flatMap(({ steps }) => steps))],
    refused: each.flatMap(({ refused }) => refused),
  };
}

async function stepsOf(plan: () => Promise<readonly string[]>): Promise<Difference> {
  try {
    return { steps: await plan(), refused: [] };
  } catch (error) {
    if (!(error instanceof Misconfigured && error.code === 'schema_narrowed')) throw error;
    return { steps: [], refused: [error.message] };
  }
}
