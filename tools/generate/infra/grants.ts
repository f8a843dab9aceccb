/**
 * What each service may do, and why: from what it declares and from nothing else. Terraform grants it, the documents show
 * it, both from this list.
 */
import { DEAD_LETTERS_PREFIX } from '#core/dead-letter.ts';
import type { Declared } from '#core/service.ts';
import { deadLetterTopic, INGESTION_ERRORS } from '#core/topics.ts';
import { givenUpOf, subscriptionsOf } from '#runtime/topology.ts';
import { secretsOf } from './configuration.ts';

export interface Grant {
  readonly on: 'topic' | 'subscription' | 'bucket' | 'store dataset' | 'views dataset' | 'project' | 'secret';
  /** The topic, subscription or secret; of a bucket, the beginning of its objects' names; else empty. */
  readonly name: string;
  readonly role: string;
  readonly why: string;
}

const PUBLISHER = 'roles/pubsub.publisher';
const SUBSCRIBER = 'roles/pubsub.subscriber';
const OBJECT_USER = 'roles/storage.objectUser';

/** Where the adapters keep what the two storage ports are given. */
const STORE = 'store/';
const OBJECTS = 'objects/';
const LEASES = `${STORE}leases/`;
/** Bodies that are too large for a message. */
const CLAIMS = `${OBJECTS}claims/`;

export function grantsOf(declared: Declared): readonly Grant[] {
  return [...topicGrants(declared), ...subscriptionGrants(declared), ...bucketGrants(declared)].concat(
    warehouseGrants(declared),
    secretGrants(declared),
  );
}

function topicGrants({ name, publishes }: Declared): readonly Grant[] {
  const all = new Map<string, string>(publishes.map((topic) => [topic, 'publishes what it makes']));
  all.set('ops.event', 'records runs, calls to sources and dead letters');
  all.set(deadLetterTopic(name), 'parks what it cannot process');
  all.set(INGESTION_ERRORS, 'tells of what it parked');
  return [...all].map(([topic, why]) => ({ on: 'topic', name: topic, role: PUBLISHER, why }));
}

function subscriptionGrants(declared: Declared): readonly Grant[] {
  const shared = [...subscriptionsOf(declared), givenUpOf(declared)].filter(({ sharing }) => sharing === 'shared');
  return [
    ...shared.map(({ name }): Grant => ({
      on: 'subscription',
      name,
      role: SUBSCRIBER,
      why: 'reads and acks what it consumes',
    })),
    project('roles/pubsub.viewer', 'sees at its start that its topics and subscriptions are there; reads no message'),
  ];
}

/** A prefix that another covers is left out: a whole port before the parts every service needs. */
function bucketGrants({ name, uses }: Declared): readonly Grant[] {
  const wanted: [string, string][] = [
    ...(uses.includes('store') ? [[STORE, 'moves its checkpoints and leases'] as [string, string]] : []),
    ...(uses.includes('objects')
      ? [[OBJECTS, 'keeps its own objects, claims and dead letters'] as [string, string]]
      : []),
    [LEASES, 'takes its leases'],
    [CLAIMS, 'keeps and reads bodies that are too large for a message'],
    [`${OBJECTS}${DEAD_LETTERS_PREFIX}${name}/`, 'stores what it parks'],
  ];
  return wanted
    .filter(([prefix]) => !wanted.some(([other]) => other !== prefix && prefix.startsWith(other)))
    .map(([prefix, why]) => ({ on: 'bucket', name: prefix, role: OBJECT_USER, why }));
}

/** An ingest service may only ask which ids are held; what belongs to no source and uses the warehouse writes it. */
function warehouseGrants({ uses, source }: Declared): readonly Grant[] {
  if (!uses.includes('warehouse')) return [];
  const asks = project('roles/bigquery.jobUser', 'runs its queries');
  if (source !== null) return [dataset('store dataset', 'roles/bigquery.dataViewer', 'asks which ids are held'), asks];
  return [
    dataset('store dataset', 'roles/bigquery.dataEditor', 'appends rows; sees whether its tables are as it expects'),
    dataset('views dataset', 'roles/bigquery.metadataViewer', 'sees whether the views are as it expects'),
    asks,
  ];
}

function secretGrants({ config }: Declared): readonly Grant[] {
  return Object.entries(secretsOf(config)).map(([name]) => ({
    on: 'secret',
    name,
    role: 'roles/secretmanager.secretAccessor',
    why: 'signs in at its source, or verifies its pushes',
  }));
}

function project(role: string, why: string): Grant {
  return { on: 'project', name: '', role, why };
}

function dataset(on: 'store dataset' | 'views dataset', role: string, why: string): Grant {
  return { on, name: '', role, why };
}
