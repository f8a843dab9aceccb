/** Checkpoints and larger objects, where the settings say. */
import { join } from 'node:path';
import { openFileObjects } from '#adapters/objects/files.ts';
import { openSqliteStore } from '#adapters/store/sqlite.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { StorePort } from '#core/ports/store.ts';
import type { RuntimeConfig } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';

export interface Storage {
  readonly store: StorePort;
  readonly objects: ObjectsPort;
}

export async function openStorage({ 'state.folder': folder }: RuntimeConfig, lifecycle: Lifecycle): Promise<Storage> {
  const store = openSqliteStore(join(folder, 'store.sqlite'));
  lifecycle.onStop('store', async () => store.close());
  return { store, objects: await openFileObjects(join(folder, 'objects')) };
}
