import { describe, expect, it } from 'vitest';
import { streamOf } from './fake-org.ts';
import { contactId, inTime, setUp, type World } from './set-up.ts';
import service from '#services/ingest-salesforce/service.ts';

const noProgress = (): void => undefined;

async function start(world: World) {
  return service.start(world.context);
}

describe('the service', () => {
  it('starts without asking Salesforce anything', async () => {
    const world = setUp();
    await start(world);
    expect(world.fake.requests).toEqual([]);
  });

  it.each([
    [{ 'salesforce.extraFields': 'Region__c' }, 'extra_fields'],
    [{ 'salesforce.extraFields': 'Case.Region__c' }, 'extra_fields'],
    [{ 'salesforce.apiVersion': '62' }, 'api_version'],
    [{ 'salesforce.apiVersion': '50.0' }, 'api_version'],
    [{ 'salesforce.clientSecret': '' }, 'no_credentials'],
    [{ 'salesforce.privateKey': 'key' }, 'no_username'],
    [{ 'salesforce.instanceUrl': 'http://acme.my.salesforce.example' }, 'insecure_url'],
    [{ 'salesforce.loginUrl': 'ftp://acme.my.salesforce.example' }, 'insecure_url'],
  ])('refuses to start with %j', async (config, code) => {
    await expect(start(setUp({ config }))).rejects.toMatchObject({ code, actor: 'the deployer' });
  });

  it('refuses objects that it cannot read', () => {
    expect(() => setUp({ config: { 'salesforce.objects': 'Contact,Case' } })).toThrow(
      expect.objectContaining({ code: 'unknown_object' }),
    );
  });

  it('warns about fields the user may not see, and reads the others', async () => {
    const world = setUp({ config: { 'salesforce.extraFields': 'Contact.Region__c', 'salesforce.objects': 'Contact' } });
    world.fake.put('Contact', contactId(1), { LastName: 'One', Region__c: 'EMEA' });
    const living = await start(world);
    await inTime(world.clock, living.commands.backfill({}, noProgress, world.context.signal));
    expect(world.told).toContainEqual({
      name: 'configurationWarned',
      fields: { service: 'ingest-salesforce', code: 'field_not_visible', field: 'Contact.Region__c' },
    });
    expect(world.raw()[0]?.record).not.toContain('Region__c');
  });

  it('reconciles on command what changed and what was deleted since a time', async () => {
    const world = setUp({ config: { 'salesforce.objects': 'Contact,User' } });
    world.fake.put('Contact', contactId(1), { LastName: 'Old' }, world.clock.nowMicros() / 1_000 - 86_400_000);
    world.fake.put('Contact', contactId(2), { LastName: 'New' });
    world.fake.purge('Contact', contactId(3));
    await world.clock.advance(5_000);
    const since = new Date(world.clock.nowMicros() / 1_000 - 3_600_000).toISOString();
    const living = await start(world);
    const result = await inTime(world.clock, living.commands.reconcile({ since }, noProgress, world.context.signal));
    expect(result).toMatchObject({
      runs: [
        { object: 'Contact', records: 1 },
        { object: 'User', records: 0 },
      ],
    });
    expect(world.raw().map(({ envelope }) => `${envelope.operation} ${envelope.id}`)).toEqual([
      `upsert ${contactId(2)}`,
      `delete ${contactId(3)}`,
    ]);
  });

  it('reconciles many changes by a bulk job', async () => {
    const world = setUp({ config: { 'salesforce.objects': 'Contact' } });
    for (let n = 0; n < 20_001; n += 1) world.fake.put('Contact', contactId(n), { LastName: 'x' });
    const living = await start(world);
    const since = new Date(world.clock.nowMicros() / 1_000).toISOString();
    world.fake.pageRows = 5_000;
    await inTime(
      world.clock,
      living.commands.reconcile({ since, object: 'Contact' }, noProgress, world.context.signal),
    );
    expect(world.fake.jobs.size).toBe(1);
    expect(new Set(world.raw().map(({ envelope }) => envelope.id)).size).toBe(20_001);
  });

  it.each([
    [{ since: 'yesterday' }, 'not_a_time'],
    [{ since: '2026-01-05T09:00:00Z', object: 'Case' }, 'unknown_object'],
  ])('refuses the arguments %j', async (args, code) => {
    const world = setUp();
    const living = await start(world);
    await expect(living.commands.reconcile(args, noProgress, world.context.signal)).rejects.toMatchObject({ code });
  });

  it('is probed by asking for the limits', async () => {
    const world = setUp();
    const living = await start(world);
    await living.probe?.();
    for (let n = 0; n < 6; n += 1)
      world.fake.faults.push(({ url }) =>
        url.endsWith('/limits') ? { status: 503, headers: {}, body: streamOf(''), issuedMicros: 0 } : undefined,
      );
    await expect(inTime(world.clock, living.probe?.() ?? Promise.resolve())).rejects.toMatchObject({
      code: 'http_503',
    });
  });
});
