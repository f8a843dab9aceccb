import avsc from 'avsc';
import { afterEach, describe, expect, it } from 'vitest';
import PubSubApiClient from 'salesforce-pubsub-api-client';
import { bitmaps } from '#tools/simulators/salesforce/events/bitmap.ts';
import { makeCertificate } from '#tools/simulators/salesforce/events/certificate.ts';
import { startEvents, type Events } from '#tools/simulators/salesforce/events/server.ts';
import { createWorld, recordId } from '#tools/simulators/world/index.ts';

const ORG = '00D000000000001AAA';
const SESSION = '00D000000000001!session';
const closing: (() => unknown)[] = [];
afterEach(async () => {
  // The server first: the package throws what a stream says after its close() into the void.
  for (const close of closing.splice(0)) await close();
});

async function vendor(): Promise<{ readonly events: Events; readonly world: ReturnType<typeof createWorld> }> {
  const world = createWorld({ seed: 3, contacts: 50 });
  const events = await startEvents({
    world,
    orgId: ORG,
    isSession: (token) => token === SESSION,
    tls: await makeCertificate(),
  });
  closing.push(() => events.close());
  return { events, world };
}

interface Received {
  readonly replayId: number;
  readonly payload: {
    readonly ChangeEventHeader: {
      readonly changeType: string;
      readonly recordIds: string[];
      readonly changedFields: string[];
      readonly nulledFields: string[];
    } & Record<string, unknown>;
  } & Record<string, unknown>;
}

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  trace: () => undefined,
};

/** The npm package as it comes, pointed at the simulator. */
async function client(events: Events, accessToken = SESSION) {
  const made = new PubSubApiClient(
    {
      authType: 'user-supplied',
      accessToken,
      instanceUrl: 'https://acme.my.salesforce.example',
      organizationId: ORG,
      pubSubEndpoint: events.endpoint.replace('127.0.0.1', 'localhost'),
      rejectUnauthorizedSsl: false,
    },
    SILENT,
  );
  await made.connect();
  closing.push(() => made.close());
  return made;
}

/** Resolves with the first `count` events, or the error the stream ended with. */
function receive(
  subscribe: (callback: (info: unknown, type: string, data?: unknown) => void) => void,
  count: number,
): Promise<Received[] | { readonly error: Error & { code?: number } }> {
  const received: Received[] = [];
  return new Promise((resolve) => {
    subscribe((_info, type, data) => {
      if (type === 'event') received.push(data as Received);
      if (type === 'error') resolve({ error: data as Error });
      if (received.length === count) resolve(received);
    });
  });
}

const contact = (index: number): string => recordId('Contact', index);

