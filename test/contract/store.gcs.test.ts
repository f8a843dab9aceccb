import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { openGcsStore } from '#adapters/store/gcs.ts';
import { BINARY, MISSING, newBucket } from '#test/kit/fake-gcs.ts';
import { startFakeGcs, type FakeGcs } from '#tools/emulators/gcs.ts';
import { describeStoreContract } from './store.ts';

describe.skipIf(BINARY === undefined).each(['memory', 'folder'])(
  `on the Cloud Storage fake, in %s${MISSING}`,
  (kind) => {
    let fake: FakeGcs;
    const folder = mkdtempSync(join(tmpdir(), 'tributary-gcs-'));
    beforeAll(async () => {
      fake = await startFakeGcs(BINARY ?? '', kind === 'memory' ? {} : { folder });
    });
    afterAll(async () => {
      await fake.stop();
      rmSync(folder, { recursive: true, force: true });
    });

    describeStoreContract(`gcs (${kind})`, async () => {
      const options = await newBucket(fake.endpoint);
      let store = openGcsStore(options);
      return {
        store,
        reopen: async () => {
          await store.close();
          return (store = openGcsStore({ ...options, pageSize: 2 }));
        },
        close: () => store.close(),
      };
    });
  },
);
