/** Google's side of each port for a river, where the test runs in the project `google`. */
import { inject } from 'vitest';
import { createBucket } from '#tools/emulators/gcs.ts';
import type { Values } from '#runtime/settings.ts';
import type { Google } from './google-setup.ts';

/** Undefined on the embedded adapters. */
export function google(): Google | undefined {
  // Not provided in the other project.
  const provided = inject('google') as Google | { readonly missing: string } | null | undefined;
  return provided === null || provided === undefined || 'missing' in provided ? undefined : provided;
}

/** Settings of a river of that name: its own project in the emulator and the simulator, its own bucket in the fake. */
export async function googleValues(name: string, stands = google()): Promise<Values> {
  if (stands === undefined) return {};
  const project = `flow-${name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')}`;
  await createBucket(stands.gcs.endpoint, project);
  return {
    broker: 'pubsub',
    warehouse: 'bigquery',
    storage: 'gcs',
    // Nobody waits for a fuller file here, and a river is idle only when nothing lingers.
    'archive.liveLingerMs': '100',
    'archive.bulkLingerMs': '200',
    'google.project': project,
    'pubsub.emulator': stands.pubsub,
    'bigquery.restUrl': stands.bigquery.restUrl,
    'bigquery.grpcEndpoint': stands.bigquery.grpcEndpoint,
    'gcs.endpoint': stands.gcs.endpoint,
    'gcs.bucket': project,
  };
}
