/** Routes of datasets, tables and their rows. */
import type { Express, Request } from 'express';
import type { TableAdmin } from '../catalog/admin.ts';
import { nameOf, datasetNameOf, type Dataset, type DatasetRef, type Table, type TableRef } from '../catalog/catalog.ts';
import type { Faults } from '../faults.ts';
import { jsonOf, textOf, type Json } from '../json.ts';
import { Refused, invalid } from '../refused.ts';
import type { Store } from '../store/store.ts';
import { datasetSettings, dropDataset, newDataset } from './datasets.ts';
import { InsertIds, readRows } from './insert-all.ts';
import { instantFormat, pageOf, pageRequest } from './pages.ts';
import { datasetJson, etagOf, tableItemJson, tableJson } from './resources.ts';
import type { Answer } from './answer.ts';

export interface Parts {
  readonly store: Store;
  readonly admin: TableAdmin;
  readonly faults: Faults;
  readonly nowMs: () => number;
}

export function datasetRef(request: Request): DatasetRef {
  const { project, dataset } = request.params as Record<string, string>;
  return { projectId: project!, datasetId: dataset! };
}

export function tableRef(request: Request): TableRef {
  return { ...datasetRef(request), tableId: (request.params as Record<string, string>).table! };
}

function denyWrites(faults: Faults, ref: DatasetRef & { tableId?: string }, permission: string): void {
  if (faults.denies(ref.datasetId, ref.tableId ?? ''))
    throw new Refused(
      403,
      'accessDenied',
      `Access Denied: ${ref.tableId === undefined ? `Dataset ${datasetNameOf(ref)}` : `Table ${nameOf({ ...ref, tableId: ref.tableId })}`}: Permission ${permission} denied (or it may not exist).`,
    );
}

/** A change on condition of an etag, which is how two writers of a resource keep out of each other's way. */
function checkEtag(request: Request, of: Dataset | Table): void {
  const wanted = request.headers['if-match'];
  if (wanted !== undefined && wanted !== '*' && wanted !== etagOf(of))
    throw new Refused(412, 'conditionNotMet', 'Precondition check failed.');
}

export function mountDatasets(app: Express, base: string, parts: Parts, answer: Answer): void {
  const { store, faults, nowMs } = parts;
  const one = `${base}/projects/:project/datasets/:dataset`;
  app.get(
    `${base}/projects/:project/datasets`,
    answer(async (request) => {
      const datasets = store.catalog.datasets((request.params as Record<string, string>).project!);
      return {
        kind: 'bigquery#datasetList',
        ...(datasets.length === 0
          ? {}
          : {
              datasets: datasets.map((dataset) => {
                const { kind, id, datasetReference, location } = datasetJson(dataset);
                return { kind, id, datasetReference, location };
              }),
            }),
      };
    }),
  );
  app.post(
    `${base}/projects/:project/datasets`,
    answer(async (request, body) => {
      const projectId = (request.params as Record<string, string>).project!;
      const reference = jsonOf(body.datasetReference, 'datasetReference');
      const dataset = newDataset(
        { projectId, datasetId: textOf(reference.datasetId, 'datasetReference.datasetId') },
        body,
        nowMs(),
      );
      denyWrites(faults, dataset.ref, 'bigquery.datasets.create');
      await store.catalog.addDataset(dataset);
      return datasetJson(dataset);
    }),
  );
  app.get(
    one,
    answer(async (request) => datasetJson(store.catalog.dataset(datasetRef(request)))),
  );
  const change = (replaces: boolean) =>
    answer(async (request, body) => {
      const dataset = store.catalog.dataset(datasetRef(request));
      checkEtag(request, dataset);
      denyWrites(faults, dataset.ref, 'bigquery.datasets.update');
      const changed = {
        ...dataset,
        settings: datasetSettings(replaces ? {} : dataset.settings, body),
        modifiedMs: Math.max(nowMs(), dataset.modifiedMs + 1),
      };
      await store.catalog.putDataset(changed);
      return datasetJson(changed);
    });
  app.patch(one, change(false));
  app.put(one, change(true));
  app.delete(
    one,
    answer(async (request) => {
      denyWrites(faults, datasetRef(request), 'bigquery.datasets.delete');
      await dropDataset(parts, datasetRef(request), request.query.deleteContents === 'true');
      return null;
    }),
  );
}

