/** Runs statements that are no queries: definitions of datasets, tables and views. Changes of rows are not simulated. */
import type { TableAdmin } from '../catalog/admin.ts';
import type { DatasetRef, Table, TableRef } from '../catalog/catalog.ts';
import { fieldNamed, fieldsOf, type Field, type FieldType } from '../catalog/fields.ts';
import { settingsAfter, stalenessMs } from '../catalog/settings.ts';
import { isJson } from '../json.ts';
import { invalidQuery, notSimulated } from '../refused.ts';
import { dropDataset, newDataset } from '../rest/datasets.ts';
import type { Store } from '../store/store.ts';
import { definitionOf, type Change, type Definition } from './definitions.ts';
import type { QueryRequest } from './engine.ts';
import type { Defaults } from './relations.ts';
import type { Statement } from './statement.ts';

/** What ALTER COLUMN SET DATA TYPE converts in place, https://cloud.google.com/bigquery/docs/managing-table-schemas */
const WIDENINGS: Readonly<Partial<Record<FieldType, readonly FieldType[]>>> = {
  INTEGER: ['NUMERIC', 'BIGNUMERIC', 'FLOAT'],
  NUMERIC: ['BIGNUMERIC', 'FLOAT'],
};

export class StatementRunner {
  readonly #store: Store;
  readonly #admin: TableAdmin;
  readonly #nowMs: () => number;

  constructor(store: Store, admin: TableAdmin, nowMs: () => number) {
    this.#store = store;
    this.#admin = admin;
    this.#nowMs = nowMs;
  }

  /** Says how many rows were changed; null for a definition. With `isDryRun` only looks whether it could be run. */
  async run(statement: Statement, request: QueryRequest, isDryRun: boolean): Promise<number | null> {
    const isDefinition = /^(CREATE|ALTER|DROP)_(TABLE|VIEW|SCHEMA)$/.test(statement.type);
    if (!isDefinition) {
      if (isDryRun) return null;
      throw notSimulated(`${statement.type}: changing rows by SQL`);
    }
    const definition = definitionOf(statement.sql, statement.nodes);
    if (!isDryRun) await this.#define(definition, request.defaults);
    return null;
  }

  async #define(definition: Definition, defaults: Defaults): Promise<void> {
    switch (definition.kind) {
      case 'create dataset':
        return this.#createDataset(definition, defaults);
      case 'create table':
      case 'create view':
        return this.#create(definition, tableRef(definition.path, defaults));
      case 'alter table':
        return this.#alter(this.#store.catalog.table(tableRef(definition.path, defaults)), definition.changes);
      case 'drop':
        return this.#drop(definition, defaults);
    }
  }

  async #createDataset(
    { path, ifAbsent, resource }: Extract<Definition, { kind: 'create dataset' }>,
    defaults: Defaults,
  ): Promise<void> {
    const { catalog } = this.#store;
    const ref = datasetRef(path, defaults);
    const isThere = catalog.datasets(ref.projectId).some((dataset) => dataset.ref.datasetId === ref.datasetId);
    if (ifAbsent && isThere) return;
    await catalog.addDataset(newDataset(ref, resource, this.#nowMs()));
  }

  async #create(
    { ifAbsent, orReplace, resource }: Extract<Definition, { kind: 'create table' | 'create view' }>,
    ref: TableRef,
  ): Promise<void> {
    const old = this.#store.catalog.findTable(ref);
    if (old !== undefined && ifAbsent) return;
    if (old !== undefined && orReplace) await this.#admin.drop(old);
    await this.#admin.create(ref, resource);
  }

  async #alter(table: Table, changes: readonly Change[]): Promise<void> {
    let wanted = table;
    for (const change of changes) wanted = altered(wanted, change);
    await this.#admin.reshape(table, wanted);
  }

  async #drop(
    { what, path, ifPresent, cascade }: Extract<Definition, { kind: 'drop' }>,
    defaults: Defaults,
  ): Promise<void> {
    const { catalog } = this.#store;
    if (what === 'SCHEMA') {
      const ref = datasetRef(path, defaults);
      const isThere = catalog.datasets(ref.projectId).some((dataset) => dataset.ref.datasetId === ref.datasetId);
      if (ifPresent && !isThere) return;
      return dropDataset({ store: this.#store, admin: this.#admin }, ref, cascade);
    }
    const ref = tableRef(path, defaults);
    if (ifPresent && catalog.findTable(ref) === undefined) return;
    const table = catalog.table(ref);
    if (table.kind !== what) throw invalidQuery(`Cannot drop ${ref.tableId} as a ${what}: it is a ${table.kind}`);
    await this.#admin.drop(table);
  }
}

function altered(table: Table, change: Change): Table {
  if (change.kind === 'set options') {
    const settings = settingsAfter(table.settings, change.options);
    return { ...table, settings, maxStalenessMs: stalenessMs(settings.maxStaleness) };
  }
  if (change.kind === 'add column') return withColumn(table, change);
  const old = fieldNamed(table.fields, change.column);
  if (old === undefined) throw invalidQuery(`Column not found: ${change.column}`);
  const changed = changedField(old, change);
  return { ...table, fields: table.fields.map((field) => (field === old ? changed : field)) };
}

function withColumn(table: Table, { field: given, ifAbsent }: Extract<Change, { kind: 'add column' }>): Table {
  const [field] = fieldsOf([given]) as [Field];
  if (fieldNamed(table.fields, field.name) !== undefined) {
    if (ifAbsent) return table;
    throw invalidQuery(`Column already exists: ${field.name}`);
  }
  if (field.mode === 'REQUIRED') throw invalidQuery(`Cannot add required columns to an existing table: ${field.name}`);
  return { ...table, fields: [...table.fields, field] };
}

function changedField(field: Field, change: Exclude<Change, { kind: 'set options' | 'add column' }>): Field {
  if (change.kind === 'drop not null') return { ...field, mode: field.mode === 'REQUIRED' ? 'NULLABLE' : field.mode };
  if (change.kind === 'set column options') {
    const rest = Object.fromEntries(
      Object.entries({ ...field.rest, ...change.options }).filter(([, value]) => value !== null),
    );
    return { ...field, rest: isJson(rest) ? rest : {} };
  }
  if (change.type !== field.type && WIDENINGS[field.type]?.includes(change.type) !== true)
    throw invalidQuery(
      `ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type (${field.type}) is assignable to the new type (${change.type})`,
    );
  return { ...field, type: change.type };
}

function datasetRef(path: readonly string[], defaults: Defaults): DatasetRef {
  const [datasetId, projectId = defaults.projectId] = [...path].reverse();
  if (datasetId === undefined || path.length > 2) throw invalidQuery(`Invalid dataset name: ${path.join('.')}`);
  return { projectId, datasetId };
}

function tableRef(path: readonly string[], defaults: Defaults): TableRef {
  const [tableId, datasetId = defaults.datasetId, projectId = defaults.projectId] = [...path].reverse();
  if (tableId === undefined || datasetId === null || path.length > 3)
    throw invalidQuery(`Table "${path.join('.')}" must be qualified with a dataset (e.g. dataset.table).`);
  return { projectId, datasetId, tableId };
}
