import { describe, expect, it } from 'vitest';
import { Codec } from '#core/codec.ts';
import { decodeDeadLetter, replayMessage } from '#core/dead-letter.ts';
import { DependencyDown } from '#core/errors.ts';
import type { Delivered, Message } from '#core/ports/broker.ts';
import type { Declared } from '#core/service.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { discoverServices } from '#runtime/discover.ts';
import { errorNotice } from '#runtime/error-notice.ts';
import { givenUpHandler } from '#runtime/given-up.ts';
import { createParking, type Parking } from '#runtime/park.ts';
import { topologyOf } from '#runtime/topology.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const FLOW = { batchMessages: 1, batchBytes: 1, lingerMs: 0, outstandingMessages: 1, outstandingBytes: 1 };
const DECLARED: Declared = {
  name: 'normalizer',
  doc: '',
  source: null,
  uses: [],
  publishes: [],
  subscribes: {
    salesforce: { topic: 'raw.salesforce', sharing: 'shared', ackDeadlineSeconds: 60, flow: FLOW },
  },
  routes: {},
  schedules: {},
  singletons: {},
  underLease: false,
  commands: {},
  config: {},
};

const FORWARDED = {
  CloudPubSubDeadLetterSourceSubscription: 'normalizer.salesforce.live',
  CloudPubSubDeadLetterSourceSubscriptionProject: 'project',
  CloudPubSubDeadLetterSourceDeliveryCount: '100',
  CloudPubSubDeadLetterSourceTopicPublishTime: '2026-11-20T10:00:00.000Z',
};

const ATTRIBUTES = { 'ce-id': 'e1', lane: 'live', key: 'salesforce/org/Contact/003' };

function delivered(attributes: Readonly<Record<string, string>>): Delivered {
  return { messageId: '1', body: Buffer.from([255, 0]), attributes, publishedAt: new Date(0), deliveryAttempts: 1 };
}

function world(parking?: Parking) {
  const stored = new Map<string, Uint8Array>();
  const published: { readonly topic: string; readonly message: Message }[] = [];
  const objects = { put: async (name: string, bytes: Uint8Array) => void stored.set(name, bytes) };
  const publisher = {
    publish: async (topic: string, messages: readonly Message[]) =>
      void messages.forEach((message) => published.push({ topic, message })),
  };
  const ours = createParking({ objects: objects as never, publisher, codec: new Codec(), installation: 'test' });
  const handler = givenUpHandler({
    declared: DECLARED,
    parking: parking ?? ours,
    clock: virtualClock(),
    telemetry: new TelemetryHub(),
  });
  const handle = (message: Delivered) => handler([message], new AbortController().signal);
  return { stored, published, handle };
}

