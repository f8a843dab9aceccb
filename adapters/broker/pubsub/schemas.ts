/**
 * Topic schemas in Pub/Sub's schema service. A schema is called like its topic. A definition that is new there becomes a
 * revision; topics name neither a first nor a last one, so that a message of any revision may be published: a dead
 * letter's replay sends bytes that an older version wrote, and a rolling update publishes with two versions at once.
 */
import type { PubSub } from '@google-cloud/pubsub';
import { typeFor } from '#core/codec.ts';
import { Misconfigured } from '#core/errors.ts';
import { ALREADY_EXISTS, NOT_FOUND, RESOURCE_EXHAUSTED, pubsubError, statusOf } from './errors.ts';

type SchemaService = Awaited<ReturnType<PubSub['getSchemaClient']>>;
type Type = ReturnType<typeof typeFor>;

const AVRO = 'AVRO';

/** Resolves with the schema's full name once the service knows this definition, as its newest revision or an older one. */
export async function ensureSchema(client: PubSub, id: string, definition: string): Promise<string> {
  const service = await client.getSchemaClient();
  const parent = `projects/${client.projectId}`;
  const name = `${parent}/schemas/${id}`;
  try {
    await service.createSchema({ parent, schemaId: id, schema: { type: AVRO, definition } });
  } catch (error) {
    if (statusOf(error) !== ALREADY_EXISTS) throw pubsubError(error, `schema ${id}`);
    await ensureRevision(service, name, definition);
  }
  return name;
}

/** Whether a revision of the schema is this definition. False without such a schema. */
export async function knowsDefinition(client: PubSub, id: string, definition: string): Promise<boolean> {
  const service = await client.getSchemaClient();
  try {
    return await hasRevision(service, `projects/${client.projectId}/schemas/${id}`, typeOf(definition));
  } catch (error) {
    if (statusOf(error) === NOT_FOUND) return false;
    throw pubsubError(error, `schema ${id}`);
  }
}

async function hasRevision(service: SchemaService, name: string, wanted: Type): Promise<boolean> {
  const [revisions] = await service.listSchemaRevisions({ name, view: 'FULL' });
  const types = revisions.map((revision) => typeOf(revision.definition ?? ''));
  return types.some((type) => fingerprint(type) === fingerprint(wanted));
}

/**
 * Any equal revision will do: a process of the version before, restarted during an update, must not commit its definition
 * again. Equal means that the bytes are: Avro's canonical form, without documentation.
 */
async function ensureRevision(service: SchemaService, name: string, definition: string): Promise<void> {
  const id = name.slice(name.lastIndexOf('/') + 1);
  const wanted = typeOf(definition);
  try {
    if (await hasRevision(service, name, wanted)) return;
    const [newest] = await service.getSchema({ name, view: 'FULL' });
    refuseIncompatible(id, typeOf(newest.definition ?? ''), wanted);
    await service.commitSchema({ name, schema: { name, type: AVRO, definition } });
  } catch (error) {
    if (statusOf(error) === RESOURCE_EXHAUSTED) throw revisionsFull(id, error);
    throw pubsubError(error, `schema ${id}`);
  }
}

/** The service wants a new revision to read the newest and to be read by it; the emulator takes anything. */
function refuseIncompatible(id: string, newest: Type, wanted: Type): void {
  try {
    wanted.createResolver(newest);
    newest.createResolver(wanted);
  } catch (cause) {
    const text = `The schema of topic ${id} and its newest revision on Pub/Sub cannot read each other: give the new field a default.`;
    throw new Misconfigured('schema_incompatible', text, { cause });
  }
}

function revisionsFull(id: string, cause: unknown): Misconfigured {
  const text = `The schema of topic ${id} has as many revisions as Pub/Sub allows: delete the oldest that no parked message was written with.`;
  return new Misconfigured('schema_revisions_full', text, { cause });
}

function typeOf(definition: string): Type {
  return typeFor(JSON.parse(definition));
}

function fingerprint(type: Type): string {
  return type.fingerprint('md5').toString('hex');
}
