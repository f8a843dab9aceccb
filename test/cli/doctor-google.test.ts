/**
 * `tributary doctor --runtime cloud` on Google's services as far as they are here: the official Pub/Sub emulator, the BigQuery
 * simulator, a Cloud Storage fake. None of them knows rights, which the doctor says openly.
 */
import { PubSub } from '@google-cloud/pubsub';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPubsubBroker } from '#adapters/broker/pubsub/broker.ts';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { discoverServices } from '#runtime/discover.ts';
import type { Reported } from '#runtime/doctor/index.ts';
import { definitionOf } from '#runtime/places/schemas.ts';
import { topologyOf } from '#runtime/topology.ts';
import { TABLES, VIEWS } from '#schemas/generated/tables.ts';
import { openBigqueryWarehouse, type BigqueryWarehouse } from '#adapters/warehouse/bigquery/index.ts';
import { BINARY, MISSING } from '#test/kit/fake-gcs.ts';
import { startFakeGcs, type FakeGcs } from '#tools/emulators/gcs.ts';
import { findPubsubEmulator, startPubsubEmulator, type PubsubEmulator } from '#tools/emulators/pubsub.ts';
import { startBigquerySimulator, type BigquerySimulator } from '#tools/simulators/bigquery/index.ts';
import { commandLine, lastJson, tributary } from './kit.ts';

type Env = Readonly<Record<string, string>>;
interface Examined {
  readonly code: number | null;
  readonly found: readonly Reported[];
}

const CLOUD = { METADATA_SERVER_DETECTION: 'none', TRIBUTARY_GOOGLE_PROJECT: 'acme' };
const BROKEN = ['failed', 'warning'];

async function doctor(env: Env): Promise<Examined> {
  const ran = await commandLine(['doctor', '--runtime', 'cloud', '--json', '--within', '20'], { ...CLOUD, ...env });
  return { code: ran.code, found: lastJson(ran) as readonly Reported[] };
}

/** Of the part of the house that is looked at here. */
function faults({ found }: Examined, part: string): readonly Omit<Reported, 'check'>[] {
  return found.filter(({ check, verdict }) => check.startsWith(part) && BROKEN.includes(verdict));
}

function of({ found }: Examined, check: string): readonly Reported[] {
  return found.filter((each) => each.check === check);
}

const text = (value: string | RegExp): string => expect.stringMatching(value) as string;

const emulator = await findPubsubEmulator();
const launcher = 'launcher' in emulator ? emulator.launcher : '';

