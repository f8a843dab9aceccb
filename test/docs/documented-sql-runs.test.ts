/** A statement that the documents show for DuckDB runs there, over the tables and views of our schemas. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { openDuckdbWarehouse, type DuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { documentedSql } from '#test/kit/documented-sql.ts';

const LIMITS = { rows: 100, timeoutMs: 30_000 };

describe('documented SQL on DuckDB', () => {
  let folder = '';
  let warehouse: DuckdbWarehouse;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tributary-documents-'));
    const path = join(folder, 'warehouse.duckdb');
    warehouse = await openDuckdbWarehouse({ path, clock: systemClock, memoryLimit: '200MB' });
    await warehouse.apply(Object.values(TABLES), VIEWS);
  });
  afterAll(async () => {
    await warehouse.close();
    rmSync(folder, { recursive: true });
  });

  it('is found in the documents', () => {
    expect(documentedSql('duckdb').length).toBeGreaterThan(10);
  });

  it.each(documentedSql('duckdb'))('$at runs', async ({ sql }) => {
    const rows: unknown[] = [];
    for await (const page of warehouse.query(sql.replace(/;\s*$/, ''), LIMITS)) rows.push(...page);
    expect(rows).toBeInstanceOf(Array);
  });
});
