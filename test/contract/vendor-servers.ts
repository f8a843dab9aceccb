/** A source on loopback that does what a test tells it: HTTPS and gRPC under a certificate of its own. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPackageDefinition, Server, ServerCredentials, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { generate } from 'selfsigned';

export interface Certificate {
  readonly caFile: string;
  readonly key: string;
  readonly cert: string;
  remove(): void;
}

export async function makeCertificate(): Promise<Certificate> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    algorithm: 'sha256',
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const folder = mkdtempSync(join(tmpdir(), 'tributary-ca-'));
  const caFile = join(folder, 'ca.pem');
  writeFileSync(caFile, cert);
  return { caFile, key, cert, remove: () => rmSync(folder, { recursive: true }) };
}

export interface HttpSource {
  readonly origin: string;
  /** What the next requests meet. */
  answer: RequestListener;
  readonly connections: number;
  close(): Promise<void>;
}

export async function startHttpSource(certificate: Certificate): Promise<HttpSource> {
  let connections = 0;
  const server = createServer(certificate, (request, response) => source.answer(request, response));
  server.on('secureConnection', () => connections++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const source: HttpSource = {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: (_request, response) => void response.end(),
    get connections() {
      return connections;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return source;
}

export interface GrpcSource {
  readonly endpoint: string;
  /** What the next calls meet, by method name; what is missing is unimplemented. */
  answers: UntypedServiceImplementation;
  close(): void;
}

/** Serves the protocol of `schemas/vendor/salesforce-pubsub.proto`. */
export async function startGrpcSource(certificate: Certificate): Promise<GrpcSource> {
  const proto = fileURLToPath(new URL('../../schemas/vendor/salesforce-pubsub.proto', import.meta.url));
  const definition = loadSync(proto, { keepCase: true, longs: String, enums: String, bytes: Buffer, defaults: true });
  loadPackageDefinition(definition);
  const methods = definition['eventbus.v1.PubSub'];
  if (methods === undefined || 'format' in methods) throw new Error('The proto file has no service.');
  const server = new Server();
  const handlers: UntypedServiceImplementation = {};
  for (const name of Object.keys(methods)) {
    handlers[name] = (...given: unknown[]) =>
      (source.answers[name] as unknown as (...given: unknown[]) => void)(...given);
  }
  server.addService(methods, handlers);
  const pair = { private_key: Buffer.from(certificate.key), cert_chain: Buffer.from(certificate.cert) };
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  const source: GrpcSource = { endpoint: `127.0.0.1:${port}`, answers: {}, close: () => server.forceShutdown() };
  return source;
}