describe.skipIf(launcher === '')(`the broker${'missing' in emulator ? ` (skipped: ${emulator.missing})` : ''}`, () => {
  let running: PubsubEmulator;
  let client: PubSub;
  let env: Env;
  const made = async (): Promise<void> => {
    const broker = await openPubsubBroker({ projectId: 'acme', emulator: running.address, schemas: definitionOf, clock: systemClock, random: systemRandom }); // prettier-ignore
    const { topics, subscriptions } = topologyOf(await discoverServices());
    await broker.ensure(topics, subscriptions);
    await broker.close();
  };
  beforeAll(async () => {
    running = await startPubsubEmulator(launcher);
    client = new PubSub({ projectId: 'acme', apiEndpoint: running.address, emulatorMode: true });
    env = { TRIBUTARY_BROKER: 'pubsub', TRIBUTARY_PUBSUB_EMULATOR: running.address };
  }, 60_000);
  afterAll(async () => {
    await client.close();
    await running.stop();
  });

  it('on which nothing was made lacks all of it: two failures, not a hundred; start would make it', async () => {
    const cloud = await doctor(env);
    expect(cloud.code).toBe(1);
    expect(faults(cloud, 'broker topology')).toMatchObject([
      { verdict: 'failed', what: text(/^There are no topics .*raw\.salesforce/), todo: text(/Apply Terraform/) },
      { verdict: 'failed', what: text(/^There are no subscriptions .*bq-writer/) },
    ]);
    const ran = await commandLine(['doctor', '--json'], { ...CLOUD, ...env, TRIBUTARY_STATE_FOLDER: '/nowhere' });
    const here = { code: ran.code, found: lastJson(ran) as readonly Reported[] };
    expect(faults(here, 'broker topology')).toMatchObject([{ verdict: 'warning', todo: text(/npm start/) }, { verdict: 'warning' }]); // prettier-ignore
  });

  it('as it was made is well; rights are not seen on the emulator, which is said', async () => {
    await made();
    const examined = await doctor(env);
    expect(faults(examined, 'broker')).toEqual([]);
    expect(of(examined, 'broker topology')).toMatchObject([{ verdict: 'ok', what: text(/\d+ topics/) }]);
    expect(of(examined, 'broker rights')).toMatchObject([{ verdict: 'skipped', what: text(/emulator/) }]);
    expect(of(examined, 'broker forwarding')).toMatchObject([{ verdict: 'skipped', what: text(/cannot be seen/) }]);
  });

  it('with a fault of each kind has each named, with the command that mends it', async () => {
    const update = async (name: string, change: object): Promise<void> => void (await client.subscription(name).setMetadata(change)); // prettier-ignore
    await client.topic('canonical.lead').delete();
    await client.subscription('bq-writer.call.bulk').delete();
    await update('bq-writer.call.live', { ackDeadlineSeconds: 11 });
    await update('bq-writer.match.live', { messageRetentionDuration: { seconds: 3_600 } });
    await client.subscription('bq-writer.user.live').delete();
    await client.topic('canonical.user').createSubscription('bq-writer.user.live', { filter: 'attributes.lane="bulk"', expirationPolicy: { ttl: { seconds: 172_800 } } }); // prettier-ignore
    await client.topic('raw.dialpad').setMetadata({ messageRetentionDuration: { seconds: 600 } });
    const examined = await doctor(env);
    expect(examined.code).toBe(1);
    const found = faults(examined, 'broker topology');
    const expected: readonly [string, RegExp, RegExp][] = [
      ['failed', /no topic canonical\.lead\./, /Apply Terraform/],
      ['failed', /no subscription bq-writer\.call\.bulk\./, /Apply Terraform/],
      ['warning', /bq-writer\.call\.live has an ack deadline of 11 s/, /^gcloud pubsub subscriptions update bq-writer\.call\.live --ack-deadline=\d+$/],
      ['warning', /bq-writer\.match\.live keeps unread messages for 3600 s/, /--message-retention-duration=604800s/],
      ['failed', /bq-writer\.user\.live has another topic or filter/, /delete it/],
      ['failed', /bq-writer\.user\.live expires when nobody pulls for 2 days/, /--expiration-period=never/],
      ['failed', /bq-writer\.user\.live has no dead-letter policy/, /--max-delivery-attempts=100/],
      ['warning', /Topic raw\.dialpad keeps messages for 600 s/, /gcloud pubsub topics update raw\.dialpad/],
    ]; // prettier-ignore
    for (const [verdict, what, todo] of expected)
      expect(found).toContainEqual(expect.objectContaining({ verdict, what: text(what), todo: text(todo) }));
    // What was made with defaults lacks the back-off too, and what was on the topic that went is of no topic now.
    const rest = found.filter(({ what }) => !expected.some(([, named]) => named.test(what)));
    expect(
      rest.every(({ what }) => /bq-writer\.user\.live|\.lead\./.test(what)),
      JSON.stringify(rest),
    ).toBe(true);
  });

  it('whose topics have no schema, another, or an older one has each named', async () => {
    const schemas = await client.getSchemaClient();
    const name = (id: string): string => `projects/acme/schemas/${id}`;
    const older = { type: 'AVRO', definition: '{"type":"record","name":"Older","fields":[]}' } as const;
    for (const [topic, settings] of [
      ['canonical.call', {}],
      ['canonical.account', { schemaSettings: { schema: name('canonical.contact'), encoding: 'JSON' } }],
    ] as const) {
      await client.topic(topic).delete();
      await client.createTopic({ name: topic, ...settings });
    }
    await schemas.deleteSchema({ name: name('canonical.opportunity') });
    await schemas.createSchema({ parent: 'projects/acme', schemaId: 'canonical.opportunity', schema: older });
    await client.topic('canonical.opportunity').delete();
    await client.createTopic({ name: 'canonical.opportunity', schemaSettings: { schema: name('canonical.opportunity'), encoding: 'BINARY' } }); // prettier-ignore
    const found = faults(await doctor(env), 'broker topology');
    for (const what of [/canonical\.call has no schema/, /canonical\.account has another schema or encoding/, /schema canonical\.opportunity lacks the revision/])
      expect(found).toContainEqual(expect.objectContaining({ verdict: 'failed', what: text(what) })); // prettier-ignore
  });
});

