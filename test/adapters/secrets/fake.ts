/** google.cloud.secretmanager.v1.SecretManagerService on loopback, as far as a value is asked for. */
import { createRequire } from 'node:module';
import {
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServiceDefinition,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import { crc32c } from '#adapters/secrets/crc32c.ts';

export interface FakeSecrets {
  readonly endpoint: string;
  /** By full name; a number is a gRPC status, `silence` no answer, `damaged` another checksum. */
  readonly versions: Map<string, Uint8Array | number | 'silence' | 'damaged'>;
  readonly asked: string[];
  stop(): void;
}

type Call = ServerUnaryCall<{ readonly name: string }, unknown>;

export async function startFakeSecrets(): Promise<FakeSecrets> {
  const versions: FakeSecrets['versions'] = new Map();
  const asked: string[] = [];
  const server = new Server();
  server.addService(definition(), {
    AccessSecretVersion: ({ request: { name } }: Call, answer: sendUnaryData<unknown>) => {
      asked.push(name);
      const version = versions.get(name) ?? 5;
      if (version === 'silence') return;
      if (typeof version === 'number') return answer({ code: version, details: 'says s3cret things' });
      const data = version === 'damaged' ? new TextEncoder().encode('x') : version;
      const checksum = version === 'damaged' ? 1 : crc32c(data);
      answer(null, { name, payload: { data, dataCrc32c: String(checksum) } });
    },
  });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return { endpoint: `127.0.0.1:${port}`, versions, asked, stop: () => server.forceShutdown() };
}

function definition(): ServiceDefinition {
  const protos = createRequire(import.meta.url)('@google-cloud/secret-manager/build/protos/protos.json') as object;
  const loaded = loadPackageDefinition(fromJSON(protos, { longs: String })) as unknown as {
    google: { cloud: { secretmanager: { v1: { SecretManagerService: { service: ServiceDefinition } } } } };
  };
  return loaded.google.cloud.secretmanager.v1.SecretManagerService.service;
}
