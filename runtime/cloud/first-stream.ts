/**
 * Only on the Pub/Sub emulator (0.8.20): it never notices that the stream a process opened first has gone with a process
 * that was killed. It goes on sending it messages, each of which waits for its lease to end, again and again; with every
 * kill more of that subscription's messages are stuck. Shown with Google's client alone, four subscriptions and kill -9.
 * So the first stream of a process is one that nobody needs.
 */
import type { BrokerPort, SubscriptionSpec } from '#core/ports/broker.ts';
import type { Lifecycle } from '../lifecycle.ts';

const NOBODY: SubscriptionSpec = {
  name: 'emulator.first',
  service: 'emulator',
  topic: 'emulator.first',
  lane: 'any',
  sharing: 'shared',
  ackDeadlineSeconds: 10,
  flow: { batchMessages: 1, batchBytes: 1_000, lingerMs: 0, outstandingMessages: 1, outstandingBytes: 1_000 },
};

/** To be called before anything else is consumed. */
export async function openFirstStream(broker: BrokerPort, lifecycle: Lifecycle): Promise<void> {
  await broker.ensure([NOBODY.topic], [NOBODY]);
  const consumer = broker.consume(NOBODY, async (batch) => batch.map(() => ({ kind: 'ack' })));
  lifecycle.onStop('emulator', () => consumer.drain(0));
  await consumer.started;
}
