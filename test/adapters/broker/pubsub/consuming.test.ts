/**
 * What Google's client does unless it is told otherwise, and what the adapter makes of it. Leases of an hour, a stream's
 * 10 MB a second and what a region loses only the service can show; so can attempts without a dead-letter policy, which
 * are 0 there and counted by the emulator.
 */
import { expect, it } from 'vitest';
import { SubscriptionCloseBehaviors } from '@google-cloud/pubsub';
import { streamOptions } from '#adapters/broker/pubsub/stream.ts';
import { systemClock } from '#adapters/clock/system.ts';
import { ack, retry } from '#core/disposition.ts';
import { DependencyDown, Misconfigured } from '#core/errors.ts';
import type { Delivered } from '#core/ports/broker.ts';
import { describeOnEmulator, FLOW, live, many, remembering, spec, text, unused, until, type World } from './kit.ts';

const DRAIN_WITHIN_MS = 10_000;

async function river(world: World, part: Parameters<typeof spec>[1] = {}) {
  const topic = unused('canonical.river');
  const broker = await world.broker();
  const subscription = spec(topic, part);
  await broker.ensure([topic], [subscription]);
  return { topic, broker, subscription };
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

await describeOnEmulator('consuming from Pub/Sub', (world) => {
  it('delivers again what was handed and not answered when its process ended', async () => {
    const { topic, broker, subscription } = await river(world);
    const handed: Delivered[] = [];
    broker.consume(subscription, (batch) => (handed.push(...batch), never()));
    await broker.publish(topic, many(20), 'power');
    await until(() => handed.length === 20);
    await broker.close();
    const { seen, handler } = remembering();
    (await world.broker()).consume(subscription, handler);
    await until(() => many(20).every((one) => seen.some((other) => text(other) === text(one))));
  });

  it('acks only what was answered: the rest of a drain in the middle comes again, nothing is lost, and it takes less than ten seconds', async () => {
    const { topic, broker, subscription } = await river(world, { flow: { ...FLOW, batchMessages: 10 } });
    const done = new Set<string>();
    let batches = 0;
    const consumer = broker.consume(subscription, async (batch) => {
      batches += 1;
      if (batches > 5) return never();
      for (const message of batch) done.add(text(message));
      return batch.map(() => ack);
    });
    await broker.publish(topic, many(300), 'power');
    await until(() => batches > 5);
    const startedMs = systemClock.monotonicMs();
    await consumer.drain(500);
    await broker.close();
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(DRAIN_WITHIN_MS);
    const { seen, handler } = remembering();
    (await world.broker()).consume(subscription, handler);
    const isDone = ({ body }: { body: Uint8Array }): boolean => done.has(Buffer.from(body).toString());
    await until(() => many(300).every((one) => isDone(one) || seen.some((other) => text(other) === text(one))));
    // An ack may be lost by law; the emulator keeps those that were sent before the stream closed.
    expect(seen.filter(isDone)).toEqual([]);
  });

  it('sends before it closes the acks that still wait for company', async () => {
    const { topic, broker, subscription } = await river(world);
    const first = remembering();
    const consumer = broker.consume(subscription, first.handler);
    await broker.publish(topic, many(5), 'power');
    await until(() => first.seen.length === 5);
    await consumer.drain(1_000);
    const second = remembering();
    const next = await world.broker();
    next.consume(subscription, second.handler);
    await next.publish(topic, many(1, 'mark-'), 'power');
    await until(() => second.seen.length > 0);
    expect(second.seen.map(text)).toEqual(['mark-0']);
  });

  it('survives a handler that rejects, and one that throws at once: the client would take neither for a nack', async () => {
    const { topic, broker, subscription } = await river(world);
    let calls = 0;
    const { seen, handler } = remembering();
    broker.consume(subscription, (batch, signal) => {
      calls += 1;
      if (calls === 1) throw new Error('at once');
      return calls === 2 ? Promise.reject(new Error('later')) : handler(batch, signal);
    });
    await broker.publish(topic, many(3), 'kill');
    await until(() => many(3).every((one) => seen.some((other) => text(other) === text(one))));
    expect(calls).toBeGreaterThanOrEqual(3);
  });

  it('holds no more messages than it may, though the client by default takes all it is sent', async () => {
    const flow = { ...FLOW, batchMessages: 10, outstandingMessages: 30 };
    const { topic, broker, subscription } = await river(world, { flow });
    let held = 0;
    broker.consume(subscription, (batch) => ((held += batch.length), never()));
    await broker.publish(topic, many(500), 'kill');
    await until(() => held >= 30);
    await systemClock.sleep(300);
    expect(held).toBe(30);
  });

  it('divides what a service may hold among its open subscriptions, and anew when a stream is opened', async () => {
    const topic = unused('canonical.shares');
    const broker = await world.broker({ outstandingMessagesTotal: 40 });
    const [one, other] = [spec(topic), spec(topic)];
    await broker.ensure([topic], [one, other]);
    let held = 0;
    const first = broker.consume(one, (batch) => ((held += batch.length), never()));
    const second = broker.consume(other, remembering().handler);
    await broker.publish(topic, many(200), 'kill');
    await until(() => held >= 20);
    await systemClock.sleep(300);
    expect(held).toBe(20);
    await second.drain(1_000);
    await first.pause();
    held = 0;
    first.resume();
    await until(() => held >= 40);
    await systemClock.sleep(300);
    expect(held).toBe(40);
  });

  it('tells of a subscription that is gone for good: the client closes its stream and never comes back', async () => {
    const { broker, subscription } = await river(world);
    const consumer = broker.consume(subscription, remembering().handler);
    await consumer.started;
    await systemClock.sleep(300);
    await (await world.client()).subscription(subscription.name).delete();
    await expect(consumer.ended).rejects.toBeInstanceOf(Misconfigured);
  });

  it('lets no late answer of a stream that was closed pass for an ack', async () => {
    const { topic, broker, subscription } = await river(world);
    const opened = Promise.withResolvers<void>();
    const handed: Delivered[] = [];
    const consumer = broker.consume(subscription, async (batch) => {
      handed.push(...batch);
      if (handed.length <= 5) await opened.promise;
      return batch.map(() => ack);
    });
    await broker.publish(topic, many(5), 'kill');
    await until(() => handed.length === 5);
    await consumer.pause();
    opened.resolve();
    consumer.resume();
    await until(() => handed.length >= 10);
  });

  it('is not quiet while something is held, on its way back, or was just done', async () => {
    const { topic, broker, subscription } = await river(world);
    let times = 0;
    broker.consume(subscription, async (batch) => {
      times += 1;
      await systemClock.sleep(200);
      return batch.map(() => (times === 1 ? retry(0, 'again') : ack));
    });
    await broker.publish(topic, [live('m')], 'kill');
    await until(() => times === 1);
    expect(broker.quietForMs()).toBe(0);
    await systemClock.sleep(400);
    // Given back: the server waits at least a second before it delivers it again, and tells nobody.
    if (times === 1) expect(broker.quietForMs()).toBe(0);
    await until(() => times === 2);
    await until(() => broker.quietForMs() > 500);
  });

  it('opens one stream instead of five, leases for as long as an hour, and no lease longer than the deadline', () => {
    const options = streamOptions(spec('canonical.any', { ackDeadlineSeconds: 45 }), FLOW);
    expect(options.streamingOptions).toEqual({ maxStreams: 1 });
    expect(options.flowControl?.allowExcessMessages).toBe(false);
    expect(options.maxExtensionTime?.minutes).toBe(60);
    expect(options.maxAckDeadline?.seconds).toBe(45);
    expect(options.closeOptions?.behavior).toBe(SubscriptionCloseBehaviors.NackImmediately);
    expect(options.closeOptions?.timeout?.seconds).toBeLessThan(3);
  });
});

await describeOnEmulator('a Pub/Sub that stops', (world) => {
  it('ends no process and holds up no drain: it is opened again, publishing fails, and what was sent is acked nowhere', async () => {
    const { topic, broker, subscription } = await river(world);
    const raw = (await world.client()).subscription(spec(topic).name);
    const handed: Delivered[] = [];
    const consumer = broker.consume(subscription, (batch) => (handed.push(...batch), never()));
    const broadcast = broker.consume(spec(topic, { sharing: 'broadcast' }), remembering().handler);
    await broadcast.started;
    await broker.publish(topic, many(5), 'kill');
    await until(() => handed.length === 5);
    raw.on('error', () => undefined);
    await (await world.emulator()).stop();
    const publishing = broker.publish(topic, many(1), 'kill').catch((error: unknown) => error);
    const startedMs = systemClock.monotonicMs();
    await Promise.all([consumer.drain(500), broadcast.drain(500)]);
    await broker.close().catch(() => undefined);
    expect(systemClock.monotonicMs() - startedMs).toBeLessThan(DRAIN_WITHIN_MS);
    expect(await publishing).toBeInstanceOf(DependencyDown);
  });
});
