/**
 * The service against the simulated Salesforce over real wires: HTTP, gRPC with TLS, the machine's clock. Hints are handed
 * to the service as a broker would; what it publishes is folded by version into what a warehouse would hold.
 */
import { mkdtemp, rm } from 'node:fs/promises';
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
import { startSalesforce, type Salesforce, type StartOptions } from '#tools/simulators/salesforce/start.ts';
import { createWorld, type World, type WorldOptions } from '#tools/simulators/world/index.ts';
import { fakeContext, type FakeContext, type FakeContextOptions } from '#test/kit/context.ts';

export interface SimulatedOrg extends Salesforce {
  readonly world: World;
  readonly config: Readonly<Record<string, string>>;
}

export async function simulate(
  options: Partial<WorldOptions> = {},
  vendor: Partial<StartOptions> = {},
): Promise<SimulatedOrg> {
  const stateDir = await mkdtemp(join(tmpdir(), 'tributary-org-'));
  const world = createWorld({ seed: 11, contacts: 300, ...options });
  const salesforce = await startSalesforce(world, { stateDir, ...vendor });
  const { instanceUrl, grpcEndpoint, clientId, clientSecret } = salesforce.urls;
  return {
    ...salesforce,
    world,
    config: {
      'salesforce.instanceUrl': instanceUrl,
      'salesforce.grpcEndpoint': grpcEndpoint,
      'salesforce.clientId': clientId,
      'salesforce.clientSecret': clientSecret,
      'salesforce.positionWaitSeconds': '0',
    },
    async close() {
      await salesforce.close();
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
  const vendor = createVendor({ clock: systemClock, caFile: simulated.urls.caFile });
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
