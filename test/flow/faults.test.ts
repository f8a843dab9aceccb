import { CompactSign } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { recordId } from '#tools/simulators/world/index.ts';
import type { HttpFaultKind } from '#tools/simulators/salesforce/faults.ts';
import { google } from '#test/kit/google.ts';
import { expectCallTruth, expectSalesforceTruth, openCompany, type Company, type CompanyOptions } from './company.ts';

const open: Company[] = [];
afterEach(async () => {
  for (const company of open.splice(0)) await company.close();
});

async function company(options: CompanyOptions = {}): Promise<Company> {
  const opened = await openCompany({ contacts: 200, ...options });
  open.push(opened);
  return opened;
}

const MIX = { delete: 6, undelete: 5, merge: 4, convert: 4 };

type Fault = readonly [kind: HttpFaultKind, pattern: RegExp, skip?: number, bytes?: number];

const WHILE_SYNCING: readonly Fault[] = [
  ['expired', /GET .*\/results/, 4],
  ['unavailable', /GET .*\/results/, 6],
  ['cut', /GET .*\/results/, 1, 3_000],
  ['truncate', /GET .*\/results/, 2, 3_000],
  ['signIn', /GET .*\/results/, 3],
  ['rateLimited', /POST .*\/jobs\/query/, 2],
  ['serverError', /POST .*\/jobs\/query/, 4],
  ['reset', /GET .*\/jobs\/query\/\w+$/, 3],
  ['truncate', /GET .*\/resultPages/, 1, 40],
  ['signIn', /GET .*\/describe/, 2],
];
const WHILE_CHANGING: readonly Fault[] = [
  ['unavailable', /composite/, 1],
  ['cut', /composite/, 2, 400],
  ['truncate', /composite/, 3, 400],
  ['signIn', /composite/, 4],
  ['expired', /composite/, 5],
  ['concurrencyLimited', /composite/, 6],
  ['maintenance', /composite/, 7],
];

function beset({ salesforce }: Company, faults: readonly Fault[]): void {
  for (const [kind, pattern, skip = 0, bytes = 0] of faults)
    salesforce.org.faults.add({ kind, pattern, skip, bytes, times: 1, ms: 0 });
}

describe('a vendor that fails', () => {
  it('costs nothing: a whole run under every fault at once ends in the truth, and sends nothing that changes anything', async () => {
    const acme = await company({ sources: ['salesforce', 'dialpad'], salesforce: { resultRows: 40 } });
    beset(acme, WHILE_SYNCING);
    acme.dialpad!.simulator.faults.nextLists.unavailable = 1;
    acme.dialpad!.simulator.faults.nextLists.cut = 1;
    acme.dialpad!.simulator.faults.nextLists.html = 1;
    const river = await acme.start();
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    expect(acme.salesforce.org.faults.pending).toEqual([]);

    beset(acme, WHILE_CHANGING);
    acme.salesforce.org.sessions.expireAll();
    await acme.work({ count: 120, perSecond: 30, seed: 1, mix: { ...MIX, call: 10 } });
    await river.untilIdle();
    await expectSalesforceTruth(acme, river);
    await expectCallTruth(acme, river);
    expect(acme.salesforce.org.faults.pending).toEqual([]);
    expect(await river.runtime.deadLetters.list({})).toEqual([]);

    expect(acme.salesforce.org.traffic.mutating).toEqual([]);
    expect(acme.salesforce.events.calls.get('Publish')).toBeUndefined();
    expect(new Set(acme.dialpad!.simulator.traffic.map(({ method }) => method))).toEqual(new Set(['GET']));
  });
});

describe('records no one should write', () => {
  it('a record of 10 MB, larger than any message and by whichever way it comes, and an essay for a phone arrive as they are', async () => {
    const acme = await company();
    const update = (object: 'Task' | 'Contact', index: number, values: Record<string, string>): void =>
      void acme.world.commit({ changes: [{ kind: 'update', object, id: recordId(object, index), values }] });
    const essay = 'Call after three, +1 213 555 0142, or ask Jo. '.repeat(100);
    update('Task', 3, { Description: 'x'.repeat(10_000_000) });
    const river = await acme.start();
    await river.untilIdle();
    update('Contact', 5, { Phone: essay });
    update('Task', 4, { Description: 'y'.repeat(10_000_000) });
    await river.untilIdle();
    const isWritten = google() === undefined;
    await expectSalesforceTruth(acme, river, isWritten ? undefined : ['Contact', 'Account', 'Event']);
    // A row of BigQuery's may not be that large.
    expect(await river.runtime.deadLetters.list({})).toMatchObject(isWritten ? [] : [{ service: 'bq-writer' }]);
    expect(
      await river.rows(`SELECT phone FROM sales_intelligence.sf_contacts WHERE id = '${recordId('Contact', 5)}'`),
    ).toEqual([{ phone: essay }]);
  });
});

describe('a webhook whose bytes are no text', () => {
  it('is refused without its signature, and parked with its bytes with it', async () => {
    const acme = await company({ sources: ['salesforce', 'dialpad'], contacts: 60 });
    const river = await acme.start();
    await river.untilIdle();
    const url = `${river.runtime.webUrl ?? ''}/webhooks/dialpad`;
    const headers = { 'content-type': 'application/jwt' };
    const post = async (body: string | Buffer<ArrayBuffer>): Promise<number> =>
      (await fetch(url, { method: 'POST', headers, body })).status;
    const bytes = Buffer.concat([
      Buffer.from('{"call_id":123,"state":"hangup","event_timestamp":1735689600000,"direction":"'),
      Buffer.from([0xff, 0xfe, 0xc3, 0x28]),
      Buffer.from('"}'),
    ]);
    expect(await post(bytes)).toBe(401);
    const secret = new TextEncoder().encode(acme.dialpad!.webhookSecret);
    expect(await post(await new CompactSign(bytes).setProtectedHeader({ alg: 'HS256' }).sign(secret))).toBe(204);
    await river.untilIdle();
    const [group] = await river.runtime.deadLetters.list({});
    expect(group).toMatchObject({ service: 'normalizer', code: 'not_utf8', letters: 1 });
    expect((await river.runtime.deadLetters.show(group?.examples[0] ?? '')).bodyBytes).toBeGreaterThan(bytes.length);
    await expectCallTruth(acme, river);
  });
});
