/** What the runtime itself is told: where it runs, which adapters it stands on, and what they need. */
import type { ConfigOf, ConfigSpec } from '#core/config.ts';

const PROCESS = {
  'state.folder': {
    kind: 'text',
    default: '.tributary',
    doc: 'Folder of the broker, warehouse, checkpoints and parked messages; one process at a time.',
  },
  installation: { kind: 'text', default: 'local', doc: 'Names this installation in runs, API usage and dead letters.' },
  sources: { kind: 'list', default: [], doc: 'Sources that are on; empty: those whose configuration is given.' },
  'web.host': { kind: 'text', default: '127.0.0.1', doc: 'Address the webhook receiver binds to.' },
  'web.port': {
    kind: 'integer',
    unit: 'port',
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    doc: 'Port of the webhook receiver; 0 takes a free one.',
  },
  'vendor.caFile': {
    kind: 'text',
    default: null,
    doc: 'PEM file of certificates to trust besides the public ones, for vendors behind a private CA.',
  },
  'warehouse.memoryLimit': {
    kind: 'text',
    default: '256MB',
    doc: 'Memory of the embedded warehouse, in its own notation.',
  },
  'log.level': {
    kind: 'text',
    default: 'info',
    choices: ['debug', 'info', 'warn', 'error', 'silent'],
    doc: 'Least severe log line that is written.',
  },
  'log.format': {
    kind: 'text',
    default: 'auto',
    choices: ['auto', 'lines', 'cloud'],
    doc: 'How serve and job log: lines as on one machine, or as Cloud Logging reads them; auto: cloud where Cloud Run runs it.',
  },
  'otel.endpoint': {
    kind: 'url',
    default: null,
    doc: 'Where serve and job send metrics and traces: an OpenTelemetry collector (OTLP over HTTP), e.g. http://127.0.0.1:4318; absent: nowhere.',
  },
  threads: {
    kind: 'integer',
    unit: 'threads',
    default: 1,
    minimum: 1,
    maximum: 2,
    doc: 'Threads the stages are shared out to, over one broker file.',
  },
  services: { kind: 'list', default: [], doc: 'Services this process runs; empty: all that are on.' },
} as const satisfies ConfigSpec;

/** Which side of each port. */
const PLACES = {
  broker: {
    kind: 'text',
    default: 'embedded',
    choices: ['embedded', 'pubsub'],
    doc: 'What carries events: a file in the state folder, or Google Pub/Sub.',
  },
  warehouse: {
    kind: 'text',
    default: 'duckdb',
    choices: ['duckdb', 'bigquery'],
    doc: 'Where rows end: DuckDB in the state folder, or Google BigQuery.',
  },
  storage: {
    kind: 'text',
    default: 'files',
    choices: ['files', 'gcs'],
    doc: 'Where checkpoints, leases, parked messages and the archive are: the state folder, or a Cloud Storage bucket.',
  },
  'archive.enabled': {
    kind: 'text',
    default: 'auto',
    choices: ['auto', 'true', 'false'],
    doc: 'Whether raw events are archived, to be replayed at any later time; auto: where storage is gcs.',
  },
} as const satisfies ConfigSpec;

const GOOGLE = {
  'google.project': { kind: 'text', default: null, doc: 'Google Cloud project of topics, datasets and buckets.' },
  'google.location': { kind: 'text', default: 'US', doc: 'Where datasets that are made have their data.' },
  'pubsub.emulator': {
    kind: 'text',
    default: null,
    doc: "host:port of a Pub/Sub emulator, also by PUBSUB_EMULATOR_HOST; absent: Google's service.",
  },
  'bigquery.dataset': {
    kind: 'text',
    default: 'sales_intelligence',
    doc: 'Dataset of the views people query; the tables are in the one named like it with _store.',
  },
  'bigquery.writes': {
    kind: 'text',
    default: 'storage-write',
    choices: ['storage-write', 'insert-all'],
    doc: 'Upserts through the Storage Write API, or plain inserts with a view of the newest versions over them.',
  },
  'bigquery.maxStalenessSeconds': {
    kind: 'integer',
    unit: 'seconds',
    default: 0,
    minimum: 0,
    maximum: 86_400,
    doc: 'How old the rows may be that a query shows; 0: each query merges what has arrived, which costs more a query.',
  },
  'bigquery.policyTag': {
    kind: 'text',
    default: null,
    doc: 'Resource name of the policy tag put on columns with personal data; absent: none.',
  },
  'bigquery.restUrl': { kind: 'url', default: null, doc: "REST address of a simulator; absent: Google's service." },
  'bigquery.grpcEndpoint': {
    kind: 'text',
    default: null,
    doc: "host:port of a simulator's Storage Write API; absent: Google's service.",
  },
  'gcs.bucket': { kind: 'text', default: null, doc: 'Bucket of checkpoints, parked messages, claims and the archive.' },
  'gcs.endpoint': { kind: 'url', default: null, doc: "Address of a Cloud Storage fake; absent: Google's service." },
  'secrets.endpoint': {
    kind: 'text',
    default: null,
    doc: "host:port of a Secret Manager fake; absent: Google's service.",
  },
} as const satisfies ConfigSpec;

export const RUNTIME_CONFIG = { ...PROCESS, ...PLACES, ...GOOGLE } as const satisfies ConfigSpec;

export type RuntimeConfig = ConfigOf<typeof RUNTIME_CONFIG>;

/** What a chosen adapter needs and was not given. */
export function placeFaults(config: RuntimeConfig): readonly string[] {
  const { broker, warehouse, storage } = config;
  const has = (name: keyof RuntimeConfig): boolean => config[name] !== null;
  const needsProject = [
    broker === 'pubsub' && !has('pubsub.emulator') ? 'broker=pubsub' : '',
    warehouse === 'bigquery' && !has('bigquery.restUrl') ? 'warehouse=bigquery' : '',
  ].filter((reason) => reason !== '');
  return [
    ...(needsProject.length > 0 && !has('google.project')
      ? [`google.project is required with ${needsProject.join(' and ')}. ${GOOGLE['google.project'].doc}`]
      : []),
    ...(storage === 'gcs' && !has('gcs.bucket')
      ? [`gcs.bucket is required with storage=gcs. ${GOOGLE['gcs.bucket'].doc}`]
      : []),
    ...(has('bigquery.restUrl') !== has('bigquery.grpcEndpoint')
      ? ['bigquery.restUrl and bigquery.grpcEndpoint belong together: a simulator has both.']
      : []),
  ];
}

/** Google's own, or the name that emulators and simulators are asked with. */
export function projectOf(config: RuntimeConfig): string {
  return config['google.project'] ?? 'tributary-local';
}

/** Whether the archiver runs. */
export function archives(config: RuntimeConfig): boolean {
  const { 'archive.enabled': enabled, storage } = config;
  return enabled === 'true' || (enabled === 'auto' && storage === 'gcs');
}

/** Whether anything durable is in the state folder. */
export function usesFolder({ broker, warehouse, storage }: RuntimeConfig): boolean {
  return broker === 'embedded' || warehouse === 'duckdb' || storage === 'files';
}
