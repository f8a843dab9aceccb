/** Publishing and consuming, by our adapter and by `@google-cloud/pubsub` as its documents show it, batched alike. */
import { PubSub } from '@google-cloud/pubsub';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { openPubsubBroker } from '#adapters/broker/pubsub/broker.ts';
import { ack } from '#core/disposition.ts';
import type { Message, SubscriptionSpec } from '#core/ports/broker.ts';
import { takeTurns, type Comparison } from './rounds.ts';

const PROJECT = 'bench';
const BATCH = 1_000;
const UNDER_WAY = 4;
const FLOW = {
  batchMessages: BATCH,
  batchBytes: 8_000_000,
  lingerMs: 0,
  outstandingMessages: 4_000,
  outstandingBytes: 64_000_000,
};

export async function comparePubsub(
  emulator: string,
  { messages, rounds }: { readonly messages: number; readonly rounds: number },
): Promise<readonly Comparison[]> {
  const broker = await openPubsubBroker({ projectId: PROJECT, clock: systemClock, random: systemRandom, emulator });
  const client = new PubSub({ projectId: PROJECT, apiEndpoint: emulator, emulatorMode: true });
  const all = Array.from({ length: messages }, (_, index) => contact(index));
  try {
    await broker.ensure(['bench.publish'], []);
    const topic = client.topic('bench.publish', {
      batching: { maxMessages: BATCH, maxBytes: 4 * 1024 * 1024, maxMilliseconds: 5 },
    });
    const published = await takeTurns(
      rounds,
      messages,
      () => inBatches(all, (batch) => broker.publish('bench.publish', batch, 'kill')),
      () =>
        inBatches(all, async (batch) => {
          await Promise.all(
            batch.map(({ body, attributes }) => topic.publishMessage({ data: Buffer.from(body), attributes })),
          );
        }),
    );
    const some = all.slice(0, Math.ceil(messages / 5));
    const consumed = await takeTurns(
      rounds,
      some.length,
      () => consumeOurs(broker, some),
      () => consumeRaw(client, broker, some),
    );
    return [
      { what: 'Pub/Sub publish', unit: 'messages', ...published },
      { what: 'Pub/Sub publish and consume', unit: 'messages', ...consumed },
    ];
  } finally {
    await broker.close();
    await client.close();
  }
}

type Broker = Awaited<ReturnType<typeof openPubsubBroker>>;
let made = 0;

async function fresh(broker: Broker): Promise<SubscriptionSpec> {
  made += 1;
  const [topic, service] = [`bench.consume-${made}`, `reader-${made}`];
  const spec: SubscriptionSpec = {
    name: `${service}.bench.bulk`,
    service,
    topic,
    lane: 'bulk',
    sharing: 'shared',
    ackDeadlineSeconds: 60,
    flow: FLOW,
  };
  await broker.ensure([topic], [spec]);
  return spec;
}

async function consumeOurs(broker: Broker, all: readonly Message[]): Promise<void> {
  const spec = await fresh(broker);
  const done = Promise.withResolvers<void>();
  let left = all.length;
  const consumer = broker.consume(spec, async (batch) => {
    left -= batch.length;
    if (left <= 0) done.resolve();
    return batch.map(() => ack);
  });
  await inBatches(all, (batch) => broker.publish(spec.topic, batch, 'kill'));
  await done.promise;
  await consumer.drain(5_000);
}

async function consumeRaw(client: PubSub, broker: Broker, all: readonly Message[]): Promise<void> {
  const { name, topic } = await fresh(broker);
  const subscription = client.subscription(name, {
    flowControl: { maxMessages: FLOW.outstandingMessages, maxBytes: FLOW.outstandingBytes },
    streamingOptions: { maxStreams: 1 },
  });
  const done = Promise.withResolvers<void>();
  let left = all.length;
  subscription.on('error', done.reject);
  subscription.on('message', (message) => {
    message.ack();
    left -= 1;
    if (left <= 0) done.resolve();
  });
  const publisher = client.topic(topic, { batching: { maxMessages: BATCH, maxMilliseconds: 5 } });
  await inBatches(all, async (batch) => {
    await Promise.all(
      batch.map(({ body, attributes }) => publisher.publishMessage({ data: Buffer.from(body), attributes })),
    );
  });
  await done.promise;
  await subscription.close();
}

async function inBatches(all: readonly Message[], send: (batch: readonly Message[]) => Promise<void>): Promise<void> {
  let at = 0;
  const sender = async (): Promise<void> => {
    while (at < all.length) {
      const from = at;
      at += BATCH;
      await send(all.slice(from, from + BATCH));
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, sender));
}

/** The size and attributes of a contact's raw event. */
function contact(index: number): Message {
  const id = `003${index.toString(36).padStart(12, '0')}AAA`;
  return {
    body: Buffer.alloc(400, `person${index}@company${index % 20_000}.example `),
    attributes: {
      'ce-specversion': '1.0',
      'ce-id': `${(index * 2_654_435_761).toString(16).padStart(16, '0')}${index}`,
      'ce-source': 'salesforce/00D000000000001',
      'ce-type': 'tributary.raw.salesforce',
      'ce-time': '2026-01-05T09:00:00.000Z',
      key: `salesforce/00D000000000001/Contact/${id}`,
      lane: 'bulk',
    },
  };
}
