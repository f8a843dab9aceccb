/** Rights as the service tells them, from a server that knows nothing else: the emulator has none. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { loadPackageDefinition, Server, ServerCredentials, type sendUnaryData, type ServerUnaryCall, type ServiceDefinition } from '@grpc/grpc-js'; // prettier-ignore
import { fromJSON } from '@grpc/proto-loader';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openInspector, type Inspector } from '#adapters/broker/pubsub/inspect.ts';
import { spec } from './kit.ts';

process.env['METADATA_SERVER_DETECTION'] ??= 'none';

const AGENT = 'serviceAccount:service-123@gcp-sa-pubsub.iam.gserviceaccount.com';
const DENIED = 7;

type Answer = sendUnaryData<unknown>;
interface Asked {
  readonly resource: string;
  readonly permissions?: readonly string[];
}

/** By name of the resource: roles of members, or permissions of the caller; a number is a status. */
let policies: Map<string, Readonly<Record<string, readonly string[]>> | number>;
let permissions: Map<string, readonly string[] | number>;
let server: Server;
let inspector: Inspector;

beforeEach(async () => {
  policies = new Map();
  permissions = new Map();
  server = new Server();
  server.addService(iamService(), {
    GetIamPolicy({ request: { resource } }: ServerUnaryCall<Asked, unknown>, answer: Answer) {
      const found = policies.get(shortOf(resource)) ?? {};
      if (typeof found === 'number') return answer({ code: found, details: '' });
      answer(null, { bindings: Object.entries(found).map(([role, members]) => ({ role, members })) });
    },
    TestIamPermissions({ request: { resource } }: ServerUnaryCall<Asked, unknown>, answer: Answer) {
      const found = permissions.get(shortOf(resource)) ?? [];
      if (typeof found === 'number') return answer({ code: found, details: '' });
      answer(null, { permissions: found });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  inspector = openInspector({ projectId: 'acme', emulator: `127.0.0.1:${port}` });
});
afterEach(async () => {
  await inspector.close();
  server.forceShutdown();
});

function shortOf(resource: string): string {
  return resource.slice(resource.lastIndexOf('/') + 1);
}

function iamService(): ServiceDefinition {
  // The client brings the service's definition with its transport.
  const from = createRequire(createRequire(import.meta.url).resolve('@google-cloud/pubsub'));
  const path = from.resolve('google-gax').replace(/(google-gax).*$/, '$1/build/protos/iam_service.json');
  const protos = JSON.parse(readFileSync(path, 'utf8')) as object;
  const loaded = loadPackageDefinition(fromJSON(protos)) as unknown as {
    google: { iam: { v1: { IAMPolicy: { service: ServiceDefinition } } } };
  };
  return loaded.google.iam.v1.IAMPolicy.service;
}

const [work, givenUp] = [
  spec('raw.x', { name: 'work' }),
  spec('dead-letter.reader', { name: 'given-up', lane: 'any' }),
];
const TOPICS = ['raw.x', 'dead-letter.reader'];

describe("Pub/Sub's own agent", () => {
  it('needs a role on dead-letter topics and on subscriptions of work, and nowhere else', async () => {
    expect(await inspector.agentLacks(TOPICS, [work, givenUp])).toEqual(['dead-letter.reader', 'work']);
    policies.set('dead-letter.reader', { 'roles/pubsub.publisher': [AGENT] });
    policies.set('work', { 'roles/pubsub.subscriber': [AGENT] });
    expect(await inspector.agentLacks(TOPICS, [work, givenUp])).toEqual([]);
  });

  it.each([
    ['another role', { 'roles/pubsub.viewer': [AGENT] }],
    ['the role of another', { 'roles/pubsub.publisher': ['serviceAccount:service-123@acme.example'] }],
  ])('lacks it with %s', async (_, policy) => {
    policies.set('dead-letter.reader', policy);
    expect(await inspector.agentLacks(TOPICS, [])).toEqual(['dead-letter.reader']);
  });

  it('cannot be seen by who may not look at policies', async () => {
    policies.set('dead-letter.reader', DENIED);
    expect(await inspector.agentLacks(TOPICS, [work])).toBeUndefined();
  });
});

describe('this account', () => {
  it('lacks what it may not publish to and what it may not pull from', async () => {
    permissions.set('raw.x', ['pubsub.topics.publish']);
    permissions.set('given-up', ['pubsub.subscriptions.consume']);
    expect(await inspector.accountLacks(TOPICS, [work, givenUp])).toEqual(['dead-letter.reader', 'work']);
  });

  it('is not said to lack what is not there, which is told elsewhere', async () => {
    permissions.set('raw.x', 5);
    expect(await inspector.accountLacks(['raw.x'], [])).toEqual([]);
  });
});
