import { afterEach, describe, expect, it } from 'vitest';
import {
  expectCallTruth,
  expectSalesforceTruth,
  openCompany,
  runsOf,
  type Company,
  type CompanyOptions,
} from './company.ts';

const open: Company[] = [];
afterEach(async () => {
  for (const company of open.splice(0)) await company.close();
});

async function company(options: CompanyOptions = {}): Promise<Company> {
  const opened = await openCompany({ contacts: 150, ...options });
  open.push(opened);
  return opened;
}

const EVERYTHING = { call: 0, callerBecomesContact: 0, merge: 4, convert: 4, undelete: 5, delete: 8 };

describe('a second start', () => {
  it('resumes: no second full sync, nothing doubled, and what changed while it was down arrives by replayed events', async () => {
    const acme = await company({ sources: ['salesforce', 'dialpad'] });
    const first = await acme.start();
    await first.untilIdle();
    await acme.work({ count: 30, perSecond: 100, seed: 1, mix: EVERYTHING });
    await first.untilIdle();
    await first.stop();
    const jobs = acme.salesforce.jobs.all.length;
    await acme.work({ count: 80, perSecond: 200, seed: 2, mix: { ...EVERYTHING, call: 10 } });
    const second = await acme.start();
    await second.untilIdle();
    await expectSalesforceTruth(acme, second);
    await expectCallTruth(acme, second);
    expect(acme.salesforce.jobs.all.length).toBe(jobs);
    expect(await runsOf(second, 'reconcile')).toEqual([]);
    expect(await runsOf(second, 'backfill', 'salesforce')).toHaveLength(7);
    expect(second.seen.filter(({ name }) => name === 'eventsIngested').map(({ fields }) => fields['path'])).toContain(
      'hint',
    );
    expect(await second.runtime.deadLetters.list({})).toEqual([]);
  });

  it('reconciles all objects when its replay id expired meanwhile, says so in a run row, and loses nothing', async () => {
    const acme = await company();
    const first = await acme.start();
    await first.untilIdle();
    await first.stop();
    await acme.work({ count: 60, perSecond: 200, seed: 3, mix: EVERYTHING });
    acme.salesforce.events.log.expire();
    const second = await acme.start();
    await acme.work({ count: 40, perSecond: 50, seed: 4, mix: EVERYTHING });
    await second.untilIdle();
    await expectSalesforceTruth(acme, second);
    expect(new Set((await runsOf(second, 'reconcile')).map(({ run_object }) => run_object)).size).toBe(7);
    expect(await runsOf(second, 'reconcile')).toEqual(
      expect.arrayContaining([expect.objectContaining({ reason: 'position_refused', state: 'succeeded' })]),
    );
  });

  it('follows an epoch that was raised with a full sync of its own', async () => {
    const acme = await company();
    const first = await acme.start();
    await first.untilIdle();
    await first.stop();
    const second = await acme.start({ values: { 'salesforce.epoch': '1' } });
    await second.untilIdle();
    await expectSalesforceTruth(acme, second);
    expect(await second.rows('SELECT DISTINCT epoch FROM sales_intelligence_store.contacts')).toEqual([{ epoch: 1 }]);
  });
});

describe('a stream that breaks while it runs', () => {
  it('is resumed where it was, and reconciles where its position was lost meanwhile', async () => {
    const acme = await company({ readLagMs: 500 });
    const river = await acme.start();
    await river.untilIdle();
    const { events } = acme.salesforce;
    const connections = (): number => river.seen.filter(({ name }) => name === 'streamConnected').length;
    expect(connections()).toBe(1);
    events.dropStreams();
    await acme.work({ count: 40, perSecond: 200, seed: 5, mix: EVERYTHING });
    await expect.poll(connections, { timeout: 20_000 }).toBe(2);
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    expect(await runsOf(river, 'reconcile')).toEqual([]);
    // Lost for good, and the position too, before the stream can come back: however fast it reconnects.
    events.log.isOn = false;
    await acme.work({ count: 40, perSecond: 200, seed: 6, mix: EVERYTHING });
    events.log.isOn = true;
    events.log.expire();
    events.dropStreams();
    await acme.work({ count: 10, perSecond: 200, seed: 7, mix: EVERYTHING });
    await expect.poll(() => runsOf(river, 'reconcile'), { timeout: 20_000 }).toHaveLength(7);
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
  });
});
