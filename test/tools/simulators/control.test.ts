import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { controlSalesforce, salesforceState } from '#tools/simulators/control/salesforce.ts';
import { startControl } from '#tools/simulators/control/server.ts';
import { recordId } from '#tools/simulators/world/index.ts';
import { org, soql, V, type TestOrg } from './salesforce/kit.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Controlled extends TestOrg {
  readonly control: (path: string, body?: unknown) => Promise<never>;
}

async function controlled(): Promise<Controlled> {
  const served = await org({}, { contacts: 400 });
  const vendor = {
    name: 'salesforce',
    mount: (app: Parameters<typeof controlSalesforce>[0]) => controlSalesforce(app, served.salesforce),
    state: () => salesforceState(served.salesforce),
    isBusy: () => false,
  };
  const door = await startControl(served.world, [vendor]);
  closing.push(() => door.close());
  const control = async (path: string, body?: unknown): Promise<never> => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${door.url}/__control/${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    return (text.startsWith('{"') && !text.includes('\n') ? JSON.parse(text) : text) as never;
  };
  return { ...served, control };
}

describe('the control door', () => {
  it.each([
    ['unavailable', 503, 'SERVER_UNAVAILABLE'],
    ['serverError', 500, 'UNKNOWN_EXCEPTION'],
    ['rateLimited', 403, 'REQUEST_LIMIT_EXCEEDED'],
    ['concurrencyLimited', 403, 'REQUEST_LIMIT_EXCEEDED'],
    ['expired', 401, 'INVALID_SESSION_ID'],
  ])('lets a request fail as %s, so often as told and no more', async (kind, status, errorCode) => {
    const { json, control } = await controlled();
    await control('faults', { kind, path: '/limits', times: 2, skip: 1 });
    expect((await json(`${V}/limits`)).status).toBe(200);
    for (let i = 0; i < 2; i++) expect(await json(`${V}/limits`)).toMatchObject({ status, body: [{ errorCode }] });
    expect((await json(`${V}/limits`)).status).toBe(200);
  });

  it('answers a page of HTML while in maintenance', async () => {
    const { send, control } = await controlled();
    await control('faults', { kind: 'maintenance' });
    const response = await send(`${V}/limits`);
    expect([response.status, response.headers.get('content-type')]).toEqual([503, 'text/html; charset=utf-8']);
  });

  it('cuts a reply in the middle, or ends it early as if it were whole', async () => {
    const { send, control } = await controlled();
    const path = soql('SELECT Id, Name FROM Contact');
    const whole = await (await send(path)).text();
    await control('faults', { kind: 'truncate', bytes: 1_000 });
    expect(await (await send(path)).text()).toBe(Buffer.from(whole).subarray(0, 1_000).toString());
    await control('faults', { kind: 'cut', bytes: 1_000 });
    await expect(send(path).then((response) => response.text())).rejects.toThrow();
    await control('faults', { kind: 'reset' });
    await expect(send(path)).rejects.toThrow();
    expect(await (await send(path)).text()).toBe(whole);
  });

  it('refuses what it does not understand', async () => {
    const { control } = await controlled();
    await expect(control('faults', { kind: 'plague' })).rejects.toThrow(/kind must be one of/);
    await expect(control('changes', { speed: 3 })).rejects.toThrow(/Not known: speed/);
    await expect(control('mutate', { changes: [{ kind: 'delete', object: 'Contact', id: 'x' }] })).rejects.toThrow(
      /no Contact x/,
    );
  });

  it('tells the truth, of what was deleted and purged too', async () => {
    const { control } = await controlled();
    const [first, second] = [recordId('Contact', 1), recordId('Contact', 2)];
    const remove = (id: string) => ({ kind: 'delete', object: 'Contact', id });
    await control('mutate', { changes: [remove(first), remove(second)] });
    await control('mutate', { changes: [{ kind: 'purge', object: 'Contact', id: second }] });
    const lines = String(await control('truth/Contact?fields=Id,IsDeleted'))
      .trim()
      .split('\n');
    expect(lines.length).toBe(400);
    expect(lines.slice(0, 3).map((line) => JSON.parse(line) as unknown)).toEqual([
      { Id: recordId('Contact', 0), IsDeleted: false },
      { Id: first, IsDeleted: true },
      { Id: second, purged: true },
    ]);
    expect(
      String(await control('truth/calls'))
        .trim()
        .split('\n').length,
    ).toBe(40);
  });

  it('lets people work, so many changes and then no more', async () => {
    const { control, world } = await controlled();
    const before = world.latest();
    await control('changes', { count: 40, perSecond: 1_000 });
    await expect.poll(() => control('changes')).toMatchObject({ done: 40, total: 40, running: false });
    expect(world.latest()).toBeGreaterThan(before);
  });

  it('announces a rewriting of all records as an overflow, which names none', async () => {
    const { control, salesforce } = await controlled();
    const { log } = salesforce.events;
    await control('mutate', { rewriteAll: 'Contact' });
    const { payload, object } = log.at(log.end - 1)!;
    const event = log.schemaOf(object).type.fromBuffer(payload) as { readonly ChangeEventHeader: unknown };
    expect(event.ChangeEventHeader).toMatchObject({ changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] });
  });

  it('adds a field, after which events have another schema', async () => {
    const { control, json, salesforce } = await controlled();
    const before = salesforce.events.log.schemaOf('Contact').id;
    await control('fields', { object: 'Contact', definition: 'Shoe_Size__c:double(4.1)' });
    await control('mutate', { changes: [{ kind: 'update', object: 'Contact', id: recordId('Contact', 1), values: { Shoe_Size__c: 42.5 } }] }); // prettier-ignore
    expect(salesforce.events.log.schemaOf('Contact').id).not.toBe(before);
    expect(salesforce.events.log.schema(before)).toBeDefined();
    const { body } = await json(soql('SELECT Shoe_Size__c FROM Contact WHERE Shoe_Size__c != null'));
    expect(body).toMatchObject({ totalSize: 1, records: [{ Shoe_Size__c: 42.5 }] });
  });
});

