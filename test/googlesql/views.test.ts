import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM_COLUMNS } from '#core/ports/warehouse.ts';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { missingGoogleSql, startGoogleSql, type GoogleSql } from '#tools/googlesql/client.ts';
import type { SqlVerdict } from '#tools/googlesql/protocol.ts';
import { makeView, storedTables } from './kit.ts';

const missing = missingGoogleSql();
const CALLS = '`example-project.sales_intelligence_store.calls`';

describe.skipIf(missing !== null)(
  `What Google's own analyzer says${missing === null ? '' : ` [skipped: ${missing}]`}`,
  () => {
    let analyzer: GoogleSql;
    beforeAll(() => {
      analyzer = startGoogleSql();
    });
    afterAll(() => analyzer.stop());

    const judge = async (sql: string): Promise<SqlVerdict> => {
      const [verdict] = await analyzer.analyse({ tables: storedTables(), statements: [{ sql }] });
      return verdict as SqlVerdict;
    };

    it.each([
      ['an unknown column', `SELECT c.nobody FROM ${CALLS} AS c`, /nobody/],
      ['an unknown table', 'SELECT * FROM `example-project.sales_intelligence_store.nothing`', /Table not found/],
      [
        'a function that BigQuery has not',
        `SELECT date_part('hour', c.started_at) FROM ${CALLS} AS c`,
        /Function not found/,
      ],
      ['a wrong argument', `SELECT JSON_VALUE(c.duration_ms, '$.x') FROM ${CALLS} AS c`, /No matching signature/],
      [
        'types that do not compare',
        `SELECT c.id FROM ${CALLS} AS c WHERE c.id = c.duration_ms`,
        /No matching signature for operator =/,
      ],
      ['a type that BigQuery has not', `SELECT CAST(c.id AS INT32) FROM ${CALLS} AS c`, /Type not found: INT32/],
      ['the cast of another dialect', `SELECT c.duration_ms::INT64 FROM ${CALLS} AS c`, /Syntax error/],
      ['a view with two columns of one name', `CREATE VIEW v AS SELECT c.*, c.state FROM ${CALLS} AS c`, /duplicate/],
      [
        'a column that is not grouped',
        `SELECT c.state, COUNT(*) FROM ${CALLS} AS c GROUP BY c.direction`,
        /neither grouped nor aggregated/,
      ],
      ['an option that does not exist', "CREATE TABLE t (id STRING) OPTIONS (describtion = 'x')", /Unknown option/],
      ['an option of a wrong type', 'CREATE TABLE t (id STRING) OPTIONS (max_staleness = 900)', /max_staleness/],
      ['a key of a column that is not there', 'CREATE TABLE t (id STRING, PRIMARY KEY (ids) NOT ENFORCED)', /ids/],
      ['clustering by JSON', 'CREATE TABLE t (doc JSON) CLUSTER BY doc', /CLUSTER BY/],
      ['a narrowing', `ALTER TABLE ${CALLS} ALTER COLUMN duration_ms SET DATA TYPE STRING`, /assignable/],
    ])('refuses %s', async (_, sql, reason) => {
      const verdict = await judge(sql);
      expect(verdict, JSON.stringify(verdict)).toMatchObject({
        ok: false,
        error: expect.stringMatching(reason) as string,
      });
    });

    it('takes every view, each over the tables and the views before it', async () => {
      const verdicts = await analyzer.analyse({ tables: storedTables(), statements: VIEWS.map(makeView) });
      const refused = verdicts.flatMap((verdict, i) =>
        verdict.ok ? [] : [`${VIEWS[i]?.name ?? ''}: ${verdict.error}`],
      );
      expect(refused).toEqual([]);
      for (const verdict of verdicts) {
        const names = verdict.ok ? verdict.columns.map(({ name }) => name) : [];
        expect(names).toContain('source');
        expect(new Set(names).size).toBe(names.length);
      }
    });

    it('sees the columns of a view as our schemas have them', async () => {
      const view = VIEWS.find(({ name }) => name === 'sf_accounts') as (typeof VIEWS)[number];
      const [verdict] = await analyzer.analyse({ tables: storedTables(), statements: [makeView(view)] });
      const names = [...SYSTEM_COLUMNS, ...TABLES.account.columns].map(({ name }) => name);
      expect(verdict?.ok === true ? verdict.columns.map(({ name }) => name) : verdict).toEqual(names);
    });
  },
);
