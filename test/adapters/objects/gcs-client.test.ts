/** Why the adapters do not use the `File` methods of Google's client. Whoever sees one of these fail may have them back. */
import { Storage } from '@google-cloud/storage';
import { PassThroughClient } from 'google-auth-library';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { BINARY, MISSING, newBucket } from '#test/kit/fake-gcs.ts';
import { inTurn, isDelete, isUpload, NONE, startGcsProxy, type GcsProxy } from '#test/kit/gcs-proxy.ts';
import { startFakeGcs, type FakeGcs } from '#tools/emulators/gcs.ts';

describe.skipIf(BINARY === undefined)(`Google's own client, 8.4.0${MISSING}`, () => {
  let fake: FakeGcs;
  let proxy: GcsProxy;
  beforeAll(async () => {
    fake = await startFakeGcs(BINARY ?? '');
    proxy = await startGcsProxy(fake.endpoint);
  });
  afterAll(async () => {
    await proxy.stop();
    await fake.stop();
  });

  async function fileOf(name: string) {
    const { bucket } = await newBucket(fake.endpoint);
    const storage = new Storage({
      projectId: 'local',
      apiEndpoint: proxy.endpoint,
      authClient: new PassThroughClient(),
      timeout: 50,
      retryOptions: { autoRetry: false },
    });
    return storage.bucket(bucket).file(name);
  }

  it('waits for a silent server beyond any timeout it was given', async () => {
    const file = await fileOf('a');
    proxy.fault = () => ({ kind: 'hung' });
    const saving = file.save('x', { resumable: false, timeout: 50 }).then(
      () => 'done',
      () => 'failed',
    );
    expect(await Promise.race([saving, systemClock.sleep(500).then(() => 'hung')])).toBe('hung');
    proxy.fault = () => NONE;
  });

  it('deletes what it wrote, without a precondition, when the checksum in the answer differs', async () => {
    const file = await fileOf('a');
    const alter = (body: Buffer): Buffer =>
      Buffer.from(body.toString().replace(/"crc32c":"[^"]+"/, '"crc32c":"AAAAAA=="'));
    proxy.fault = inTurn(isUpload, { kind: 'altered', alter });
    await expect(file.save('x', { resumable: false })).rejects.toThrow();
    const deleted = proxy.seen.find(isDelete);
    expect(deleted?.url).toBeDefined();
    expect(deleted?.url).not.toContain('ifGenerationMatch');
  });
});