describe('the simulators as a process', () => {
  it('say in one line where they are, remember what happened, and end when their parent lets go', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'simulators-'));
    closing.push(() => rmSync(folder, { recursive: true }));
    const start = async () => {
      const main = join(import.meta.dirname, '../../../tools/simulators/main.ts');
      const child = spawn(process.execPath, [main, '--contacts', '100', '--state-dir', folder]);
      closing.push(() => void child.kill('SIGKILL'));
      for await (const line of createInterface({ input: child.stdout })) {
        return {
          child,
          addresses: JSON.parse(line) as {
            salesforce: Record<string, string>;
            dialpad: Record<string, string>;
            control: string;
          },
        };
      }
      throw new Error('It did not start.');
    };
    const state = async (control: string) =>
      ((await (await fetch(`${control}/__control/state`)).json()) as { commitNumber: number }).commitNumber;
    const first = await start();
    expect(Object.keys(first.addresses.salesforce).toSorted()).toEqual(
      ['caFile', 'clientId', 'clientSecret', 'grpcEndpoint', 'instanceUrl', 'loginUrl', 'orgId'], // prettier-ignore
    );
    expect(readFileSync(first.addresses.salesforce.caFile!, 'utf8')).toContain('BEGIN CERTIFICATE');
    const changes = [{ kind: 'update', object: 'Contact', id: recordId('Contact', 1), values: { Title: 'X' } }];
    await fetch(`${first.addresses.control}/__control/mutate`, { method: 'POST', body: JSON.stringify({ changes }) });
    const commitNumber = await state(first.addresses.control);
    first.child.stdin.end();
    expect((await once(first.child, 'exit'))[0]).toBe(0);
    const second = await start();
    expect(await state(second.addresses.control)).toBe(commitNumber);
    second.child.kill('SIGTERM');
    expect((await once(second.child, 'exit'))[0]).toBe(0);
  });
});
