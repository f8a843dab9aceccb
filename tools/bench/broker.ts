/**
 * Messages a second through the embedded broker, by hand: `node tools/bench/broker.ts [messages] [batch]`. Publishes from
 * a few concurrent publishers and consumes through one and three subscriptions at once, with and without compression.
 * Figures are of this machine at this moment; the dated ones are in `docs/benchmarks.md`.
 */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { openEmbeddedBroker, type EmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { ack } from '#core/disposition.ts';
import type { Message, SubscriptionSpec } from '#core/ports/broker.ts';

const messages = Number(process.argv[2] ?? 500_000);
const batch = Number(process.argv[3] ?? 1_000);
const PUBLISHERS = 4;
const TOPIC = 'bench.river';

const flow = {
  batchMessages: batch,
  batchBytes: 8e6,
  lingerMs: 5,
  outstandingMessages: batch * 4,
  outstandingBytes: 64e6,
};

function subscription(index: number): SubscriptionSpec {
  const service = `reader-${index}`;
  return {
    name: `bench.${service}`,
    service,
    topic: TOPIC,
    lane: 'bulk',
    sharing: 'shared',
    ackDeadlineSeconds: 60,
    flow,
  };
}

/** A CRM contact as it looks in a raw topic: some 350 bytes and the attributes every message has. */
function contact(index: number): Message {
  const id = `003${index.toString(36).padStart(12, '0')}AAA`;
  const body = JSON.stringify({
    Id: id,
    FirstName: `Given${index % 997}`,
    LastName: `Family${index % 4_999}`,
    Email: `person${index}@company${index % 20_000}.example`,
    Phone: `+1213555${String(index % 10_000).padStart(4, '0')}`,
    Title: 'Head of Sales Operations',
    MailingStreet: `${index % 900} Example Street`,
    MailingCity: 'Springfield',
    AccountId: `001${(index % 20_000).toString(36).padStart(12, '0')}AAA`,
    SystemModstamp: '2026-01-05T09:00:00.000Z',
  });
  const attributes = {
    'ce-specversion': '1.0',
    'ce-id': `${(index * 2_654_435_761).toString(16).padStart(16, '0')}${index}`,
    'ce-source': 'salesforce/00D000000000001',
    'ce-type': 'raw.salesforce.Contact',
    'ce-time': '2026-01-05T09:00:00.000Z',
    'ce-dataschema': 'raw/salesforce/1',
    key: `salesforce/00D000000000001/Contact/${id}`,
    lane: 'bulk',
    'content-hash': (index * 40_503).toString(16).padStart(16, '0'),
  };
  return { body: Buffer.from(body), attributes };
}

async function publishAll(broker: EmbeddedBroker, all: readonly Message[]): Promise<void> {
  let at = 0;
  const publisher = async (): Promise<void> => {
    while (at < all.length) {
      const from = at;
      at += batch;
      await broker.publish(TOPIC, all.slice(from, from + batch), 'kill');
    }
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, publisher));
}

/** Resolves when every subscription has acked everything. */
async function consumeAll(broker: EmbeddedBroker, count: number): Promise<void> {
  const readers = Array.from({ length: count }, (_, index) => {
    const done = Promise.withResolvers<void>();
    let left = messages;
    const consumer = broker.consume(subscription(index), async (given) => {
      left -= given.length;
      if (left <= 0) done.resolve();
      return given.map(() => ack);
    });
    return { done: done.promise, consumer };
  });
  await Promise.all(readers.map(({ done }) => done));
  for (const { consumer } of readers) await consumer.drain(10_000);
}

async function run(
  title: string,
  readers: number,
  compress: boolean,
  together: boolean,
  all: readonly Message[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'broker-bench-'));
  const path = join(folder, 'broker.db');
  const bulkBacklogLimitMessages = together ? 50_000 : Infinity;
  const broker = await openEmbeddedBroker({
    path,
    clock: systemClock,
    random: systemRandom,
    compress,
    bulkBacklogLimitMessages,
  });
  const specs = Array.from({ length: readers }, (_, index) => subscription(index));
  await broker.ensure([TOPIC], specs);
  const rate = (startedMs: number): string =>
    `${Math.round((all.length / (systemClock.monotonicMs() - startedMs)) * 1_000)} /s`;
  let startedMs = systemClock.monotonicMs();
  if (together) {
    await Promise.all([publishAll(broker, all), consumeAll(broker, readers)]);
    console.log(`${title}: published and consumed at once ${rate(startedMs)}`);
  } else {
    await publishAll(broker, all);
    const published = rate(startedMs);
    const megabytes = Math.round(statSync(path).size / 1e6);
    startedMs = systemClock.monotonicMs();
    await consumeAll(broker, readers);
    console.log(`${title}: publish ${published}, then consume ${rate(startedMs)} a subscription; file ${megabytes} MB`);
  }
  await broker.close();
  rmSync(folder, { recursive: true });
}

const all = Array.from({ length: messages }, (_, index) => contact(index));
console.log(`${messages} messages in batches of ${batch}; ${cpus().length} cores, Node ${process.version}`);
for (const compress of [true, false]) {
  const how = compress ? 'zstd' : 'plain';
  await run(`${how}, one subscription`, 1, compress, false, all);
  await run(`${how}, three subscriptions`, 3, compress, false, all);
  await run(`${how}, one subscription`, 1, compress, true, all);
  await run(`${how}, three subscriptions`, 3, compress, true, all);
}
