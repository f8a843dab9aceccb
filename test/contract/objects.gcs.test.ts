import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { openGcsObjects } from '#adapters/objects/gcs.ts';
import { BINARY, MISSING, newBucket } from '#test/kit/fake-gcs.ts';
import { startFakeGcs, type FakeGcs } from '#tools/emulators/gcs.ts';
import { describeObjectsContract } from './objects.ts';

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

    describeObjectsContract(`gcs (${kind})`, async () => {
      const objects = openGcsObjects({ ...(await newBucket(fake.endpoint)), pageSize: 2 });
      return { objects, close: () => objects.close() };
    });
  },
);
