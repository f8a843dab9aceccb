import { afterEach, describe, expect, it } from 'vitest';
import { withChaos } from '#adapters/broker/chaos.ts';
import { systemClock } from '#adapters/clock/system.ts';
import { seededRandom } from '#test/kit/random.ts';
import { expectCallTruth, expectSalesforceTruth, openCompany, type Company, type CompanyOptions } from './company.ts';

const open: Company[] = [];
afterEach(async () => {
  for (const company of open.splice(0)) await company.close();
});

async function company(options: CompanyOptions = {}): Promise<Company> {
  const opened = await openCompany(options);
  open.push(opened);
  return opened;
}

const ALL_KINDS = { update: 60, create: 10, delete: 6, undelete: 5, massUpdate: 5, merge: 4, convert: 4 };
const NO_CALLS = { call: 0, callerBecomesContact: 0 };

describe('records flow from Salesforce to rows', () => {
  it('the first sync of all seven objects gives every record as one row, field by field', async () => {
    const acme = await company({ contacts: 500 });
    const river = await acme.start();
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    expect(await river.runtime.deadLetters.list({})).toEqual([]);
    expect(river.seen.filter(({ name }) => name === 'faultSeen')).toEqual([]);
  });

  it('changes of every kind, made during and after the first sync, end as the rows of the truth', async () => {
    const acme = await company();
    const river = await acme.start();
    await acme.work({ count: 100, perSecond: 80, seed: 1, mix: { ...ALL_KINDS, ...NO_CALLS } });
    await river.untilIdle();
    await acme.work({ count: 150, perSecond: 100, seed: 2, mix: { ...ALL_KINDS, ...NO_CALLS } });
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    expect(await river.runtime.deadLetters.list({})).toEqual([]);
  });

  it('also where reads lag 700 ms behind commits, and commits follow their stamps by up to 2 s', async () => {
    const acme = await company({ readLagMs: 700, commitDelayMs: 2_000 });
    const river = await acme.start();
    await acme.work({ count: 100, perSecond: 80, seed: 3, mix: { ...ALL_KINDS, ...NO_CALLS } });
    await river.untilIdle();
    await acme.work({ count: 150, perSecond: 100, seed: 4, mix: { ...ALL_KINDS, ...NO_CALLS } });
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
  });

  it('a commit just before the stream is placed, which reads do not show yet, is not lost between stream and sync', async () => {
    const acme = await company({ contacts: 40, readLagMs: 900 });
    const starting = acme.start();
    await acme.work({ count: 100, perSecond: 50, seed: 5, mix: { ...ALL_KINDS, ...NO_CALLS } });
    const river = await starting;
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
  });

  it.each([1, 2, 3])('with both vendors, under a broker that breaks all it may break, with seed %i', async (seed) => {
    const acme = await company({
      seed: 30 + seed,
      readLagMs: 300,
      commitDelayMs: 1_000,
      sources: ['salesforce', 'dialpad'],
    });
    const river = await acme.start({
      wrapBroker: (broker) =>
        withChaos(broker, { clock: systemClock, random: seededRandom(seed), redeliverWithinMs: 1_000 }),
    });
    await acme.work({ count: 120, perSecond: 60, seed, mix: { ...ALL_KINDS, call: 30, callerBecomesContact: 6 } });
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    expect((await expectCallTruth(acme, river)).resolvable).toBeGreaterThan(10);
  });
});