describe('the warehouse', () => {
  let simulator: BigquerySimulator;
  let warehouse: BigqueryWarehouse;
  let env: Env;
  const { account, contact, ...others } = TABLES;
  const tables = [account, contact, ...Object.values(others)];
  beforeAll(async () => {
    simulator = await startBigquerySimulator();
    warehouse = await openBigqueryWarehouse({ projectId: 'acme', dataset: 'sales_intelligence', location: 'US', writes: 'storage-write', maxStalenessSeconds: 0, policyTag: null, clock: systemClock, simulator }); // prettier-ignore
    env = {
      TRIBUTARY_WAREHOUSE: 'bigquery',
      TRIBUTARY_BIGQUERY_REST_URL: simulator.restUrl,
      TRIBUTARY_BIGQUERY_GRPC_ENDPOINT: simulator.grpcEndpoint,
    };
  });
  afterAll(async () => {
    await warehouse.close();
    await simulator.stop();
  });

  it('without tables fails in the cloud', async () => {
    const examined = await doctor(env);
    expect([examined.code, faults(examined, 'warehouse tables')]).toMatchObject([1, [{ verdict: 'failed', todo: text(/warehouse apply/) }, { verdict: 'warning' }]]); // prettier-ignore
  });

  it('that lacks a column has it named', async () => {
    const older = { ...contact, columns: contact.columns.filter(({ name }) => name !== 'title') };
    await warehouse.apply([account, older, ...Object.values(others)], []);
    const found = faults(await doctor(env), 'warehouse tables');
    expect(found).toContainEqual(expect.objectContaining({ verdict: 'failed', what: text(/add column contacts\.title/) })); // prettier-ignore
  });

  it('as the schemas say is well; rights are not seen on the simulator, which is said', async () => {
    await warehouse.apply(tables, VIEWS);
    const examined = await doctor(env);
    expect(faults(examined, 'warehouse')).toEqual([]);
    expect(of(examined, 'warehouse queries')).toMatchObject([{ verdict: 'ok' }]);
    expect(of(examined, 'warehouse tables')).toMatchObject([{ verdict: 'ok' }]);
    expect(of(examined, 'warehouse rights')).toMatchObject([{ verdict: 'skipped', what: text(/simulator/) }]);
  });

  it('whose views are older is warned of: rows are written all the same', async () => {
    await warehouse.apply([], VIEWS.slice(0, 1).map((view) => ({ ...view, description: 'Older.' }))); // prettier-ignore
    const examined = await doctor(env);
    expect(faults(examined, 'warehouse')).toMatchObject([{ verdict: 'warning', what: text(/make again view/) }]);
  });
});

describe.skipIf(BINARY === undefined)(`storage${MISSING}`, () => {
  let fake: FakeGcs;
  let env: Env;
  beforeAll(async () => {
    fake = await startFakeGcs(BINARY ?? '', { buckets: ['acme-tributary'] });
    env = { TRIBUTARY_STORAGE: 'gcs', TRIBUTARY_GCS_BUCKET: 'acme-tributary', TRIBUTARY_GCS_ENDPOINT: fake.endpoint };
  });
  afterAll(() => fake.stop());

  it('that fences is well, and nothing is left in it', async () => {
    const examined = await doctor(env);
    expect(faults(examined, 'storage')).toEqual([]);
    expect(of(examined, 'storage writes')).toMatchObject([{ verdict: 'ok' }]);
    const listed = (await (await fetch(`${fake.endpoint}/storage/v1/b/acme-tributary/o`)).json()) as { readonly items?: readonly unknown[] }; // prettier-ignore
    expect(listed.items ?? []).toEqual([]);
  });

  it('without the bucket says which to make', async () => {
    const examined = await doctor({ ...env, TRIBUTARY_GCS_BUCKET: 'nowhere' });
    expect(of(examined, 'storage settings')).toMatchObject([{ verdict: 'failed', what: text(/no bucket nowhere/), todo: text(/gcs\.bucket/) }]); // prettier-ignore
  });
});

it('what is not there is said so, each with its address or setting, in bounded time', async () => {
  const nowhere = {
    TRIBUTARY_BROKER: 'pubsub',
    TRIBUTARY_PUBSUB_EMULATOR: '127.0.0.1:1',
    TRIBUTARY_WAREHOUSE: 'bigquery',
    TRIBUTARY_BIGQUERY_REST_URL: 'http://127.0.0.1:1',
    TRIBUTARY_BIGQUERY_GRPC_ENDPOINT: '127.0.0.1:1',
    TRIBUTARY_STORAGE: 'gcs',
    TRIBUTARY_GCS_BUCKET: 'b',
    TRIBUTARY_GCS_ENDPOINT: 'http://127.0.0.1:1',
  };
  const ran = await tributary(['doctor', '--runtime', 'cloud', '--json', '--within', '2'], { ...CLOUD, ...nowhere });
  const examined = { code: ran.code, found: lastJson(ran) as readonly Reported[] };
  expect(examined.code).toBe(1);
  for (const [check, todo] of [
    ['broker topology', /TRIBUTARY_PUBSUB_EMULATOR/],
    ['warehouse tables', /TRIBUTARY_BIGQUERY_REST_URL/],
    ['storage writes', /TRIBUTARY_GCS_ENDPOINT/],
  ] as const)
    expect(of(examined, check)).toMatchObject([{ verdict: 'failed', todo: text(todo) }]);
});
