/**
 * Schemas in the schema service. The emulator parses a body and compares no more than that: it takes bytes left over after
 * the record, revisions that cannot read each other, and a body of a newer schema before its revision is committed (the
 * record before it fits). The service refuses all three, by its documentation; only it can show that. What the adapter
 * itself refuses is shown here.
 */
import { expect, it } from 'vitest';
import { Codec, typeFor } from '#core/codec.ts';
import { InvalidMessage, Misconfigured } from '#core/errors.ts';
import type { Envelope } from '#core/envelope.ts';
import type { Delivered } from '#core/ports/broker.ts';
import { BODIES } from '#schemas/generated/bodies.ts';
import type { Entities } from '#schemas/generated/types.ts';
import { describeOnEmulator, live, PROJECT, remembering, spec, unused, until } from './kit.ts';

const record = (...fields: readonly object[]): string => JSON.stringify({ type: 'record', name: 'R', fields });
const A = { name: 'a', type: 'string' };
const B = { name: 'b', type: ['null', 'string'], default: null };
const bytes = (definition: string, value: unknown): Buffer => typeFor(JSON.parse(definition)).toBuffer(value);

const ENVELOPE: Envelope = {
  source: 'salesforce',
  instance: 'org',
  object: 'Contact',
  id: '003',
  operation: 'upsert',
  version: { epoch: 0, sourceSequence: 1, issuedMicros: 2, generation: 0 },
  lane: 'live',
  runId: null,
  observedAtMicros: 3,
  changedAtMicros: null,
  trace: 'trace',
  hint: null,
};

interface Field {
  readonly name: string;
  readonly type: unknown;
}

/** A record of a body in which everything is null that may be. */
function blank(name: string): unknown {
  const { fields } = BODIES[name]?.schema as { readonly fields: readonly Field[] };
  const [, record] = fields[1]?.type as readonly [string, { readonly fields: readonly Field[] } | string];
  if (typeof record === 'string') return '{}';
  return Object.fromEntries(record.fields.map(({ name: field, type }) => [field, blankOf(type)]));
}

function blankOf(type: unknown): unknown {
  if (Array.isArray(type) && type.includes('null')) return null;
  const known = typeFor(type).typeName;
  const blanks: Readonly<Record<string, unknown>> = { array: [], boolean: true, string: 'text', map: {} };
  return known in blanks ? blanks[known] : 0;
}

