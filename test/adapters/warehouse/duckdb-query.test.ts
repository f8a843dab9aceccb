/** What only DuckDB's SQL can try, and what its queries share with the writer. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { openDuckdbWarehouse, type DuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import { DependencyDown, InvalidMessage, Transient } from '#core/errors.ts';
import { rowsOf } from '#test/contract/warehouse.ts';
import { thing, THINGS, version } from '#test/contract/warehouse-things.ts';

const ENDLESS = 'SELECT SUM(a.range * b.range) AS n FROM range(10000000) a, range(10000000) b';
const LIMITS = { rows: 1_000, timeoutMs: 30_000 };

let folder = '';
let warehouse: DuckdbWarehouse;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-duckdb-'));
  warehouse = await openDuckdbWarehouse({
    path: join(folder, 'warehouse.duckdb'),
    clock: systemClock,
    memoryLimit: '100MB',
  });
  await warehouse.apply([THINGS], []);
  await warehouse.upsert(THINGS, [thing('a')]);
});
afterEach(async () => {
  await warehouse.close();
  rmSync(folder, { recursive: true });
});

describe('a query of DuckDB', () => {
  it.each([
    'EXPLAIN ANALYZE INSERT INTO sales_intelligence_store.things SELECT * FROM sales_intelligence_store.things',
    "COPY sales_intelligence_store.things TO '{folder}/out.csv'",
    "EXPORT DATABASE '{folder}/out'",
    "ATTACH '{folder}/other.duckdb' AS other",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM read_csv('/etc/hostname')",
    "SELECT * FROM '/etc/hostname'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM read_parquet('https://example.com/x.parquet')",
    'INSTALL httpfs',
    'LOAD httpfs',
    "SET memory_limit = '10GB'",
    'SET enable_external_access = true',
    "PRAGMA memory_limit = '10GB'",
    'CALL pragma_version()',
    'CHECKPOINT',
    'BEGIN',
    'COMMIT',
    'USE memory',
    'VACUUM',
    'PREPARE p AS SELECT 1',
    'SELECT $1',
    'CREATE TEMP TABLE made AS SELECT 1',
    'CREATE MACRO made(x) AS x',
    "COMMENT ON TABLE sales_intelligence_store.things IS 'x'",
  ])('refuses %j', async (sql) => {
    const work = rowsOf(warehouse, sql.replace('{folder}', folder));
    await expect(work).rejects.toBeInstanceOf(InvalidMessage);
    expect(await rowsOf(warehouse, 'SELECT COUNT(*) AS n FROM sales_intelligence_store.things')).toEqual([{ n: 1 }]);
    expect(readdirSync(folder).filter((name) => name.startsWith('o'))).toEqual([]);
  });

  it.each([
    'DESCRIBE sales_intelligence_store.things',
    'SHOW ALL TABLES',
    'EXPLAIN SELECT 1',
    'SUMMARIZE sales_intelligence_store.things',
    'FROM sales_intelligence_store.things',
    'VALUES (1)',
  ])('answers %j', async (sql) => {
    expect((await rowsOf(warehouse, sql)).length).toBeGreaterThan(0);
  });

  it('answers values as JSON can carry them', async () => {
    const sql = `SELECT 170141183460469231731687303715884105727::HUGEINT AS huge, 5::HUGEINT AS small, [1, NULL] AS list,
      {'a': DATE '2026-01-05'} AS struct, INTERVAL 2 DAY AS interval, 'x'::BLOB AS blob, 'NaN'::DOUBLE AS nan,
      MAP {'k': 1} AS map, TIME '10:00:00' AS time, 1.50::DECIMAL(9,2) AS amount`;
    expect(JSON.parse(JSON.stringify(await rowsOf(warehouse, sql)))).toEqual([
      {
        huge: '170141183460469231731687303715884105727',
        small: 5,
        list: [1, null],
        struct: { a: '2026-01-05' },
        interval: '2 days',
        blob: 'x',
        nan: 'NaN',
        map: "{'k': 1}",
        time: '10:00:00',
        amount: '1.50',
      },
    ]);
  });

  it('gives each column its own name when two are the same', async () => {
    expect(Object.values((await rowsOf(warehouse, 'SELECT 1 AS a, 2 AS a'))[0] ?? {})).toEqual([1, 2]);
  });

  it('is stopped at its time limit, and others go on', async () => {
    const started = performance.now();
    const slow = rowsOf(warehouse, ENDLESS, { ...LIMITS, timeoutMs: 200 });
    await expect(slow).rejects.toMatchObject({ code: 'query_timeout' });
    await expect(slow).rejects.toBeInstanceOf(Transient);
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(await rowsOf(warehouse, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('is stopped at its time limit also when its reader dawdles', async () => {
    const pages = warehouse.query('SELECT * FROM range(10000000)', { rows: 10_000_000, timeoutMs: 100 });
    const reading = (async () => {
      for await (const _page of pages) await systemClock.sleep(60);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'query_timeout' });
  });

  it('fails alone when it needs more memory than there is', async () => {
    const greedy = "SELECT LENGTH(STRING_AGG(REPEAT('x', 1000) || range, '')) AS n FROM range(3000000)";
    const work = rowsOf(warehouse, greedy, LIMITS);
    await expect(work).rejects.toMatchObject({ code: 'query_memory' });
    expect(await warehouse.upsert(THINGS, [thing('b')])).toEqual([]);
  });

  it('does not keep the writer waiting', async () => {
    const slow = rowsOf(warehouse, ENDLESS, { ...LIMITS, timeoutMs: 3_000 }).catch((error: unknown) => error);
    for (let batch = 0; batch < 10; batch++) {
      const rows = Array.from({ length: 500 }, (_, id) => thing(String(id), { version: version(batch + 1) }));
      expect(await warehouse.upsert(THINGS, rows)).toEqual([]);
    }
    expect(await slow).toBeInstanceOf(Transient);
  });
});

describe('closing', () => {
  it('ends a running query, waits for the writes, and leaves one file', async () => {
    const slow = rowsOf(warehouse, ENDLESS, LIMITS).catch((error: unknown) => error);
    const writing = Promise.all(
      Array.from({ length: 5 }, (_, batch) => warehouse.upsert(THINGS, [thing(`last-${batch}`)])),
    );
    await warehouse.close();
    expect(await writing).toEqual([[], [], [], [], []]);
    expect(await slow).toBeInstanceOf(Error);
    expect(readdirSync(folder).filter((name) => !name.endsWith('.tmp'))).toEqual(['warehouse.duckdb']);
    await expect(warehouse.upsert(THINGS, [thing('late')])).rejects.toBeInstanceOf(DependencyDown);
    await expect(rowsOf(warehouse, 'SELECT 1')).rejects.toBeInstanceOf(DependencyDown);
  });
});
