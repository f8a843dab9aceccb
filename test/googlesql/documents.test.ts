import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { documentedSql } from '#test/kit/documented-sql.ts';
import { missingGoogleSql, startGoogleSql, type GoogleSql } from '#tools/googlesql/client.ts';
import type { SqlTable } from '#tools/googlesql/protocol.ts';
import { DATASET, warehouseOf } from './kit.ts';

const missing = missingGoogleSql();

/** What BigQuery itself says of a dataset, as far as the documents ask for it. */
const INFORMATION_SCHEMA: SqlTable = {
  name: `${DATASET}_store.INFORMATION_SCHEMA.TABLES`,
  columns: [
    { name: 'table_name', type: 'STRING' },
    { name: 'upsert_stream_apply_watermark', type: 'TIMESTAMP' },
  ],
};

describe.skipIf(missing !== null)(
  `Documented SQL on BigQuery${missing === null ? '' : ` [skipped: ${missing}]`}`,
  () => {
    let analyzer: GoogleSql;
    let tables: readonly SqlTable[];
    beforeAll(async () => {
      analyzer = startGoogleSql();
      tables = [...(await warehouseOf(analyzer)), INFORMATION_SCHEMA];
    });
    afterAll(() => analyzer.stop());

    it.each(documentedSql('bigquery'))("$at is what Google's analyzer takes", async ({ sql }) => {
      const [verdict] = await analyzer.analyse({ tables, statements: [{ sql }] });
      expect(verdict).toMatchObject({ ok: true });
      const names = verdict?.ok === true ? verdict.columns.map(({ name }) => name) : [];
      expect(names.filter((name) => name === '' || name.startsWith('$'))).toEqual([]);
    });
  },
);
