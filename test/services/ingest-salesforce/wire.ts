/**
 * The service against the simulated Salesforce over real wires: HTTP, gRPC with TLS, the machine's clock. Hints are handed
 * to the service as a broker would; what it publishes is folded by version into what a warehouse would hold.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVendor } from '#adapters/vendor/index.ts';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import type { RawEvent } from '#core/codec.ts';
import type { Disposition } from '#core/disposition.ts';
import { keyText } from '#core/key.ts';
import type { Message } from '#core/ports/broker.ts';
import type { VendorPort } from '#core/ports/vendor.ts';
import { supersedes } from '#core/version.ts';
import { DECLARED } from '#services/ingest-salesforce/declared.ts';
import service from '#services/ingest-salesforce/service.ts';
import { Jobs } from '#tools/simulators/salesforce/bulk/jobs.ts';
import { mountBulk } from '#tools/simulators/salesforce/bulk/routes.ts';
import { makeCertificate } from '#tools/simulators/salesforce/events/certificate.ts';
import { startEvents, type Events } from '#tools/simulators/salesforce/events/server.ts';
import { httpApp, listen } from '#tools/simulators/salesforce/http.ts';
import { mountOauth } from '#tools/simulators/salesforce/oauth.ts';
import { DEFAULTS, type SalesforceOptions } from '#tools/simulators/salesforce/options.ts';
import { openOrg, type Org } from '#tools/simulators/salesforce/org.ts';
import { mountComposite } from '#tools/simulators/salesforce/rest/composite.ts';
import { mountDescribe } from '#tools/simulators/salesforce/rest/describe.ts';
import { mountQuery } from '#tools/simulators/salesforce/rest/query.ts';
import { mountRecords } from '#tools/simulators/salesforce/rest/records.ts';
import { mountReplication } from '#tools/simulators/salesforce/rest/replication.ts';
import { createWorld, type World, type WorldOptions } from '#tools/simulators/world/index.ts';
import { fakeContext, type FakeContext, type FakeContextOptions } from '#test/kit/context.ts';

export interface SimulatedOrg {
  readonly world: World;
  readonly org: Org;
  readonly jobs: Jobs;
  readonly events: Events;
  readonly caFile: string;
  readonly config: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function simulate(
  world: Partial<WorldOptions> = {},
  options: Partial<SalesforceOptions> = {},
): Promise<SimulatedOrg> {
  const stateDir = await mkdtemp(join(tmpdir(), 'tributary-org-'));
  const company = createWorld({ seed: 11, contacts: 300, ...world });
  const org = openOrg(company, { ...DEFAULTS, stateDir, ...options });
  const jobs = new Jobs(org);
  const app = httpApp(org, (to) => {
    mountOauth(to, org);
    mountDescribe(to, org);
    mountQuery(to, org);
    mountReplication(to, org);
    mountRecords(to, org);
    mountComposite(to, org);
    mountBulk(to, org, jobs);
  });
  const { server, url } = await listen(app, 0);
  org.instanceUrl = url;
  const tls = await makeCertificate();
  const caFile = join(stateDir, 'ca.pem');
  await writeFile(caFile, tls.cert);
  const isSession = (token: string): boolean => org.sessions.isOpen(token);
  const events = await startEvents({ world: company, orgId: org.orgId, isSession, tls });
  return {
    world: company,
    org,
    jobs,
    events,
    caFile,
    config: {
      'salesforce.instanceUrl': url,
      'salesforce.grpcEndpoint': events.endpoint.replace('127.0.0.1', 'localhost'),
      'salesforce.positionWaitSeconds': '0',
      'salesforce.clientId': org.options.clientId,
      'salesforce.clientSecret': org.options.clientSecret,
    },
    async close() {
      await events.close();
      server.closeAllConnections();
      server.close();
      await rm(stateDir, { recursive: true });
    },
  };
}

export interface Pipeline extends Pick<FakeContext<typeof DECLARED>, 'context' | 'facts' | 'told' | 'on' | 'stop'> {
  readonly living: Awaited<ReturnType<typeof service.start>>;
  /** The newest event of each record, by key text without source and instance: `Contact/003…`. */
  readonly rows: ReadonlyMap<string, RawEvent>;
  /** Every event, in order. */
  readonly raw: () => readonly RawEvent[];
  readonly dispositions: readonly Disposition[];
  readonly vendor: VendorPort;
  close(): Promise<void>;
}

