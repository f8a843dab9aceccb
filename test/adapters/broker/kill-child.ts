/**
 * A process to be killed: publishes and consumes until it dies, and writes down what it knows to be done. Arguments: the
 * broker's file, the log, the life's number (it is the seed too). The log's lines: `p <id>` the publish with this message
 * was acknowledged; `d <subscription> <id>` the handler has done the message and is about to ack it.
 */
import { openSync, writeSync } from 'node:fs';
import { systemClock } from '#adapters/clock/system.ts';
import { openEmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { ack, retry } from '#core/disposition.ts';
import type { SubscriptionSpec } from '#core/ports/broker.ts';
import { seededRandom } from '#test/kit/random.ts';

export const TOPIC = 'raw.kill';

export function killSubscription(service: string, lane: 'live' | 'bulk'): SubscriptionSpec {
  const flow = { batchMessages: 20, batchBytes: 1e6, lingerMs: 2, outstandingMessages: 60, outstandingBytes: 1e7 };
  return { name: `${service}.${lane}`, service, topic: TOPIC, lane, sharing: 'shared', ackDeadlineSeconds: 10, flow };
}

export const KILL_SUBSCRIPTIONS = (['one', 'two'] as const).flatMap((service) =>
  (['live', 'bulk'] as const).map((lane) => killSubscription(service, lane)),
);

async function live(path: string, logPath: string, life: number): Promise<never> {
  const random = seededRandom(life);
  const log = openSync(logPath, 'a');
  const write = (lines: readonly string[]): void => void writeSync(log, lines.map((line) => `${line}\n`).join(''));
  const broker = await openEmbeddedBroker({ path, clock: systemClock, random, bulkBacklogLimitMessages: 500 });
  await broker.ensure([TOPIC], KILL_SUBSCRIPTIONS);
  for (const spec of KILL_SUBSCRIPTIONS) {
    broker.consume(spec, async (batch) => {
      if (random.chance(0.3)) await systemClock.sleep(random.below(10));
      if (random.chance(0.05)) throw new Error('now and then a handler throws');
      const dispositions = batch.map(() => (random.chance(0.1) ? retry(random.below(20), 'not yet') : ack));
      const done = batch.filter((_, at) => dispositions[at] === ack);
      write(done.map(({ body }) => `d ${spec.name} ${Buffer.from(body).toString().trimEnd()}`));
      return dispositions;
    });
  }
  process.stdout.write('running\n');
  for (let publish = 0; ; publish++) {
    const lane = random.chance(0.5) ? 'live' : 'bulk';
    const ids = Array.from({ length: 1 + random.below(40) }, (_, at) => `${lane}-${life}-${publish}-${at}`);
    const messages = ids.map((id) => ({ body: Buffer.from(id.padEnd(random.below(2_000))), attributes: { lane, id } }));
    await broker.publish(TOPIC, messages, random.chance(0.2) ? 'power' : 'kill');
    write(ids.map((id) => `p ${id}`));
  }
}

const [, script, path, log, life] = process.argv;
if (script?.endsWith('kill-child.ts') && path && log) await live(path, log, Number(life));
