/**
 * What `ensure` makes, as the emulator tells it. It keeps policies and durations as they were given, counts attempts and
 * forwards; it ignores filters, never lets a subscription expire, knows no permissions (on the service the Pub/Sub agent
 * needs a grant on the dead-letter topic and on the subscription, or it forwards nothing), and on it a new subscription
 * gets what its topic retains.
 */
import { expect, it } from 'vitest';
import { Misconfigured } from '#core/errors.ts';
import { retry } from '#core/disposition.ts';
import { deadLetterTopic } from '#core/topics.ts';
import { systemClock } from '#adapters/clock/system.ts';
import { givenUpHandler } from '#runtime/given-up.ts';
import { describeOnEmulator, live, many, PROJECT, remembering, spec, text, unused, until } from './kit.ts';

const HOUR_SECONDS = 3_600;

await describeOnEmulator('the topology on Pub/Sub', (world) => {
  it('keeps for a day what raw topics carry, for replays, and nothing of others', async () => {
    const [raw, other] = [unused('raw.kept'), unused('canonical.kept')];
    await (await world.broker()).ensure([raw, other], []);
    const client = await world.client();
    const [rawTopic] = await client.topic(raw).getMetadata();
    const [otherTopic] = await client.topic(other).getMetadata();
    expect(Number(rawTopic.messageRetentionDuration?.seconds)).toBe(24 * HOUR_SECONDS);
    expect(otherTopic.messageRetentionDuration).toBeNull();
  });

  it('gives a shared subscription all it needs: it never expires, and has deadline, retention, back-off and filter', async () => {
    const topic = unused('canonical.shared');
    const broker = await world.broker();
    const shared = spec(topic, { ackDeadlineSeconds: 45 });
    await broker.ensure([topic], [shared]);
    const [metadata] = await (await world.client()).subscription(shared.name).getMetadata();
    expect(metadata).toMatchObject({
      ackDeadlineSeconds: 45,
      filter: 'attributes.lane="live" AND (NOT attributes:to OR attributes.to="reader")',
      messageRetentionDuration: { seconds: String(7 * 24 * HOUR_SECONDS) },
      retryPolicy: { minimumBackoff: { seconds: '1' }, maximumBackoff: { seconds: '60' } },
      expirationPolicy: { ttl: null },
      enableMessageOrdering: false,
      enableExactlyOnceDelivery: false,
    });
  });

  it('lets the subscription of a broadcast instance expire after a day, and deletes it when the instance ends in order', async () => {
    const topic = unused('canonical.broadcast');
    const broker = await world.broker();
    const broadcast = spec(topic, { sharing: 'broadcast' });
    await broker.ensure([topic], [broadcast]);
    const consumer = broker.consume(broadcast, remembering().handler);
    await consumer.started;
    const client = await world.client();
    const [instances] = await client.topic(topic).getSubscriptions();
    expect(instances).toHaveLength(1);
    const [metadata] = (await instances[0]?.getMetadata()) ?? [];
    expect(metadata?.expirationPolicy).toMatchObject({ ttl: { seconds: String(24 * HOUR_SECONDS) } });
    expect(Number(metadata?.messageRetentionDuration?.seconds)).toBeLessThanOrEqual(24 * HOUR_SECONDS);
    await consumer.drain(1_000);
    expect((await client.topic(topic).getSubscriptions())[0]).toHaveLength(0);
  });

  it('refuses a broadcast whose topic nobody declared', async () => {
    const broker = await world.broker();
    const broadcast = spec(unused('canonical.nobody'), { sharing: 'broadcast' });
    await expect(broker.ensure([], [broadcast])).rejects.toBeInstanceOf(Misconfigured);
  });

  it('seeks a new instance back over what its topic retains, and gives it nothing older before', async () => {
    const topic = unused('raw.replay');
    const broker = await world.broker();
    const broadcast = spec(topic, { sharing: 'broadcast' });
    await broker.ensure([topic], [broadcast]);
    const before = new Date(systemClock.nowMicros() / 1_000 - 1_000);
    await broker.publish(topic, many(20, 'old-'), 'power');
    const { seen, handler } = remembering();
    const consumer = broker.consume(broadcast, handler);
    await consumer.started;
    await broker.publish(topic, many(1, 'new-'), 'power');
    await until(() => seen.length > 0);
    expect(seen.map(text)).toEqual(['new-0']);
    await broker.seek(broadcast.name, before);
    await until(() => many(20, 'old-').every((one) => seen.some((other) => text(other) === text(one))));
  });

  it('makes a dead-letter policy of 100 attempts for a service that has a dead-letter topic', async () => {
    const service = unused('service');
    const [topic, deadLetters] = [unused('raw.policy'), deadLetterTopic(service)];
    const [work, givenUp] = [spec(topic, { service }), spec(deadLetters, { service, lane: 'any' })];
    await (await world.broker()).ensure([topic, deadLetters], [work, givenUp]);
    const client = await world.client();
    const [metadata] = await client.subscription(work.name).getMetadata();
    expect(metadata.deadLetterPolicy).toEqual({
      deadLetterTopic: `projects/${PROJECT}/topics/${deadLetters}`,
      maxDeliveryAttempts: 100,
    });
    const [ofGivenUp] = await client.subscription(givenUp.name).getMetadata();
    expect(ofGivenUp.deadLetterPolicy).toBeNull();
  });

  it('makes none where the topic is missing, since what is forwarded to nobody is lost, and adds it when it is there', async () => {
    const service = unused('service');
    const topic = unused('raw.later');
    const work = spec(topic, { service });
    await (await world.broker()).ensure([topic], [work]);
    const client = await world.client();
    expect((await client.subscription(work.name).getMetadata())[0].deadLetterPolicy).toBeNull();
    await (await world.broker()).ensure([topic, deadLetterTopic(service)], [work]);
    const [metadata] = await client.subscription(work.name).getMetadata();
    expect(metadata.deadLetterPolicy?.maxDeliveryAttempts).toBe(100);
  });

  it('leaves what an operator changed as it is', async () => {
    const topic = unused('raw.operator');
    const work = spec(topic);
    await (await world.broker()).ensure([topic], [work]);
    const subscription = (await world.client()).subscription(work.name);
    await subscription.setMetadata({ ackDeadlineSeconds: 599, messageRetentionDuration: 86_400 });
    await (await world.broker()).ensure([topic], [work]);
    const [metadata] = await subscription.getMetadata();
    expect(metadata).toMatchObject({ ackDeadlineSeconds: 599, messageRetentionDuration: { seconds: '86400' } });
  });

  it('forwards what the broker gives up to the service, which parks it as it was published, and acks it', async () => {
    const service = unused('service');
    const [topic, deadLetters] = [unused('raw.poison'), deadLetterTopic(service)];
    const [work, givenUp] = [spec(topic, { service }), spec(deadLetters, { service, lane: 'any' })];
    const broker = await world.broker();
    await broker.ensure([topic, deadLetters], [work, givenUp]);
    // As few attempts as Pub/Sub allows, and no back-off: a hundred would take an hour.
    const patient = { deadLetterTopic: `projects/${PROJECT}/topics/${deadLetters}`, maxDeliveryAttempts: 5 };
    const impatient = { minimumBackoff: { seconds: 0 }, maximumBackoff: { seconds: 0 } };
    const metadata = { deadLetterPolicy: patient, retryPolicy: impatient };
    await (await world.client()).subscription(work.name).setMetadata(metadata);
    const worker = remembering(() => retry(0, 'never'));
    broker.consume(work, worker.handler);
    const parked: { readonly text: string; readonly attributes: object; readonly failure: object }[] = [];
    const handler = givenUpHandler({
      declared: { name: service, subscribes: {} } as never,
      parking: {
        park: async (message, failure) =>
          void parked.push({ text: text(message), attributes: message.attributes, failure }),
      },
      clock: systemClock,
      telemetry: { emit: () => undefined } as never,
    });
    const rest = remembering();
    const consumer = broker.consume(
      givenUp,
      async (batch, signal) => (await rest.handler(batch, signal), handler(batch, signal)),
    );
    await broker.publish(topic, [live('poison', { key: 'k' })], 'kill');
    await until(() => parked.length > 0);
    expect(parked[0]).toMatchObject({
      text: 'poison',
      attributes: { lane: 'live', key: 'k' },
      failure: { service, subscription: work.name, code: 'broker_gave_up' },
    });
    expect(Object.keys(parked[0]?.attributes ?? {}).sort()).toEqual(['key', 'lane']);
    expect(Math.max(...worker.seen.map(({ deliveryAttempts }) => deliveryAttempts))).toBeGreaterThanOrEqual(4);
    await consumer.drain(1_000);
    expect(rest.seen).toHaveLength(1);
  });
});
