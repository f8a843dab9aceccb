import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Column, Table } from '#core/ports/warehouse.ts';
import { ALTER, ddlOf, newestSql, type DdlOptions } from '#adapters/warehouse/bigquery/ddl.ts';
import { liveIdsSql } from '#adapters/warehouse/bigquery/live-ids.ts';
import { appendTable, quotedName, storeDataset } from '#adapters/warehouse/bigquery/options.ts';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { missingGoogleSql, startGoogleSql, type GoogleSql } from '#tools/googlesql/client.ts';
import type { SqlStatement, SqlTable } from '#tools/googlesql/protocol.ts';
import { DATASET, PROJECT, namesOf, storedTables } from './kit.ts';

const missing = missingGoogleSql();
const ALL: readonly Table[] = Object.values(TABLES);
const options = (writes: DdlOptions['writes']): DdlOptions => {
  return { projectId: PROJECT, location: 'US', dataset: DATASET, writes, maxStalenessSeconds: 0 };
};
const store = `${DATASET}_store`;

/** The tables as insert-all makes them, beside the views in their places. */
function appended(): readonly SqlTable[] {
  return storedTables().map(({ name, columns }) => ({ name: appendTable(name), columns }));
}

/** Later statements see what a view gives. */
function asStatement(sql: string): SqlStatement {
  const made = /^CREATE OR REPLACE VIEW `[^`]+`\.`([^`]+)`\.`([^`]+)`/.exec(sql);
  return made === null ? { sql } : { sql, becomes: namesOf(made[1]!, made[2]!) };
}

describe.skipIf(missing !== null)(
  `What our adapter sends to BigQuery${missing === null ? '' : ` [skipped: ${missing}]`}`,
  () => {
    let analyzer: GoogleSql;
    beforeAll(() => {
      analyzer = startGoogleSql();
    });
    afterAll(() => analyzer.stop());

    const refused = async (tables: readonly SqlTable[], statements: readonly SqlStatement[]): Promise<string[]> => {
      const verdicts = await analyzer.analyse({ tables, statements });
      expect(verdicts).toHaveLength(statements.length);
      return verdicts.flatMap((verdict, at) =>
        verdict.ok ? [] : [`${verdict.error}: ${statements[at]?.sql.slice(0, 200) ?? ''}`],
      );
    };

    it('names datasets, tables and views, with keys, in words that GoogleSQL takes', async () => {
      const statements = ddlOf(ALL, VIEWS, options('storage-write')).map(asStatement);
      expect(statements).toHaveLength(2 + ALL.length + VIEWS.length);
      expect(await refused(storedTables(), statements)).toEqual([]);
    });

    it('names tables without keys and the views of the newest versions in their places likewise', async () => {
      const statements = ddlOf(ALL, VIEWS, options('insert-all')).map(asStatement);
      expect(statements).toHaveLength(2 + 2 * ALL.length + VIEWS.length);
      expect(await refused(appended(), statements)).toEqual([]);
    });

    it('gives the same columns by the view of the newest versions as by the table with keys', async () => {
      const tables = [...appended()];
      for (const table of ALL) {
        const [verdict] = await analyzer.analyse({
          tables,
          statements: [{ sql: newestSql(table, options('insert-all')) }],
        });
        const wanted = storedTables().find(({ name }) => name === `${store}.${table.name}`);
        expect(verdict?.ok === true ? verdict.columns.map(({ name }) => name) : verdict).toEqual(
          wanted?.columns.map(({ name }) => name),
        );
      }
    });

    it('changes tables in words that GoogleSQL takes, for a column of every type', async () => {
      const path = quotedName(PROJECT, storeDataset({ dataset: DATASET }), 'calls');
      const types = ['string', 'int64', 'float64', 'numeric', 'bool', 'timestamp', 'date', 'json'] as const;
      const fresh = types.map((type): Column => {
        return { name: `new_${type}`, type, nullable: true, description: `A "new"\n${type}.`, pii: false };
      });
      const column = (name: string, type: Column['type']): Column => {
        return { name, type, nullable: true, description: 'Said anew.', pii: false };
      };
      const statements = [
        ...fresh.map((each) => ALTER.addColumn(path, each)),
        ALTER.widen(path, column('duration_ms', 'numeric')),
        ALTER.widen(path, column('duration_ms', 'float64')),
        ALTER.allowNull(path, column('state', 'string')),
        ALTER.describe(path, column('state', 'string')),
        ALTER.setOptions(path, 'Calls, said anew.', 0),
      ].map((sql) => ({ sql }));
      expect(await refused(storedTables(), statements)).toEqual([]);
    });

    it('asks every table, and the view in its place, for live ids', async () => {
      const parameters = /@(source|instance|object)/g;
      const statements = ALL.map((table) => liveIdsSql({ projectId: PROJECT, dataset: DATASET }, table))
        // This analyzer is not told of parameters: values of their types stand for them.
        .map((sql) => ({ sql: sql.replaceAll(parameters, "'x'").replaceAll('@before', '1') }));
      expect(await refused(storedTables(), statements)).toEqual([]);
    });
  },
);
