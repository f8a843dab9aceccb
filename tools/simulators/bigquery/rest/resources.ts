/** Datasets and tables as REST shows them. */
import { createHash } from 'node:crypto';
import { datasetNameOf, nameOf, type Dataset, type Table } from '../catalog/catalog.ts';
import { fieldJson } from '../catalog/fields.ts';
import type { Json } from '../json.ts';

export function etagOf(of: Dataset | Table): string {
  return createHash('sha256').update(JSON.stringify(of)).digest('base64').slice(0, 22);
}

export function datasetJson(dataset: Dataset): Json {
  const { ref, createdMs, modifiedMs, location, settings } = dataset;
  return {
    kind: 'bigquery#dataset',
    etag: etagOf(dataset),
    id: datasetNameOf(ref),
    selfLink: `https://bigquery.googleapis.com/bigquery/v2/projects/${ref.projectId}/datasets/${ref.datasetId}`,
    datasetReference: ref,
    creationTime: String(createdMs),
    lastModifiedTime: String(modifiedMs),
    location,
    type: 'DEFAULT',
    ...settings,
  };
}

export function tableJson(table: Table, location: string, numRows: number | null): Json {
  const { ref, fields, query, primaryKey, settings } = table;
  return {
    kind: 'bigquery#table',
    etag: etagOf(table),
    id: nameOf(ref),
    selfLink: `https://bigquery.googleapis.com/bigquery/v2/projects/${ref.projectId}/datasets/${ref.datasetId}/tables/${ref.tableId}`,
    tableReference: ref,
    schema: { fields: fields.map(fieldJson) },
    ...(numRows === null ? {} : { numRows: String(numRows), numBytes: '0' }),
    creationTime: String(table.createdMs),
    lastModifiedTime: String(table.modifiedMs),
    type: table.kind,
    location,
    ...(query === null ? {} : { view: { query, useLegacySql: false } }),
    ...(primaryKey.length === 0 ? {} : { tableConstraints: { primaryKey: { columns: primaryKey } } }),
    ...settings,
  };
}

/** An item of tables.list, which tells less. */
export function tableItemJson(table: Table): Json {
  const { ref, settings } = table;
  const { timePartitioning, clustering, labels } = settings;
  return {
    kind: 'bigquery#table',
    id: nameOf(ref),
    tableReference: ref,
    type: table.kind,
    creationTime: String(table.createdMs),
    ...(timePartitioning === undefined ? {} : { timePartitioning }),
    ...(clustering === undefined ? {} : { clustering }),
    ...(labels === undefined ? {} : { labels }),
    ...(table.query === null ? {} : { view: { useLegacySql: false } }),
  };
}
