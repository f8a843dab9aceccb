import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { defineService, COMPUTE_FLOW, type AnyService, type Declared } from '#core/service.ts';
import { discoverServices } from '#runtime/discover.ts';
import { topologyOf } from '#runtime/topology.ts';
import { infraOf } from '#tools/generate/infra/index.ts';
import { readConfiguration, readFiles, type Configuration, type JsonObject } from '#tools/terraform/configuration.ts';
import { missingTypes } from '#tools/terraform/library.ts';
import { rehearse, type Rehearsal } from '#tools/terraform/rehearse.ts';

const INFRA = join(import.meta.dirname, '../../infra');
const missing = missingTypes() ?? (spawnSync('terraform', ['version']).status === 0 ? null : 'no terraform');
const SECONDS = 1_000;

/** Everything a service can have, of a source that nothing else knows. */
const MADE_UP = {
  name: 'ingest-acme',
  doc: 'Takes what Acme pushes.',
  source: 'acme',
  uses: ['store', 'vendor'],
  publishes: ['raw.dialpad'],
  subscribes: {
    hints: { topic: 'hint.dialpad', sharing: 'shared', ackDeadlineSeconds: 30, flow: COMPUTE_FLOW },
  },
  routes: { push: { path: '/webhooks/acme', method: 'POST', bodyLimitBytes: 1_000, answerWithinMs: 1_000 } },
  schedules: {},
  singletons: {},
  underLease: false,
  commands: {
    reconcile: { doc: 'Looks again.', arguments: { since: { doc: 'ISO 8601 time.', required: true } } },
  },
  config: {
    'acme.company': { kind: 'text', doc: 'Which company.' },
    'acme.apiKey': { kind: 'text', secret: true, doc: 'The key.' },
  },
} as const satisfies Declared;

const madeUp: AnyService = defineService(MADE_UP, async () => {
  throw new Error('It is only declared.');
});

const BASE = { project: 'acme-data', region: 'us-central1' };
const WITH_ACME = {
  ...BASE,
  image: 'example/tributary@sha256:1',
  sources: ['acme'],
  settings: { 'acme.company': '7' },
  secrets: ['acme.apiKey'],
  protect_personal_data: true,
  pii_readers: ['group:people@acme.example'],
  operators: ['group:operators@acme.example'],
  analysts: ['group:analysts@acme.example'],
};

