/** Datasets: made, changed and dropped with all that is in them, whether REST or DDL asked. */
import type { TableAdmin } from '../catalog/admin.ts';
import { datasetNameOf, type Dataset, type DatasetRef } from '../catalog/catalog.ts';
import { textOr, type Json } from '../json.ts';
import { Refused, invalid } from '../refused.ts';
import type { Store } from '../store/store.ts';

const DATASET_SETTINGS = [
  'description',
  'friendlyName',
  'labels',
  'defaultTableExpirationMs',
  'defaultPartitionExpirationMs',
  'access',
  'maxTimeTravelHours',
  'defaultCollation',
  'isCaseInsensitive',
  'storageBillingModel',
];

export function datasetSettings(old: Json, request: Json): Json {
  const settings: Record<string, unknown> = { ...old };
  for (const name of DATASET_SETTINGS) {
    if (request[name] === null) delete settings[name];
    else if (request[name] !== undefined) settings[name] = request[name];
  }
  return settings;
}

export function newDataset(ref: DatasetRef, request: Json, nowMs: number): Dataset {
  if (!/^[A-Za-z0-9_]{1,1024}$/.test(ref.datasetId))
    throw invalid(
      `Invalid dataset ID "${ref.datasetId}". Dataset IDs must be alphanumeric (plus underscores) and must be at most 1024 characters long.`,
    );
  return {
    ref,
    location: textOr(request.location, 'US'),
    settings: datasetSettings({}, request),
    createdMs: nowMs,
    modifiedMs: nowMs,
  };
}

export async function dropDataset(
  parts: { readonly store: Store; readonly admin: TableAdmin },
  ref: DatasetRef,
  withTables: boolean,
): Promise<void> {
  const { store, admin } = parts;
  store.catalog.dataset(ref);
  const tables = store.catalog.tables(ref);
  if (tables.length > 0 && !withTables)
    throw new Refused(400, 'resourceInUse', `Dataset ${datasetNameOf(ref)} is still in use`);
  for (const table of tables) await admin.drop(table);
  await store.catalog.removeDataset(ref);
}
