/** Makes, changes and drops tables and views, whether REST or DDL asked: checks first, then the rows' columns, then the catalog. */
import { jsonOf, isJson, textOf, type Json } from '../json.ts';
import { Refused, invalid } from '../refused.ts';
import { duckTypeOf, quoted } from '../store/duck-types.ts';
import type { Store } from '../store/store.ts';
import { nameOf, type Table, type TableRef } from './catalog.ts';
import { evolved } from './evolve.ts';
import { fieldNamed, fieldsOf, type Field } from './fields.ts';
import { checkSettings, primaryKeyOf, settingsAfter, stalenessMs } from './settings.ts';

/** Says what columns a view has; throws what is wrong with its SQL. */
export type ViewReader = (query: string, ref: TableRef) => Promise<readonly Field[]>;

export class TableAdmin {
  readonly #store: Store;
  readonly #nowMs: () => number;
  readonly #readView: ViewReader;

  constructor(store: Store, nowMs: () => number, readView: ViewReader) {
    this.#store = store;
    this.#nowMs = nowMs;
    this.#readView = readView;
  }

  /** From a table resource as tables.insert takes it. */
  async create(ref: TableRef, request: Json): Promise<Table> {
    const { catalog } = this.#store;
    catalog.dataset(ref);
    if (!/^[\p{L}\p{N}\p{M}\p{Pc}\p{Pd} ]{1,1024}$/u.test(ref.tableId))
      throw invalid(`Invalid table ID "${ref.tableId}".`);
    if (catalog.findTable(ref) !== undefined)
      throw new Refused(409, 'duplicate', `Already Exists: Table ${nameOf(ref)}`);
    const query = queryOf(request);
    const fields =
      query === null ? fieldsOf(isJson(request.schema) ? request.schema.fields : []) : await this.#readView(query, ref);
    const settings = settingsAfter({}, request);
    if (query === null) checkSettings(settings, fields);
    const nowMs = this.#nowMs();
    const table: Table = {
      ref,
      kind: query === null ? 'TABLE' : 'VIEW',
      storeId: catalog.nextStoreId(),
      fields,
      primaryKey: primaryKeyOf(request, fields) ?? [],
      query,
      maxStalenessMs: stalenessMs(settings.maxStaleness),
      settings,
      createdMs: nowMs,
      modifiedMs: nowMs,
      addedMs: {},
    };
    if (table.kind === 'TABLE') await this.#store.create(table);
    await catalog.addTable(table);
    return table;
  }

  /** tables.patch; with `replaces`, tables.update: what the request does not name is unset. */
  async change(table: Table, request: Json, replaces = false): Promise<Table> {
    const query = queryOf(request) ?? table.query;
    if ((query === null) !== (table.query === null))
      throw invalid(`Cannot change ${nameOf(table.ref)} between a table and a view.`);
    const settings = settingsAfter(replaces ? {} : table.settings, request);
    const fields = query === null ? this.#fieldsAfter(table, request) : await this.#readView(query, table.ref);
    if (query === null) checkSettings(settings, fields);
    if (JSON.stringify(partitioningOf(table.settings)) !== JSON.stringify(partitioningOf(settings)))
      throw invalid(`Cannot change partitioning/clustering spec of table ${nameOf(table.ref)}.`);
    const primaryKey = primaryKeyOf(request, fields) ?? (replaces ? [] : table.primaryKey);
    return this.reshape(table, {
      ...table,
      query,
      fields,
      primaryKey,
      settings,
      maxStalenessMs: stalenessMs(settings.maxStaleness),
    });
  }

  /** Brings the stored rows from one shape to another; columns may be new, gone or of another type. */
  async reshape(old: Table, wanted: Table): Promise<Table> {
    const nowMs = this.#nowMs();
    const fresh = wanted.fields.filter((field) => fieldNamed(old.fields, field.name) === undefined);
    const addedMs = { ...old.addedMs, ...Object.fromEntries(fresh.map((field) => [field.name, nowMs])) };
    const table: Table = { ...wanted, addedMs, modifiedMs: Math.max(nowMs, old.modifiedMs + 1) };
    if (table.kind === 'TABLE') {
      const rows = this.#store.rows(old);
      if (old.primaryKey.join() !== table.primaryKey.join()) await rows.apply(nowMs, nowMs);
      await rows.reshape(table, statements(old.fields, table.fields));
    }
    await this.#store.catalog.putTable(table);
    return table;
  }

  async drop(table: Table): Promise<void> {
    await this.#store.catalog.removeTable(table.ref);
    if (table.kind === 'TABLE') await this.#store.drop(table);
  }

  #fieldsAfter(table: Table, request: Json): readonly Field[] {
    if (!isJson(request.schema)) return table.fields;
    return evolved(nameOf(table.ref), table.fields, fieldsOf(request.schema.fields));
  }
}

function queryOf(request: Json): string | null {
  if (request.view === undefined || request.view === null) return null;
  const view = jsonOf(request.view, 'view');
  if (view.useLegacySql !== false)
    throw invalid('Views in legacy SQL are not simulated: set view.useLegacySql to false.');
  return textOf(view.query, 'view.query');
}

function partitioningOf(settings: Json): unknown {
  const { timePartitioning: given } = settings;
  return isJson(given) ? [given.type, given.field] : null;
}

/** DuckDB's statements for the change, `{}` for the table. */
function statements(old: readonly Field[], wanted: readonly Field[]): readonly string[] {
  const added = wanted.filter((field) => fieldNamed(old, field.name) === undefined);
  const gone = old.filter((field) => fieldNamed(wanted, field.name) === undefined);
  const retyped = wanted.filter((field) => {
    const before = fieldNamed(old, field.name);
    return before !== undefined && duckTypeOf(before) !== duckTypeOf(field);
  });
  return [
    ...gone.map((field) => `ALTER TABLE {} DROP COLUMN ${quoted(field.name)}`),
    ...retyped.map((field) => `ALTER TABLE {} ALTER COLUMN ${quoted(field.name)} SET DATA TYPE ${duckTypeOf(field)}`),
    ...added.map((field) => `ALTER TABLE {} ADD COLUMN ${quoted(field.name)} ${duckTypeOf(field)}`),
  ];
}
