import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { bucketSettings, type BucketSettings } from '#adapters/objects/gcs-inspect.ts';

let server: Server;
let answer: { readonly status: number; readonly body: unknown };
let endpoint: string;
beforeAll(async () => {
  server = createServer((_request, response) => response.writeHead(answer.status).end(JSON.stringify(answer.body)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

function settings(status: number, body: unknown): Promise<BucketSettings | undefined> {
  answer = { status, body };
  const options = { projectId: 'acme', bucket: 'acme-tributary', endpoint, clock: systemClock, random: systemRandom };
  return bucketSettings(options, new AbortController().signal);
}

const deletion = (condition: object): object => ({ action: { type: 'Delete' }, condition });

describe('what a bucket is set to', () => {
  it.each([
    ['nothing', {}, { isVersioned: false, isPublicPrevented: undefined, deletes: [] }],
    ['versions', { versioning: { enabled: true } }, { isVersioned: true, isPublicPrevented: undefined, deletes: [] }],
    [
      'public access',
      { iamConfiguration: { publicAccessPrevention: 'inherited' } },
      { isVersioned: false, isPublicPrevented: false, deletes: [] },
    ],
    [
      'deletions by prefix, by age alone, and no deletion',
      {
        lifecycle: {
          rule: [
            deletion({ age: 1, matchesPrefix: ['objects/claims/'] }),
            deletion({ age: 1 }),
            { action: { type: 'SetStorageClass' } },
          ],
        },
      },
      { isVersioned: false, isPublicPrevented: undefined, deletes: ['objects/claims/', ''] },
    ],
  ])('is read: %s', async (_, body, expected) => {
    // prettier-ignore
    expect(await settings(200, body)).toEqual(expected);
  });

  it('cannot be seen by who may not', async () => {
    expect(await settings(403, {})).toBeUndefined();
  });

  it('is nothing without a bucket', async () => {
    await expect(settings(404, {})).rejects.toMatchObject({ code: 'bucket_missing' });
  });
});
