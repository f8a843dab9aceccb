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
import type { Message, SubscriptionSpec, Survives } from '#core/ports/broker.ts';

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

/** Rate by the wall, and processor time a message, which others on the machine disturb less. */
function startMeasure(count: number): () => string {
  const startedMs = systemClock.monotonicMs();
  const before = process.cpuUsage();
  return () => {
    const seconds = (systemClock.monotonicMs() - startedMs) / 1_000;
    const { user, system } = process.cpuUsage(before);
    return `${Math.round(count / seconds)} /s (${((user + system) / count).toFixed(2)} µs CPU each)`;
  };
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
  let measure = startMeasure(all.length);
  if (together) {
    await Promise.all([publishAll(broker, all), consumeAll(broker, readers)]);
    console.log(`${title}: published and consumed at once ${measure()}`);
  } else {
    await publishAll(broker, all);
    const published = measure();
    const megabytes = Math.round((statSync(path).size + statSync(`${path}-wal`).size) / 1e6);
    measure = startMeasure(all.length);
    await consumeAll(broker, readers);
    console.log(`${title}: publish ${published}, then consume ${measure()}; files ${megabytes} MB`);
  }
  await broker.close();
  rmSync(folder, { recursive: true });
}

/** From the call of `publish` to the handler, one message at a time on an otherwise idle broker. */
async function latency(survives: Survives, all: readonly Message[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'broker-bench-'));
  const broker = await openEmbeddedBroker({
    path: join(folder, 'broker.db'),
    clock: systemClock,
    random: systemRandom,
  });
  const spec = { ...subscription(0), flow: { ...flow, lingerMs: 0 } };
  await broker.ensure([TOPIC], [spec]);
  const taken: number[] = [];
  let sentMs = 0;
  broker.consume(spec, async (batch) => {
    taken.push(systemClock.monotonicMs() - sentMs);
    return batch.map(() => ack);
  });
  for (const message of all) {
    sentMs = systemClock.monotonicMs();
    await broker.publish(TOPIC, [message], survives);
    await systemClock.sleep(1);
  }
  const sorted = taken.toSorted((one, other) => one - other);
  const at = (part: number): string => (sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(2);
  console.log(`one message, survives ${survives}: publish to handler p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
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
await latency('kill', all.slice(0, 2_000));
await latency('power', all.slice(0, 2_000));