describe('a client that we did not write', () => {
  it('receives what changed, its fields decoded from bitmaps, compounds nested', async () => {
    const { events, world } = await vendor();
    const pubsub = await client(events);
    world.commit({
      changes: [
        {
          kind: 'update',
          object: 'Contact',
          id: contact(1),
          values: { Title: null, Email: 'new@example.com', FirstName: 'Neu', MailingCity: 'Köln' },
        },
      ],
    });
    const [event] = (await receive(
      (callback) => pubsub.subscribeFromEarliestEvent('/data/ContactChangeEvent', callback as never, 1),
      1,
    )) as Received[];
    expect(event?.payload.ChangeEventHeader).toMatchObject({
      changeType: 'UPDATE',
      recordIds: [contact(1)],
      nulledFields: ['Title'],
    });
    expect(event?.payload.ChangeEventHeader.changedFields).toEqual(
      expect.arrayContaining(['Email', 'Title', 'Name.FirstName', 'MailingAddress.City', 'LastModifiedDate']),
    );
    expect(event?.payload['Email']).toBe('new@example.com');
    expect(event?.payload['SystemModstamp']).toBeUndefined();
  });

  it('receives one event for the same change to several records, and none for a hard delete', async () => {
    const { events, world } = await vendor();
    const pubsub = await client(events);
    world.commit({
      changes: [1, 2, 3].map((index) => ({
        kind: 'update',
        object: 'Contact',
        id: contact(index),
        values: { Department: 'Same' },
      })),
    });
    world.commit({ changes: [{ kind: 'delete', object: 'Contact', id: contact(4) }] });
    world.commit({ changes: [{ kind: 'purge', object: 'Contact', id: contact(4) }] });
    world.commit({ changes: [{ kind: 'delete', object: 'Contact', id: contact(5) }] });
    const received = (await receive(
      (callback) => pubsub.subscribeFromEarliestEvent('/data/ChangeEvents', callback as never, 3),
      3,
    )) as Received[];
    expect(
      received.map(({ payload }) => [payload.ChangeEventHeader.changeType, payload.ChangeEventHeader.recordIds.length]),
    ).toEqual([
      ['UPDATE', 3],
      ['DELETE', 1],
      ['DELETE', 1],
    ]);
  });

  it('goes on after a replay id, and is refused an expired one', async () => {
    const { events, world } = await vendor();
    const pubsub = await client(events);
    for (const index of [1, 2, 3])
      world.commit({
        changes: [{ kind: 'update', object: 'Contact', id: contact(index), values: { Title: `T${index}` } }],
      });
    const [first] = (await receive(
      (callback) => pubsub.subscribeFromEarliestEvent('/data/ChangeEvents', callback as never, 1),
      1,
    )) as Received[];
    const other = await client(events);
    const rest = (await receive(
      (callback) => other.subscribeFromReplayId('/data/ChangeEvents', callback as never, 2, first?.replayId ?? 0),
      2,
    )) as Received[];
    expect(rest.map(({ payload }) => payload['Title'])).toEqual(['T2', 'T3']);
    events.log.expire();
    const third = await client(events);
    expect(
      await receive(
        (callback) => third.subscribeFromReplayId('/data/ChangeEvents', callback as never, 2, first?.replayId ?? 0),
        2,
      ),
    ).toMatchObject({ error: { code: 3 } });
  });

  it('is refused without a valid session', async () => {
    const { events } = await vendor();
    const pubsub = await client(events, '00D000000000001!forged');
    expect(await receive((callback) => pubsub.subscribe('/data/ChangeEvents', callback as never, 1), 1)).toMatchObject({
      error: { code: 16 },
    });
  });

  it('is refused a topic that does not exist', async () => {
    const { events } = await vendor();
    const pubsub = await client(events);
    expect(
      await receive((callback) => pubsub.subscribe('/data/UnicornChangeEvent', callback as never, 1), 1),
    ).toMatchObject({ error: { code: 5 } });
  });
});

describe('the change log', () => {
  it('writes with another schema after a field was added, and still knows the old one', async () => {
    const { events, world } = await vendor();
    const before = events.log.schemaOf('Contact');
    world.addField('Contact', 'Shoe_Size__c:double(4.1)');
    expect(events.log.schemaOf('Contact').id).not.toBe(before.id);
    expect(events.log.schema(before.id)).toBe(before);
  });

  it('gap events have a header and no fields; an overflow names no record', async () => {
    const { events } = await vendor();
    events.log.gap('Contact', [contact(1), contact(2)], 'GAP_UPDATE');
    events.log.gap('Account', [], 'GAP_OVERFLOW');
    const decoded = [0, 1].map((position) => {
      const entry = events.log.at(position)!;
      return avsc.Type.forSchema(JSON.parse(events.log.schema(entry.schemaId)!.json) as avsc.Schema, {
        wrapUnions: false,
      }).fromBuffer(entry.payload) as Received['payload'];
    });
    expect(decoded.map(({ ChangeEventHeader }) => [ChangeEventHeader.changeType, ChangeEventHeader.recordIds])).toEqual(
      [
        ['GAP_UPDATE', [contact(1), contact(2)]],
        ['GAP_OVERFLOW', ['000000000000000AAA']],
      ],
    );
    expect(decoded[0]?.['Email']).toBeNull();
  });

  it.each([
    [
      [
        { index: 3, nested: null },
        { index: 2, nested: 1 },
        { index: 2, nested: 2 },
      ],
      ['0x08', '2-0x06'],
    ],
    [[{ index: 9, nested: null }], ['0x0200']],
    [[], []],
  ])('the places %j are the bitmaps %j', (places, expected) => {
    expect(bitmaps(places)).toEqual(expected);
  });
});
