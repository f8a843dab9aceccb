import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';
import { describeBrokerContract, type BrokerHarness } from './broker.ts';

async function makeBroker(): Promise<BrokerHarness> {
  const folder = mkdtempSync(join(tmpdir(), 'broker-'));
  const clock = virtualClock();
  const path = join(folder, 'broker.db');
  const broker = await openEmbeddedBroker({ path, clock, random: seededRandom(1), watchMs: 0 });
  return {
    broker,
    until: (condition) => clock.until(condition, 60_000),
    quiet: () => clock.advance(2_000),
    close: async () => {
      await broker.close();
      rmSync(folder, { recursive: true });
    },
  };
}

describeBrokerContract('embedded', makeBroker, { keepsAcks: true });