describe.skipIf(missing !== null)(
  `What Terraform makes of the topology${missing === null ? '' : ` [skipped: ${missing}]`}`,
  () => {
    let services: readonly AnyService[];
    let configuration: Configuration;
    let first: Rehearsal;
    let whole: Rehearsal;

    beforeAll(async () => {
      services = [...(await discoverServices()), madeUp];
      configuration = await readConfiguration(readFiles(INFRA));
      const topology = infraOf(services);
      first = rehearse(configuration, topology, BASE);
      whole = rehearse(configuration, topology, WITH_ACME);
    }, 180 * SECONDS);

    const all = (address: string, of: Rehearsal = whole): ReadonlyMap<string, JsonObject> =>
      of.made.get(address) ?? new Map();
    const names = (address: string, of: Rehearsal = whole): readonly string[] => [...all(address, of).keys()].sort();

    it.each([
      [{ settings: { 'acme.compnay': '7' } }, 'acme.compnay'],
      [{ settings: { 'acme.apiKey': 'not here' } }, 'acme.apiKey'],
      [{ settings: { broker: 'embedded' } }, 'broker'],
      [{ secrets: ['acme.company'] }, 'Known secrets are'],
      [{ sources: ['nobody'] }, 'Known sources are'],
      [{ instances: { nobody: 2 } }, 'Known services are'],
      [{ claim_days: 5 }, 'their bodies must outlive them'],
      [{ name: 'a-name-that-is-too-long' }, 'At most 12'],
    ])('%j is refused', (wrong, reason) => {
      const refused = (): unknown => rehearse(configuration, infraOf(services), { ...BASE, ...wrong });
      expect(refused).toThrow(reason);
    });

    it('without an image no workload is made, and everything else is', () => {
      expect(names('google_cloud_run_v2_worker_pool.worker', first)).toEqual([]);
      expect(names('google_cloud_run_v2_service.receiver', first)).toEqual([]);
      expect(names('google_pubsub_topic.topic', first)).toEqual(names('google_pubsub_topic.topic'));
      expect(names('google_bigquery_table.table', first)).toEqual(names('google_bigquery_table.table'));
    });

    it('a service that was added gets its workloads, account, rights, job and secret, and no .tf file was changed', () => {
      const { name } = MADE_UP;
      expect(names('google_cloud_run_v2_service.receiver')).toEqual([name]);
      expect(names('google_cloud_run_v2_worker_pool.worker')).toContain(name);
      expect(names('google_cloud_run_v2_job.command')).toEqual([`${name}-reconcile`]);
      expect(names('google_cloud_scheduler_job.periodic')).toEqual([`${name}-reconcile`]);
      expect(names('google_service_account.service')).toContain(name);
      expect(names('google_pubsub_topic.topic')).toEqual(
        expect.arrayContaining(['hint.dialpad', `dead-letter.${name}`]),
      );
      expect(names('google_secret_manager_secret_iam_member.service')).toEqual([
        `${name}|roles/secretmanager.secretAccessor|acme.apiKey`,
      ]);
    });

    it('a source that is off runs nowhere, and its topics are there', () => {
      expect(names('google_cloud_run_v2_worker_pool.worker')).not.toContain('ingest-salesforce');
      expect(names('google_pubsub_topic.topic')).toContain('raw.salesforce');
    });

    it('a secret reaches a container by reference only', () => {
      const text = JSON.stringify(all('google_cloud_run_v2_worker_pool.worker').get(MADE_UP.name));
      expect(text).toContain(
        '{"name":"TRIBUTARY_ACME_API_KEY","value_source":[{"secret_key_ref":[{"secret":"tributary-acme-api-key"',
      );
      expect(text).toContain('{"name":"TRIBUTARY_ACME_COMPANY","value":"7"}');
    });

    it('every topology subscription is made with its filter, never expires, and forwards after 100 attempts', () => {
      const made = all('google_pubsub_subscription.subscription');
      expect([...made.keys()].sort()).toEqual(
        topologyOf(services)
          .subscriptions.map(({ name }) => name)
          .sort(),
      );
      for (const [name, subscription] of made) {
        expect(subscription['expiration_policy'], name).toEqual([{ ttl: '' }]);
        expect(subscription['filter'], name).toContain('NOT attributes:to OR attributes.to=');
        const policy = name.endsWith('.given-up') ? [] : [expect.objectContaining({ max_delivery_attempts: 100 })];
        expect(subscription['dead_letter_policy'], name).toEqual(policy);
      }
    });

    it('every dead-letter topic has a subscription, and Pub/Sub may forward to it', () => {
      const read = [...all('google_pubsub_subscription.subscription').values()].map(({ topic }) => topic);
      const topics = names('google_pubsub_topic.topic').filter((topic) => topic.startsWith('dead-letter.'));
      expect(names('google_pubsub_topic_iam_member.forwarding')).toEqual(topics);
      for (const topic of topics) expect(read).toContain(`google_pubsub_topic.topic/${topic}.id`);
    });

    it('a service publishes to what it declares and to what every service has, and to nothing else', () => {
      for (const { declared } of services) {
        const may = names('google_pubsub_topic_iam_member.service')
          .filter((key) => key.startsWith(`${declared.name}|`))
          .map((key) => key.split('|')[2]);
        const own = ['ops.event', 'ingestion-errors', `dead-letter.${declared.name}`];
        expect(new Set(may)).toEqual(new Set([...declared.publishes, ...own]));
      }
    });

    it('only what writes rows may write to the tables, and nobody has a broad role', () => {
      const editors = names('google_bigquery_dataset_iam_member.store').filter((key) => key.includes('dataEditor'));
      expect(editors.map((key) => key.split('|')[0])).toEqual(['bq-writer']);
      const roles = new Set(names('google_project_iam_member.service').map((key) => key.split('|')[1]));
      expect(roles).toEqual(new Set(['roles/pubsub.viewer', 'roles/bigquery.jobUser']));
    });

    it('rights on the bucket end at the names a service needs', () => {
      const conditions = [...all('google_storage_bucket_iam_member.service')].filter(([key]) =>
        key.startsWith('normalizer|'),
      );
      const text = JSON.stringify(conditions);
      expect(conditions).toHaveLength(3);
      expect(text).toContain('projects/_/buckets/acme-data-tributary/objects/objects/dead-letters/normalizer/');
      expect(conditions.every(([, { condition }]) => condition !== undefined)).toBe(true);
    });

    it('tables have primary key, clustering and partition, and personal data its policy tag', () => {
      const contacts = all('google_bigquery_table.table').get('contacts') as JsonObject;
      expect(contacts['table_constraints']).toEqual([
        { primary_key: [{ columns: ['source', 'instance', 'object', 'id'] }] },
      ]);
      expect(contacts['clustering']).toEqual(['source', 'object', 'id']);
      const columns = JSON.parse(contacts['schema'] as string) as {
        readonly name: string;
        readonly policyTags?: unknown;
      }[];
      expect(columns.find(({ name }) => name === 'email')).toHaveProperty('policyTags');
      expect(columns.find(({ name }) => name === 'source')).not.toHaveProperty('policyTags');
      const runs = all('google_bigquery_table.table').get('runs') as JsonObject;
      expect(runs['time_partitioning']).toEqual([{ type: 'DAY', field: 'started_at' }]);
    });

    it('views read the tables of this project', () => {
      const view = all('google_bigquery_table.view').get('sf_contacts') as JsonObject;
      expect(JSON.stringify(view['view'])).toContain('`acme-data`.`');
      expect(JSON.stringify(view['view'])).not.toContain('{store}');
    });

    it('analysts may query the views and not the tables', () => {
      expect(all('google_bigquery_dataset_iam_member.analysts').get('group:analysts@acme.example')).toMatchObject({
        dataset_id: 'sales_intelligence',
      });
    });
  },
);

describe('Terraform', () => {
  it('names no service, topic, subscription or table', async () => {
    const { topics, subscriptions, services, tables, views } = infraOf(await discoverServices());
    const text = Object.values(readFiles(INFRA))
      .join('\n')
      .replaceAll(/#.*/g, '')
      .replaceAll(/(description|content) += ".*"/g, '');
    const names = [topics, subscriptions, services, tables, views].flatMap(Object.keys);
    expect(names.filter((name) => text.includes(`"${name}"`))).toEqual([]);
  });
});