await describeOnEmulator('the schema of a topic', (world) => {
  async function revisions(id: string): Promise<readonly string[]> {
    const service = await (await world.client()).getSchemaClient();
    const [all] = await service.listSchemaRevisions({ name: `projects/${PROJECT}/schemas/${id}`, view: 'FULL' });
    return all.map(({ definition }) => definition ?? '');
  }

  it('refuses a body that is not of it, and says who must act', async () => {
    const topic = unused('raw.refuses');
    const broker = await world.broker({ schemas: () => record(A) });
    await broker.ensure([topic], []);
    const junk = { body: Buffer.from([200, 200, 1]), attributes: { lane: 'live' } };
    const error = await broker.publish(topic, [junk], 'kill').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(InvalidMessage);
    expect(error).toMatchObject({ code: 'broker_refused' });
  });

  it('refuses a body without a byte, which Avro has not', async () => {
    const topic = unused('raw.empty');
    const broker = await world.broker({ schemas: () => record(A) });
    await broker.ensure([topic], []);
    await expect(broker.publish(topic, [live('')], 'kill')).rejects.toBeInstanceOf(InvalidMessage);
  });

  it('is Avro in binary, of any revision', async () => {
    const topic = unused('raw.settings');
    const broker = await world.broker({ schemas: () => record(A) });
    await broker.ensure([topic], []);
    const [{ schemaSettings }] = await (await world.client()).topic(topic).getMetadata();
    expect(schemaSettings).toEqual({
      schema: `projects/${PROJECT}/schemas/${topic}`,
      encoding: 'BINARY',
      firstRevisionId: '',
      lastRevisionId: '',
    });
  });

  it.each(Object.keys(BODIES))('takes what the codec writes as a body of %s', async (name) => {
    const topic = unused(name);
    const broker = await world.broker({ schemas: () => JSON.stringify(BODIES[name]?.schema) });
    await broker.ensure([topic], []);
    const body = typeFor(BODIES[name]?.schema).toBuffer({ envelope: ENVELOPE, record: blank(name) });
    await expect(broker.publish(topic, [{ body, attributes: { lane: 'live' } }], 'kill')).resolves.toBeUndefined();
  });

  it('does not let through to us what Google adds to a message, so that it can be parked and published again', async () => {
    const topic = unused('raw.attributes');
    const broker = await world.broker({ schemas: () => record(A) });
    const subscription = spec(topic);
    await broker.ensure([topic], [subscription]);
    const raw = (await world.client()).topic(topic);
    const { seen, handler } = remembering();
    broker.consume(subscription, handler);
    await raw.publishMessage({ data: bytes(record(A), { a: 'x' }), attributes: { lane: 'live', key: 'k' } });
    await until(() => seen.length > 0);
    expect(seen[0]?.attributes).toEqual({ lane: 'live', key: 'k' });
    await expect(broker.publish(topic, seen, 'kill')).resolves.toBeUndefined();
  });

  it('is committed as a new revision when it has changed, and messages of the older one are still taken', async () => {
    const topic = unused('raw.changes');
    await (await world.broker({ schemas: () => record(A) })).ensure([topic], []);
    const broker = await world.broker({ schemas: () => record(A, B) });
    await broker.ensure([topic], []);
    expect(await revisions(topic)).toHaveLength(2);
    const messages = [bytes(record(A, B), { a: 'x', b: 'y' }), bytes(record(A), { a: 'x' })];
    for (const body of messages) await broker.publish(topic, [{ body, attributes: { lane: 'live' } }], 'kill');
  });

  it.each([
    ['the same text', record(A, B)],
    [
      'other spaces, other documentation and another order of keys',
      ` {"fields": [${JSON.stringify(A)}, {"default": null, "doc": "new", "type": ["null","string"], "name":"b"}], "name": "R", "type": "record"}`,
    ],
    ['a definition of an older revision, as a process of the version before has', record(A)],
  ])('is not committed again when it is there: %s', async (_, definition) => {
    const topic = unused('raw.equal');
    for (const schema of [record(A), record(A, B)])
      await (await world.broker({ schemas: () => schema })).ensure([topic], []);
    await (await world.broker({ schemas: () => definition })).ensure([topic], []);
    expect(await revisions(topic)).toHaveLength(2);
  });

  it.each([
    ['a new field without a default', record(A), record(A, { name: 'c', type: 'string' })],
    ['a field of another type', record(A), record({ name: 'a', type: 'long' })],
    ['a field that the older one needs left out', record(A, { name: 'c', type: 'string' }), record(A)],
  ])('is refused where it and the newest revision cannot read each other: %s', async (_, before, after) => {
    const topic = unused('raw.incompatible');
    await (await world.broker({ schemas: () => before })).ensure([topic], []);
    const error = await (
      await world.broker({ schemas: () => after })
    )
      .ensure([topic], [])
      .catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Misconfigured);
    expect(error).toMatchObject({ code: 'schema_incompatible' });
    expect(await revisions(topic)).toHaveLength(1);
  });

  it('says what to do when Pub/Sub keeps no more revisions', async () => {
    const topic = unused('raw.full');
    const field = (index: number): object => ({ ...B, name: `b${index}` });
    const broker = async (index: number) => world.broker({ schemas: () => record(A, field(index)) });
    for (let index = 0; index < 20; index++) await (await broker(index)).ensure([topic], []);
    const error = await (await broker(20)).ensure([topic], []).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'schema_revisions_full' });
  });

  it('is attached to a topic that was made without one', async () => {
    const topic = unused('raw.late');
    await (await world.broker()).ensure([topic], []);
    const broker = await world.broker({ schemas: () => record(A) });
    await broker.ensure([topic], []);
    await expect(broker.publish(topic, [live('')], 'kill')).rejects.toBeInstanceOf(InvalidMessage);
  });

  it('is refused for a topic that has another, which somebody else gave it', async () => {
    const topic = unused('raw.other');
    const client = await world.client();
    await client.createSchema(`${topic}-theirs`, 'AVRO', record(A));
    const schema = `projects/${PROJECT}/schemas/${topic}-theirs`;
    await client.createTopic({ name: topic, schemaSettings: { schema, encoding: 'JSON' } });
    const broker = await world.broker({ schemas: () => record(A) });
    await expect(broker.ensure([topic], [])).rejects.toMatchObject({ code: 'topic_differs' });
  });

  it('is none for a topic that has none, such as one of dead letters, whose bytes may be no Avro', async () => {
    const topic = unused('dead-letter.none');
    const broker = await world.broker({ schemas: () => undefined });
    await broker.ensure([topic], []);
    const damaged = { body: Buffer.from([255, 255]), attributes: {} };
    await expect(broker.publish(topic, [damaged], 'kill')).resolves.toBeUndefined();
  });

  it('lets an event of ours pass whole, and it is read as it was written', async () => {
    const topic = unused('canonical.contact');
    const broker = await world.broker({ schemas: () => JSON.stringify(BODIES['canonical.contact']?.schema) });
    const subscription = spec(topic);
    await broker.ensure([topic], [subscription]);
    const codec = new Codec();
    const event = { envelope: ENVELOPE, record: blank('canonical.contact') as Entities['contact'] };
    const { seen, handler } = remembering();
    broker.consume(subscription, handler);
    await broker.publish(topic, [codec.encodeCanonical('contact', event)], 'kill');
    await until(() => seen.length > 0);
    expect(codec.decodeCanonical('contact', seen[0] as Delivered)).toEqual(event);
  });
});