describe('what the broker gives up', () => {
  it('is not acked while it cannot be parked', async () => {
    const down = { park: () => Promise.reject(new DependencyDown('objects', 'The bucket does not answer.')) };
    await expect(world(down).handle(delivered({ ...ATTRIBUTES, ...FORWARDED }))).rejects.toBeInstanceOf(DependencyDown);
  });

  it('is parked as a dead letter of the subscription that failed, and then acked', async () => {
    const { stored, handle } = world();
    expect(await handle(delivered({ ...ATTRIBUTES, ...FORWARDED }))).toEqual([{ kind: 'ack' }]);
    const [[name, bytes]] = [...stored] as [[string, Uint8Array]];
    expect(name).toMatch(/^dead-letters\/normalizer\/broker_gave_up\//);
    expect(decodeDeadLetter(bytes)).toMatchObject({
      subscription: 'normalizer.salesforce.live',
      topic: 'raw.salesforce',
      attempts: 100,
      firstFailedAtMicros: Date.UTC(2026, 10, 20, 10) * 1_000,
    });
  });

  it('is replayed as it was published, to the topic it came from and to the service that failed', async () => {
    const { stored, handle } = world();
    await handle(delivered({ ...ATTRIBUTES, ...FORWARDED }));
    const again = replayMessage(decodeDeadLetter([...stored.values()][0] as Uint8Array));
    expect(again.attributes).toEqual({ ...ATTRIBUTES, lane: 'bulk', to: 'normalizer', replays: '1' });
    expect(Buffer.from(again.body)).toEqual(Buffer.from([255, 0]));
  });

  it('of a subscription that is no more comes back to the same place when it is replayed, and is not lost', async () => {
    const { stored, handle } = world();
    const gone = { ...FORWARDED, CloudPubSubDeadLetterSourceSubscription: 'normalizer.hubspot.live' };
    await handle(delivered({ ...ATTRIBUTES, ...gone }));
    expect(decodeDeadLetter([...stored.values()][0] as Uint8Array).topic).toBe('dead-letter.normalizer');
  });

  it('is parked once: what we parked ourselves is acked at once, forwarded or not', async () => {
    const { stored, published, handle } = world();
    const ours = { ...ATTRIBUTES, 'dead-letter-id': 'x', 'dead-letter-code': 'no_mapper' };
    expect(await handle(delivered(ours))).toEqual([{ kind: 'ack' }]);
    expect(await handle(delivered({ ...ours, ...FORWARDED }))).toEqual([{ kind: 'ack' }]);
    expect([stored.size, published.length]).toEqual([0, 0]);
  });

  it('is told from what somebody else publishes there, which is discarded and counted', async () => {
    expect(await world().handle(delivered(ATTRIBUTES))).toEqual([{ kind: 'discard', reason: 'not_a_dead_letter' }]);
  });

  it('always has a subscription, for every service there is', async () => {
    const services = await discoverServices();
    const { topics, subscriptions } = topologyOf(services);
    const deadLetters = topics.filter((topic) => topic.startsWith('dead-letter.'));
    expect(deadLetters).toHaveLength(services.length);
    for (const topic of deadLetters) expect(subscriptions.some((spec) => spec.topic === topic)).toBe(true);
    expect(topics).toContain('ingestion-errors');
  });
});

describe('the notice of a parked message', () => {
  it('goes to ingestion-errors with every dead letter', async () => {
    const { published, handle } = world();
    await handle(delivered({ ...ATTRIBUTES, ...FORWARDED }));
    expect(published.map(({ topic }) => topic).sort()).toEqual([
      'dead-letter.normalizer',
      'ingestion-errors',
      'ops.event',
    ]);
  });

  it('names the dead letter, the service and the kind of record, and nothing of a person', () => {
    const letter = {
      id: 'letter',
      service: 'normalizer',
      subscription: 'normalizer.gmail.live',
      topic: 'raw.gmail',
      code: 'mapper_failed',
      reason: 'ada@example.com is no address',
      attempts: 3,
      replays: 0,
      firstFailedAtMicros: 0,
      parkedAtMicros: 1_000_000,
      attributes: { key: 'gmail/ada%2Fsales@example.com/message/18c', 'ce-source': '/gmail/ada@example.com' },
      bodyBase64: Buffer.from('ada@example.com').toString('base64'),
    };
    const { body, attributes } = errorNotice(letter);
    expect(JSON.parse(Buffer.from(body).toString())).toEqual({
      deadLetterId: 'letter',
      code: 'mapper_failed',
      service: 'normalizer',
      subscription: 'normalizer.gmail.live',
      source: 'gmail',
      object: 'message',
      attempts: 3,
      parkedAt: '1970-01-01T00:00:01.000Z',
    });
    expect(attributes).toEqual({ contentType: 'application/json', service: 'normalizer', code: 'mapper_failed' });
    expect(`${Buffer.from(body).toString()} ${JSON.stringify(attributes)}`).not.toMatch(/ada|18c/);
  });

  it.each([[undefined], ['not a key'], ['a/b']])('says nothing of the record of a message with the key %s', (key) => {
    const letter = {
      id: 'i',
      service: 's',
      subscription: 's.x.live',
      topic: 't',
      code: 'c',
      reason: 'r',
      attempts: 0,
      replays: 0,
      firstFailedAtMicros: 0,
      parkedAtMicros: 0,
      attributes: key === undefined ? {} : { key },
      bodyBase64: '',
    };
    expect(JSON.parse(Buffer.from(errorNotice(letter).body).toString())).toMatchObject({ source: null, object: null });
  });
});
