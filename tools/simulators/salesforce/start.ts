/** The simulated Salesforce org: REST, Bulk and OAuth over HTTP, change events over gRPC, all of one company. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { World } from '../world/index.ts';
import { Jobs } from './bulk/jobs.ts';
import { mountBulk } from './bulk/routes.ts';
import { makeCertificate } from './events/certificate.ts';
import { startEvents, type Events } from './events/server.ts';
import { httpApp, listen } from './http.ts';
import { mountOauth } from './oauth.ts';
import { DEFAULTS, type SalesforceOptions } from './options.ts';
import { openOrg, type Org } from './org.ts';
import { mountComposite } from './rest/composite.ts';
import { mountDescribe } from './rest/describe.ts';
import { mountQuery } from './rest/query.ts';
import { mountRecords } from './rest/records.ts';
import { mountReplication } from './rest/replication.ts';
import { mountWrites } from './rest/writes.ts';

export interface Salesforce {
  /** What an operator of a real org would be told. */
  readonly urls: SalesforceUrls;
  readonly org: Org;
  readonly jobs: Jobs;
  readonly events: Events;
  close(): Promise<void>;
}

export interface SalesforceUrls {
  readonly instanceUrl: string;
  readonly loginUrl: string;
  readonly grpcEndpoint: string;
  readonly caFile: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly orgId: string;
}

export type StartOptions = Pick<SalesforceOptions, 'stateDir'> & Partial<SalesforceOptions>;

export async function startSalesforce(world: World, given: StartOptions): Promise<Salesforce> {
  const options: SalesforceOptions = { ...DEFAULTS, ...given };
  const org = openOrg(world, options);
  const jobs = new Jobs(org);
  const tls = await makeCertificate();
  const caFile = join(options.stateDir, 'salesforce-ca.pem');
  mkdirSync(options.stateDir, { recursive: true });
  writeFileSync(caFile, tls.cert);
  const isSession = (token: string): boolean => org.sessions.isOpen(token);
  const { orgId } = org;
  const events = await startEvents({ world, orgId, isSession, tls, port: options.grpcPort, keepAliveMs: options.keepaliveMs }); // prettier-ignore
  if (options.eventAllowance !== null) events.allowance = options.eventAllowance;
  const app = httpApp(org, (door) => {
    mountOauth(door, org);
    mountBulk(door, org, jobs);
    mountQuery(door, org);
    mountComposite(door, org);
    mountDescribe(door, org);
    mountReplication(door, org);
    mountRecords(door, org);
    mountWrites(door, org);
  });
  const { server, url } = await listen(app, options.httpPort);
  org.instanceUrl = url;
  const { clientId, clientSecret } = options;
  const grpcEndpoint = events.endpoint.replace('127.0.0.1', 'localhost');
  return {
    urls: { instanceUrl: url, loginUrl: url, grpcEndpoint, caFile, clientId, clientSecret, orgId },
    org,
    jobs,
    events,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await Promise.all([closed, events.close()]);
    },
  };
}
