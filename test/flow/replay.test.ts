import { afterEach, expect, it } from 'vitest';
import { Codec } from '#core/codec.ts';
import type { Message } from '#core/ports/broker.ts';
import type { AnyService } from '#core/service.ts';
import { normalizer } from '#services/normalizer/service.ts';
import { expectSalesforceTruth, openCompany, type Company } from './company.ts';

const open: Company[] = [];
afterEach(async () => {
  for (const company of open.splice(0)) await company.close();
});

/** The normalizer with a fault in one mapper: it forgets who owns a contact, and its company. */
function forgetful(): AnyService {
  const codec = new Codec();
  const forget = (message: Message): Message => {
    const event = codec.decodeCanonical('contact', message);
    const record = event.record && { ...event.record, owner_id: null, account_id: null };
    return { ...message, body: codec.encodeCanonical('contact', { ...event, record }).body };
  };
  const healthy: AnyService = normalizer;
  return {
    declared: healthy.declared,
    start: (context) =>
      healthy.start({
        ...context,
        publish: (topic, messages, survives) =>
          context.publish(topic, topic === 'canonical.contact' ? messages.map(forget) : messages, survives),
      }),
  };
}

it('records mapped wrongly by a first mapper are repaired by mending it and replaying the raw events, changes in between included', async () => {
  const acme = await openCompany({ contacts: 200, readLagMs: 300 });
  open.push(acme);
  const mix = { call: 0, callerBecomesContact: 0, delete: 8, undelete: 6, merge: 4, convert: 4 };
  const broken = await acme.start({ instead: forgetful() });
  await acme.work({ count: 60, perSecond: 60, seed: 1, mix });
  await broken.untilIdle();
  const forgotten = 'SELECT count(*) AS n FROM sales_intelligence.sf_contacts WHERE owner_id IS NULL';
  expect((await broken.rows(forgotten))[0]?.['n']).toBeGreaterThan(150);
  await broken.stop();

  const mended = await acme.start();
  await acme.work({ count: 40, perSecond: 100, seed: 2, mix });
  await mended.untilIdle();
  await expectSalesforceTruth(acme, mended, ['Account', 'Lead', 'Opportunity', 'User', 'Task', 'Event']);
  expect((await mended.rows(forgotten))[0]?.['n']).toBeGreaterThan(100);
  const replaying = mended.runtime.replay({ source: 'salesforce', object: 'Contact', since: new Date(0) });
  await acme.work({ count: 40, perSecond: 100, seed: 3, mix });
  expect(await replaying).toMatchObject({ generation: 1 });
  await mended.untilIdle();
  await expectSalesforceTruth(acme, mended);
  expect(await mended.runtime.deadLetters.list({})).toEqual([]);
});
