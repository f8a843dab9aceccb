/** The laws hold under chaos: whoever relies on no more than them runs anywhere. `SEED=n` repeats a failing run. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withChaos } from '#adapters/broker/chaos.ts';
import { openEmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { seededRandom, seedFromEnvironment } from '#test/kit/random.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';
import { describeBrokerContract, type BrokerHarness } from './broker.ts';

const firstSeed = seedFromEnvironment(1);
const SEEDS = process.env.SEED === undefined ? 5 : 1;

async function makeBroker(seed: number): Promise<BrokerHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'broker-'));
  const clock = virtualClock();
  const random = seededRandom(seed);
  const broker = await openEmbeddedBroker({ path: join(folder, 'broker.db'), clock, random, watchMs: 0 });
  return {
    broker: withChaos(broker, { clock, random }),
    until: (condition) => clock.until(condition, 60_000),
    quiet: () => clock.advance(10_000),
    close: async () => {
      await broker.close();
      rmSync(folder, { recursive: true });
    },
  };
}

for (let seed = firstSeed; seed < firstSeed + SEEDS; seed++) {
  describeBrokerContract(`embedded under chaos, seed ${seed}`, () => makeBroker(seed), {
    keepsAcks: false,
    notShown: {
      liveFirst: 'chaos holds live messages back too',
      retryWaits: 'chaos may deliver a message twice meanwhile',
      attemptsGrow: 'chaos lies about attempts',
    },
  });
}
