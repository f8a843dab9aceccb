/** Every table and view of ours as the service holds it, and that each takes rows: the pipeline's own tables too. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SYSTEM_COLUMNS, type Column, type Row, type Table } from '#core/ports/warehouse.ts';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { version } from '#test/contract/warehouse-things.ts';
import { startKit, STORE, type Kit } from './kit.ts';

const ALL: readonly Table[] = Object.values(TABLES);
const TAG = 'projects/acme-sales/locations/us/taxonomies/1/policyTags/2';
const BY_NAME = ALL.map((table) => [table.name, table] as const);

interface Field {
  readonly name: string;
  readonly mode: string;
  readonly description?: string;
  readonly policyTags?: { readonly names: readonly string[] };
}

async function fieldsOf(kit: Kit, name: string): Promise<readonly Field[]> {
  const { schema } = await kit.resource(`/datasets/${STORE}/tables/${name}`);
  return (schema as { readonly fields: readonly Field[] }).fields;
}

describe('made with a policy tag and a staleness', () => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await startKit([], { policyTag: TAG, maxStalenessSeconds: 900 });
    await kit.warehouse.apply(ALL, VIEWS);
  });
  afterAll(() => kit.stop());

  it.each(BY_NAME)('%s has its key, partitions, clustering, staleness and words', async (name, table) => {
    const found = await kit.resource(`/datasets/${STORE}/tables/${name}`);
    expect(found).toMatchObject({
      description: table.description,
      maxStaleness: expect.stringMatching(/^0-0 0 0:(15:0|0:900)$/) as string,
      clustering: { fields: ['source', 'object', 'id'] },
      tableConstraints: { primaryKey: { columns: ['source', 'instance', 'object', 'id'] } },
    });
    const partitioned = { type: 'DAY', field: table.partitionBy };
    expect(found['timePartitioning']).toEqual(table.partitionBy === null ? undefined : partitioned);
  });

  it.each(BY_NAME)('%s tags exactly the columns with personal data, and describes each', async (name, table) => {
    const fields = await fieldsOf(kit, name);
    const tagged = fields.filter(({ policyTags }) => policyTags !== undefined);
    expect(tagged.map((field) => field.name).sort()).toEqual(personal(table));
    for (const { policyTags } of tagged) expect(policyTags?.names).toEqual([TAG]);
    const described = new Map([...SYSTEM_COLUMNS, ...table.columns].map((column) => [column.name, column.description]));
    expect(new Map(fields.map((field) => [field.name, field.description]))).toEqual(described);
  });

  it('there is personal data to tag, and views say what they are', async () => {
    expect(ALL.filter((table) => personal(table).length > 0).length).toBeGreaterThan(3);
    for (const { name, description } of VIEWS)
      expect(await kit.resource(`/datasets/sales_intelligence/tables/${name}`)).toMatchObject({ description });
  });

  it('what was made is as planned', async () => {
    expect(await kit.warehouse.plan(ALL, VIEWS)).toEqual([]);
  });
});

function personal(table: Table): readonly string[] {
  const columns: readonly Column[] = table.columns;
  return columns
    .filter(({ pii }) => pii)
    .map(({ name }) => name)
    .sort();
}

describe.each(['storage-write', 'insert-all'] as const)('written by %s', (writes) => {
  let kit: Kit;
  beforeAll(async () => {
    kit = await startKit(ALL, { writes });
  });
  afterAll(() => kit.stop());

  it.each(BY_NAME)('%s takes a row twice and then a newer one, and holds one', async (name, table) => {
    const [older, newer] = [rowOf(table, 1), rowOf(table, 2)];
    for (const row of [older, older, newer, older]) expect(await kit.warehouse.upsert(table, [row])).toEqual([]);
    const rows = await kit.ask(`SELECT id, source_sequence, trace FROM ${STORE}.${name}`);
    expect(rows).toEqual([['one', '2', 'trace-2']]);
  });

  it('nothing is tagged where no tag is named', async () => {
    const name = writes === 'insert-all' ? 'contacts_appended' : 'contacts';
    expect((await fieldsOf(kit, name)).filter(({ policyTags }) => policyTags !== undefined)).toEqual([]);
  });
});

const VALUES: Readonly<Record<Column['type'], unknown>> = {
  string: 'text',
  int64: 7,
  float64: 0.5,
  numeric: '1.5',
  bool: true,
  timestamp: 1_767_700_000_123_456,
  date: '2026-11-26',
  json: '[1]',
};

function rowOf(table: Table, sequence: number): Row {
  return {
    key: { source: 'salesforce', instance: 'org', object: 'Thing', id: 'one' },
    version: version(sequence),
    deleted: false,
    observedAtMicros: 1_767_700_000_000_000,
    runId: null,
    trace: `trace-${sequence}`,
    values: Object.fromEntries(table.columns.map(({ name, type }) => [name, VALUES[type]])),
  };
}
