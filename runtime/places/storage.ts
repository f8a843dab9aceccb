/** Checkpoints and larger objects, where the settings say. */
import { join } from 'node:path';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { openFileObjects } from '#adapters/objects/files.ts';
import type { GcsOptions } from '#adapters/objects/gcs-wire.ts';
import { openSqliteStore } from '#adapters/store/sqlite.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { StorePort } from '#core/ports/store.ts';
import { projectOf, type RuntimeConfig } from '../config.ts';
import type { Lifecycle } from '../lifecycle.ts';

export interface Storage {
  readonly store: StorePort;
  readonly objects: ObjectsPort;
}

export function openStorage(config: RuntimeConfig, lifecycle: Lifecycle): Promise<Storage> {
  return config.storage === 'files' ? files(config, lifecycle) : bucket(config, lifecycle);
}

async function files({ 'state.folder': folder }: RuntimeConfig, lifecycle: Lifecycle): Promise<Storage> {
  const store = openSqliteStore(join(folder, 'store.sqlite'));
  lifecycle.onStop('store', async () => store.close());
  return { store, objects: await openFileObjects(join(folder, 'objects')) };
}

async function bucket(config: RuntimeConfig, lifecycle: Lifecycle): Promise<Storage> {
  const [{ openGcsStore }, { openGcsObjects }] = await Promise.all([
    import('#adapters/store/gcs.ts'),
    import('#adapters/objects/gcs.ts'),
  ]);
  const options = gcsOptions(config);
  const pace = options.endpoint === undefined ? {} : { writesApartMs: 0 };
  const [store, objects] = [openGcsStore({ ...options, ...pace }), openGcsObjects(options)];
  lifecycle.onStop('objects', () => objects.close());
  lifecycle.onStop('store', () => store.close());
  return { store, objects };
}

export function gcsOptions(config: RuntimeConfig): GcsOptions {
  const endpoint = config['gcs.endpoint'];
  return {
    projectId: projectOf(config),
    bucket: config['gcs.bucket'] ?? '',
    clock: systemClock,
    random: systemRandom,
    ...(endpoint === null ? {} : { endpoint }),
  };
}
