/** Everything that speaks to one org, wired once: wrapper, session, client, field catalogue. Making it sends nothing. */
import { vendorClient, type Allowance, type VendorClient } from '#core/vendor/client.ts';
import { dailyRate, tokenBudget } from '#core/vendor/budget.ts';
import { salesforceAllowList } from '../allow-list.ts';
import { isLoopback } from '../checks.ts';
import type { SalesforceContext } from '../declared.ts';
import { configuredObjects, type ObjectName } from '../objects.ts';
import { orgClient, type OrgClient } from './client.ts';
import { catalogue, type Catalogue } from './describe.ts';
import { openSession, type Session } from './session.ts';

export interface Org {
  readonly context: SalesforceContext;
  readonly vendor: VendorClient;
  readonly session: Session;
  readonly client: OrgClient;
  readonly catalogue: Catalogue;
  readonly objects: readonly ObjectName[];
  readonly epoch: number;
}

export function openOrg(context: SalesforceContext): Org {
  const { config, clock, random, telemetry, ports, signal } = context;
  const instanceUrl = config['salesforce.instanceUrl'];
  const loginUrl = config['salesforce.loginUrl'] ?? instanceUrl;
  const grpcEndpoint = config['salesforce.grpcEndpoint'];
  const budget = tokenBudget(clock);
  const vendor = vendorClient({
    source: 'salesforce',
    port: ports.vendor,
    list: salesforceAllowList({ instanceUrl, loginUrl, grpcEndpoint }),
    budget,
    telemetry,
    clock,
    random,
    allowanceOf,
    onAllowance({ used, max }) {
      budget.setRate(dailyRate(max, config['salesforce.allowanceShare']));
      budget.cap(max - used);
    },
  });
  const session = openSession({
    credentials: {
      loginUrl,
      clientId: config['salesforce.clientId'],
      clientSecret: config['salesforce.clientSecret'],
      refreshToken: config['salesforce.refreshToken'],
      username: config['salesforce.username'],
      privateKey: config['salesforce.privateKey'],
    },
    client: vendor,
    clock,
    signal,
  });
  const client = orgClient({
    client: vendor,
    session,
    instanceUrl,
    apiVersion: config['salesforce.apiVersion'],
    compress: compresses(config['salesforce.compress'], instanceUrl),
  });
  return {
    context,
    vendor,
    session,
    client,
    catalogue: catalogue({ client, telemetry, extraFields: config['salesforce.extraFields'], signal }),
    objects: configuredObjects(config['salesforce.objects']),
    epoch: config['salesforce.epoch'],
  };
}

/** On one machine compressing only costs: both ends run on it. */
function compresses(setting: string, instanceUrl: string): boolean {
  if (setting !== 'auto') return setting === 'yes';
  return !isLoopback(new URL(instanceUrl).hostname);
}

/** `Sforce-Limit-Info: api-usage=18/5000; per-app-api-usage=…` (REST API Guide, headers). */
function allowanceOf(headers: Readonly<Record<string, string>>): Allowance | null {
  const match = /(?:^|[;\s])api-usage=(\d+)\/(\d+)/.exec(headers['sforce-limit-info'] ?? '');
  return match === null ? null : { used: Number(match[1]), max: Number(match[2]) };
}