export function mountTables(app: Express, base: string, parts: Parts, answer: Answer): void {
  const { store, admin, faults } = parts;
  const all = `${base}/projects/:project/datasets/:dataset/tables`;
  const locationOf = (table: Table) => store.catalog.dataset(table.ref).location;
  const shown = async (table: Table) =>
    tableJson(table, locationOf(table), table.kind === 'VIEW' ? null : await countRows(store, table));
  app.get(
    all,
    answer(async (request) => {
      store.catalog.dataset(datasetRef(request));
      const tables = store.catalog.tables(datasetRef(request));
      const { maxResults, offset } = pageRequest(request.query, {});
      const page = tables.slice(offset, offset + maxResults);
      const next =
        offset + page.length < tables.length
          ? { nextPageToken: Buffer.from(String(offset + page.length)).toString('base64url') }
          : {};
      return {
        kind: 'bigquery#tableList',
        ...(page.length === 0 ? {} : { tables: page.map(tableItemJson) }),
        totalItems: tables.length,
        ...next,
      };
    }),
  );
  app.post(
    all,
    answer(async (request, body) => {
      const reference = jsonOf(body.tableReference, 'tableReference');
      const ref = { ...datasetRef(request), tableId: textOf(reference.tableId, 'tableReference.tableId') };
      denyWrites(faults, ref, 'bigquery.tables.create');
      return shown(await admin.create(ref, body));
    }),
  );
  app.get(
    `${all}/:table`,
    answer(async (request) => shown(store.catalog.table(tableRef(request)))),
  );
  const change = (replaces: boolean) =>
    answer(async (request, body) => {
      const table = store.catalog.table(tableRef(request));
      checkEtag(request, table);
      denyWrites(faults, table.ref, 'bigquery.tables.update');
      return shown(await admin.change(table, body, replaces));
    });
  app.patch(`${all}/:table`, change(false));
  app.put(`${all}/:table`, change(true));
  app.delete(
    `${all}/:table`,
    answer(async (request) => {
      const table = store.catalog.table(tableRef(request));
      denyWrites(faults, table.ref, 'bigquery.tables.delete');
      await admin.drop(table);
      return null;
    }),
  );
}

export function mountRows(app: Express, base: string, parts: Parts, answer: Answer): void {
  const { store, faults, nowMs } = parts;
  const one = `${base}/projects/:project/datasets/:dataset/tables/:table`;
  const insertIds = new InsertIds();
  app.post(
    `${one}/insertAll`,
    answer(async (request, body) => {
      const ref = tableRef(request);
      denyWrites(faults, ref, 'bigquery.tables.updateData');
      if (faults.switches.isQuotaExceeded)
        throw new Refused(
          403,
          'quotaExceeded',
          'Exceeded rate limits: too many bytes per project for streaming inserts',
        );
      const table = store.catalog.table(ref);
      if (table.kind === 'VIEW') throw invalid(`Cannot add rows to a view: ${nameOf(ref)}.`);
      const delayMs = faults.switches.schemaDelayMs;
      const columns = table.fields.filter(
        (field) => delayMs === 0 || nowMs() >= (table.addedMs[field.name] ?? -Infinity) + delayMs,
      );
      const { rows, insertErrors } = readRows(table, columns, body);
      const items = insertErrors.length === 0 ? (body.rows as readonly { insertId?: unknown }[]) : [];
      const given = items.map(({ insertId }) => insertId);
      await store.append(table, insertIds.unseen(table, rows, given, nowMs()));
      insertIds.remember(table, given, nowMs());
      return { kind: 'bigquery#tableDataInsertAllResponse', ...(insertErrors.length === 0 ? {} : { insertErrors }) };
    }),
  );
  app.get(
    `${one}/data`,
    answer(async (request) => {
      const table = store.catalog.table(tableRef(request));
      if (table.kind === 'VIEW') throw invalid(`Cannot list a table of type VIEW.`);
      const totalRows = await countRows(store, table);
      const query = request.query as Json;
      const page = { ...pageRequest(query, {}), instants: instantFormat(query) };
      const read = async (offset: number, limit: number) =>
        (
          await store.database.exclusive((writer) =>
            writer.runAndReadAll(`SELECT * FROM ${store.rows(table).relation()} LIMIT ${limit} OFFSET ${offset}`),
          )
        ).getRows();
      const { rows, nextToken } = await pageOf(table.fields, totalRows, page, read);
      return {
        kind: 'bigquery#tableDataList',
        totalRows: String(totalRows),
        ...(rows.length === 0 ? {} : { rows }),
        ...(nextToken === null ? {} : { pageToken: nextToken }),
      };
    }),
  );
}

async function countRows(store: Store, table: Table): Promise<number> {
  await store.settle(table);
  const counted = await store.database.exclusive((writer) =>
    writer.runAndReadAll(`SELECT count(*) FROM ${store.rows(table).relation()}`),
  );
  return Number(counted.getRows()[0]?.[0] ?? 0);
}
