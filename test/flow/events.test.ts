import { afterEach, describe, expect, it } from 'vitest';
import { OBJECT_NAMES } from '#test/kit/salesforce-truth.ts';
import type { ObjectName } from '#tools/simulators/world/index.ts';
import { recordId } from '#tools/simulators/world/index.ts';
import { expectSalesforceTruth, openCompany, runsOf, type Company, type CompanyOptions } from './company.ts';
import type { River } from './kit.ts';

const open: Company[] = [];
afterEach(async () => {
  for (const company of open.splice(0)) await company.close();
});

async function synced(options: CompanyOptions = {}, values: Readonly<Record<string, string>> = {}) {
  const acme = await openCompany({ contacts: 120, ...options });
  open.push(acme);
  const river = await acme.start({ values });
  await river.untilIdle();
  return { acme, river, log: acme.salesforce.events.log };
}

const NO_CALLS = { call: 0, callerBecomesContact: 0 };
const POLLED = { 'salesforce.pollEverySeconds': '1' };

/** What no event tells is polled: comes true in a few polls. */
async function comesTrue(acme: Company, river: River, objects?: readonly ObjectName[]): Promise<void> {
  await expect
    .poll(() => expectSalesforceTruth(acme, river, objects).then(() => 'true', String), {
      timeout: 30_000,
      interval: 300,
    })
    .toBe('true');
}

describe('events that do not tell the change', () => {
  it('gaps of all kinds are read like changes', async () => {
    const { acme, river, log } = await synced({ readLagMs: 500 });
    log.gapsInstead = true;
    await acme.work({ count: 80, perSecond: 100, seed: 1, mix: { ...NO_CALLS, delete: 8, undelete: 6, merge: 4 } });
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    expect(await runsOf(river, 'reconcile')).toEqual([]);
  });

  it('an overflow has its object reconciled, whatever changed', async () => {
    const { acme, river } = await synced({ readLagMs: 500 });
    acme.world.rewriteAll('Contact');
    await expect.poll(() => runsOf(river, 'reconcile'), { timeout: 20_000 }).toHaveLength(1);
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    expect(await runsOf(river, 'reconcile')).toEqual([
      { run_object: 'Contact', reason: 'overflow', state: 'succeeded' },
    ]);
  });

  it('a wildcard in place of ids has its object reconciled', async () => {
    const { acme, river, log } = await synced();
    log.isOn = false;
    acme.world.commit({
      changes: [{ kind: 'update', object: 'Lead', id: recordId('Lead', 3), values: { Title: 'New' } }],
    });
    acme.world.commit({ changes: [{ kind: 'delete', object: 'Lead', id: recordId('Lead', 4) }] });
    log.gap('Lead', ['00Q*'], 'GAP_UPDATE');
    await expect.poll(() => runsOf(river, 'reconcile'), { timeout: 20_000 }).toHaveLength(1);
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
  });
});

describe('events that cannot be read', () => {
  const change = (title: string) => ({
    changes: [{ kind: 'update', object: 'Contact', id: recordId('Contact', 7), values: { Title: title } } as const],
  });

  it('of an unknown schema are parked with their bytes, hold nothing up, and are repaired by a replay once it is known', async () => {
    const { acme, river, log } = await synced();
    log.damageNext('unknown_schema');
    acme.world.commit(change('Unreadable'));
    await acme.work({ count: 20, perSecond: 100, seed: 2, mix: NO_CALLS });
    await river.untilIdle();
    await expectSalesforceTruth(
      acme,
      river,
      OBJECT_NAMES.filter((name) => name !== 'Contact'),
    );
    const [group] = await river.runtime.deadLetters.list({});
    expect(group).toMatchObject({ service: 'ingest-salesforce', code: 'unknown_schema', letters: 1 });
    const letter = await river.runtime.deadLetters.show(group?.examples[0] ?? '');
    expect(JSON.stringify(letter.decoded)).toContain('payloadBase64');

    const known = log.schema.bind(log);
    log.schema = (id) => known(id) ?? log.schemaOf('Contact');
    expect(await river.runtime.deadLetters.replay({}, false)).toMatchObject({ matched: 1, replayed: 1 });
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    expect(await river.runtime.deadLetters.list({})).toEqual([]);
    expect(await river.rows('SELECT DISTINCT state FROM sales_intelligence.dead_letters')).toEqual([
      { state: 'replayed' },
    ]);
  });

  it('of bytes that are not their schema are parked, and their change is repaired by the poll', async () => {
    const { acme, river, log } = await synced({}, POLLED);
    log.damageNext('undecodable');
    acme.world.commit(change('Damaged'));
    await comesTrue(acme, river);
    const [group] = await river.runtime.deadLetters.list({});
    expect(group).toMatchObject({ code: 'undecodable_event', letters: 1 });
    expect(await river.runtime.deadLetters.replay({}, false)).toMatchObject({ replayed: 1 });
    await river.untilIdle();
    expect(await river.runtime.deadLetters.list({})).toMatchObject([{ code: 'undecodable_event', letters: 1 }]);
    expect(await river.runtime.deadLetters.drop({}, false)).toMatchObject({ dropped: 1 });
    expect(await river.runtime.deadLetters.list({})).toEqual([]);
  });
});

describe('without events', () => {
  it('the poll alone brings every change, deletions for good included', async () => {
    const { acme, river, log } = await synced({ readLagMs: 300, commitDelayMs: 1_000 }, POLLED);
    log.isOn = false;
    const mix = { ...NO_CALLS, delete: 10, undelete: 4, purge: 4, merge: 3, convert: 3 };
    await acme.work({ count: 120, perSecond: 60, seed: 3, mix });
    await comesTrue(acme, river);
  });

  it('what was deleted for good while no list of deletions tells of it is found by the listing of a full backfill', async () => {
    const { acme, river, log } = await synced();
    log.isOn = false;
    const id = recordId('Contact', 9);
    acme.world.commit({ changes: [{ kind: 'delete', object: 'Contact', id }] });
    acme.world.commit({ changes: [{ kind: 'purge', object: 'Contact', id }] });
    acme.salesforce.org.deletionsSinceMs = acme.world.now() + 60_000;
    const host = river.runtime.hosts.find(({ declared }) => declared.name === 'ingest-salesforce');
    await host?.command('backfill', {}, () => undefined, new AbortController().signal);
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    expect(await river.rows(`SELECT deleted FROM sales_intelligence_store.contacts WHERE id = '${id}'`)).toEqual([
      { deleted: true },
    ]);
  });
});
