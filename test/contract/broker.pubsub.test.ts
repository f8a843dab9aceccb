/**
 * The emulator ignores filters and enforces no limits: the adapter does both, and that is what is shown here. That the
 * server applies them too, and the order of lanes under load, only the real service can show.
 */
import { afterAll, describe, it } from 'vitest';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { deadLetterTopic } from '#core/topics.ts';
import { openPubsubBroker } from '#adapters/broker/pubsub/broker.ts';
import { findPubsubEmulator, startPubsubEmulator, type PubsubEmulator } from '#tools/emulators/pubsub.ts';
import { describeBrokerContract, type BrokerHarness } from './broker.ts';

const LIMIT_MS = 50_000;
const QUIET_MS = 300;
// The emulator needs no credentials: do not look for a metadata server.
process.env.METADATA_SERVER_DETECTION = 'none';
const found = await findPubsubEmulator();

async function until(condition: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + LIMIT_MS;
  while (!condition()) {
    if (systemClock.monotonicMs() > endMs) throw new Error('The condition did not hold in time.');
    await systemClock.sleep(5);
  }
}

if ('missing' in found) {
  describe.skip(`the broker port's laws: Pub/Sub (skipped: ${found.missing})`, () => {
    it('needs the official emulator', () => undefined);
  });
} else {
  let starting: Promise<PubsubEmulator> | undefined;

  const makeBroker = async (): Promise<BrokerHarness> => {
    const emulator = await (starting ??= startPubsubEmulator(found.launcher));
    const broker = await openPubsubBroker({
      projectId: 'contract',
      clock: systemClock,
      random: systemRandom,
      emulator: emulator.address,
    });
    // With a dead-letter topic, subscriptions get the policy under which the server counts attempts.
    await broker.ensure([deadLetterTopic('reader')], []);
    return { broker, until, quiet: () => systemClock.sleep(QUIET_MS), close: () => broker.close() };
  };

  describeBrokerContract('Pub/Sub on the official emulator', makeBroker, {
    keepsAcks: false,
    notShown: {
      liveFirst: 'the emulator ignores filters, so both streams carry both lanes',
    },
  });

  afterAll(async () => {
    await (await starting)?.stop();
  });
}