export type PipelineOptions = Partial<Omit<FakeContextOptions, 'config' | 'vendor'>> & {
  readonly config?: Readonly<Record<string, string>>;
};

export async function pipe(simulated: SimulatedOrg, { config, ...options }: PipelineOptions = {}): Promise<Pipeline> {
  const vendor = createVendor({ clock: systemClock, caFile: simulated.caFile });
  const rows = new Map<string, RawEvent>();
  const dispositions: Disposition[] = [];
  const made = fakeContext(DECLARED, {
    clock: systemClock,
    random: systemRandom,
    ...options,
    vendor,
    config: { ...simulated.config, ...config },
    async onPublish(publish) {
      await options.onPublish?.(publish);
      if (publish.topic === 'hint.salesforce') void handOver(publish.messages);
      else for (const message of publish.messages) fold(rows, made.context.codec.decodeRaw('salesforce', message));
    },
  });
  const { context } = made;
  const living = await service.start(context);

  async function handOver(messages: readonly Message[]): Promise<void> {
    const batch = messages.map((message) => ({
      ...message,
      messageId: '',
      publishedAt: new Date(),
      deliveryAttempts: 1,
    }));
    await living.handlers.hints(batch, context.signal).then(
      (answers) => dispositions.push(...answers),
      () => undefined,
    );
  }

  return {
    context,
    facts: made.facts,
    told: made.told,
    on: made.on,
    stop: made.stop,
    living,
    rows,
    raw: () => made.on('raw.salesforce').map((message) => context.codec.decodeRaw('salesforce', message)),
    dispositions,
    vendor,
    async close() {
      made.stop();
      await vendor.close();
    },
  };
}

function fold(rows: Map<string, RawEvent>, event: RawEvent): void {
  const key = keyText(event.envelope).split('/').slice(2).join('/');
  if (supersedes(event.envelope.version, rows.get(key)?.envelope.version)) rows.set(key, event);
}

/** Every record of the simulated company that is not deleted, by key, with one field that changes. */
export function truth(world: World): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  for (const [object, table] of Object.entries(world.tables)) {
    const cursor = table.cursor();
    for (let index = 0; index < table.size; index += 1)
      if (cursor.move(index, world.latest()) && !cursor.isDeleted)
        records.set(
          `${object}/${String(cursor.get('Id'))}`,
          fingerprint(object, (name) => cursor.get(name)),
        );
  }
  return records;
}

/** What the pipeline holds as live. */
export function held(rows: ReadonlyMap<string, RawEvent>): ReadonlyMap<string, string> {
  const live = new Map<string, string>();
  for (const [key, { envelope, record }] of rows) {
    if (envelope.operation === 'delete') continue;
    const values = JSON.parse(record ?? '{}') as Readonly<Record<string, unknown>>;
    live.set(
      key,
      fingerprint(envelope.object, (name) => values[name]),
    );
  }
  return live;
}

const TOLD: Readonly<Record<string, readonly string[]>> = {
  Account: ['Name', 'Phone', 'Industry', 'OwnerId'],
  Contact: ['FirstName', 'LastName', 'Title', 'Email', 'Phone', 'MobilePhone', 'AccountId'],
  Lead: ['LastName', 'Status', 'IsConverted', 'Phone'],
  Opportunity: ['Name', 'StageName', 'CloseDate'],
  User: ['LastName', 'IsActive', 'Title'],
  Task: ['Subject', 'Status', 'WhoId'],
  Event: ['Subject', 'WhoId', 'IsAllDayEvent'],
};

function fingerprint(object: string, get: (name: string) => unknown): string {
  return JSON.stringify((TOLD[object] ?? []).map((name) => get(name) ?? null)).replaceAll('\\r\\n', '\\n');
}
