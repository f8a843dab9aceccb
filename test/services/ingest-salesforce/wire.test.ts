import { afterEach, describe, expect, it } from 'vitest';
import type { Message } from '#core/ports/broker.ts';
import { factsOf, hintMessage } from '#services/ingest-salesforce/hint.ts';
import { startChanges } from '#tools/simulators/world/index.ts';
import type { HttpFault } from '#tools/simulators/salesforce/faults.ts';
import { held, pipe, simulate, truth, type Pipeline, type PipelineOptions, type SimulatedOrg } from './wire.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function simulated(...given: Parameters<typeof simulate>): Promise<SimulatedOrg> {
  const org = await simulate(...given);
  closing.push(() => org.close());
  return org;
}

async function piped(org: SimulatedOrg, options?: PipelineOptions): Promise<Pipeline> {
  const pipeline = await pipe(org, options);
  closing.push(() => pipeline.close());
  return pipeline;
}

/** Runs the singleton until it is stopped; failures show in what is told. */
function run({ living, context }: Pipeline): Promise<void> {
  return living.singletons.changes?.(context.signal).catch(() => undefined) ?? Promise.resolve();
}

const SOON = { timeout: 30_000, interval: 50 };

async function synced(pipeline: Pipeline): Promise<void> {
  await expect.poll(() => pipeline.living.busy?.(), SOON).toBe(false);
}

async function converged(org: SimulatedOrg, pipeline: Pipeline): Promise<void> {
  await expect.poll(() => differences(org, pipeline), SOON).toEqual([]);
}

/** Of the objects that are read. */
function differences(org: SimulatedOrg, { rows, context }: Pipeline): readonly string[] {
  const objects = new Set(context.config['salesforce.objects']);
  const all = [...truth(org.world)].filter(([key]) => objects.has(key.split('/')[0] ?? ''));
  const [wanted, got] = [new Map(all), held(rows)];
  const keys = new Set([...wanted.keys(), ...got.keys()]);
  return [...keys]
    .filter((key) => wanted.get(key) !== got.get(key))
    .map((key) => `${key}: ${wanted.get(key)} ≠ ${got.get(key)}`)
    .slice(0, 3);
}

function fault(kind: HttpFault['kind'], pattern: RegExp, more: Partial<HttpFault> = {}): HttpFault {
  return { kind, pattern, skip: 0, times: 1, bytes: 200, ms: 100, ...more };
}

describe('the first sync of a simulated org', () => {
  it.each(['resultPages', 'resultChunks', 'none'] as const)('reads all, pages told as %s', async (resultPages) => {
    const org = await simulated({}, { resultPages, resultRows: 40 });
    const pipeline = await piped(org, { config: { 'salesforce.pageRecords': '40' } });
    void run(pipeline);
    await synced(pipeline);
    expect(differences(org, pipeline)).toEqual([]);
    expect(org.org.traffic.mutating).toEqual([]);
  });

  it.each<[string, HttpFault]>([
    ['503 in the middle of a page', fault('unavailable', /results/, { skip: 2 })],
    ['a cut connection', fault('cut', /results/, { skip: 3, bytes: 3_000 })],
    ['a truncated page', fault('truncate', /results/, { skip: 3, bytes: 3_000 })],
    ['an expired token', fault('expired', /results/, { skip: 4 })],
    ['a rate limit', fault('rateLimited', /jobs\/query/, { skip: 5 })],
    ['a server error where a job is created', fault('serverError', /POST .*jobs\/query/)],
  ])('is whole despite %s', async (_what, given) => {
    const org = await simulated({}, { resultRows: 40 });
    org.org.faults.add(given);
    const pipeline = await piped(org, { config: { 'salesforce.objects': 'Contact' } });
    void run(pipeline);
    await synced(pipeline);
    expect(differences(org, pipeline)).toEqual([]);
    expect(org.org.faults.pending).toEqual([]);
  });

  it('reads compressed results', async () => {
    const org = await simulated();
    const pipeline = await piped(org, { config: { 'salesforce.compress': 'yes' } });
    void run(pipeline);
    await synced(pipeline);
    expect(differences(org, pipeline)).toEqual([]);
  });
});

describe('live changes of a simulated org', () => {
  it('converge by hints alone, with reads that lag and commits that follow their SystemModstamp', async () => {
    const org = await simulated({ readLagMs: 300, commitDelayMs: 1_500 });
    const pipeline = await piped(org);
    void run(pipeline);
    await synced(pipeline);
    await startChanges(org.world, { perSecond: 100, count: 400 }).done;
    await converged(org, pipeline);
    expect(pipeline.dispositions.every(({ kind }) => kind === 'ack')).toBe(true);
    expect(org.org.traffic.mutating).toEqual([]);
  });

  it('converge over streams that are cut, tokens that expire and reads that fail', async () => {
    const org = await simulated();
    const pipeline = await piped(org);
    void run(pipeline);
    await synced(pipeline);
    const changes = startChanges(org.world, { perSecond: 100, count: 300 });
    for (const kind of ['unavailable', 'expired', 'cut', 'reset'] as const)
      org.org.faults.add(fault(kind, /composite/, { skip: 3 }));
    await expect.poll(changes.made, SOON).toBeGreaterThan(100);
    org.events.dropStreams();
    org.org.sessions.expireAll();
    await changes.done;
    await converged(org, pipeline);
  });

  it('are polled where no event tells of them: an emptied recycle bin', async () => {
    const org = await simulated();
    const pipeline = await piped(org, { config: { 'salesforce.pollEverySeconds': '1' } });
    void run(pipeline);
    await synced(pipeline);
    const [key = ''] = [...truth(org.world).keys()].filter((name) => name.startsWith('Contact/'));
    const id = key.slice('Contact/'.length);
    org.events.log.isOn = false;
    org.world.commit({ changes: [{ kind: 'delete', object: 'Contact', id }] });
    org.world.commit({ changes: [{ kind: 'purge', object: 'Contact', id }] });
    await expect
      .poll(async () => {
        await pipeline.living.schedules.poll?.(pipeline.context.signal);
        return pipeline.rows.get(key)?.envelope.operation;
      }, SOON)
      .toBe('delete');
  });

  it('are reconciled after an expired replay id, never skipped in silence', async () => {
    const org = await simulated();
    const pipeline = await piped(org);
    const running = run(pipeline);
    await synced(pipeline);
    await startChanges(org.world, { perSecond: 200, count: 50 }).done;
    await converged(org, pipeline);
    await synced(pipeline);
    pipeline.stop();
    await running;
    const { store, objects } = pipeline.context.ports;
    await startChanges(org.world, { perSecond: 200, count: 100 }).done;
    org.events.log.expire();
    const next = await piped(org, { store, objects });
    for (const [key, event] of pipeline.rows) (next.rows as Map<string, typeof event>).set(key, event);
    void run(next);
    await converged(org, next);
    const reasons = (): readonly unknown[] => next.facts.map(({ record }) => ('reason' in record ? record.reason : ''));
    await expect.poll(reasons, SOON).toContain('position_refused');
    expect(org.jobs.all.length).toBe(7);
  });
});

describe('events of a simulated org that are not plain', () => {
  it.each([
    ['unknown_schema', 'unknown_schema'],
    ['undecodable', 'undecodable_event'],
  ] as const)('keep their bytes when damaged (%s), and hold nothing up', async (damage, code) => {
    const org = await simulated();
    const pipeline = await piped(org);
    void run(pipeline);
    await synced(pipeline);
    org.events.log.damageNext(damage);
    await startChanges(org.world, { perSecond: 100, count: 30 }).done;
    const parked = (): readonly unknown[] => pipeline.dispositions.filter(({ kind }) => kind === 'deadLetter');
    await expect.poll(parked, SOON).toHaveLength(1);
    expect(parked()).toMatchObject([{ code }]);
    await expect
      .poll(() => pipeline.dispositions.filter(({ kind }) => kind === 'ack').length, SOON)
      .toBeGreaterThan(10);
  });

  it('gaps are read like other changes', async () => {
    const org = await simulated();
    const pipeline = await piped(org);
    void run(pipeline);
    await synced(pipeline);
    org.events.log.gapsInstead = true;
    await startChanges(org.world, { perSecond: 100, count: 100 }).done;
    await converged(org, pipeline);
  });

  it('an overflow has its object reconciled', async () => {
    const org = await simulated();
    const pipeline = await piped(org);
    void run(pipeline);
    await synced(pipeline);
    org.world.rewriteAll('Contact');
    await converged(org, pipeline);
    expect(pipeline.facts.some(({ record }) => 'reason' in record && record.reason === 'overflow')).toBe(true);
  });
});

describe('awkward values of a simulated org', () => {
  it('are the same bytes by Bulk, by REST, and by both ways of reading after an event', async () => {
    const org = await simulated();
    const id = firstOf(org, 'Contact');
    const values = {
      LastName: 'O"Hara \\ “Ünï”, \u{1F600}; x',
      FirstName: null,
      Title: '',
      MailingStreet: 'Line 1\r\nLine 2, "quoted"\n\tLine 3',
      MailingCity: '  Saint-Étienne  ',
      Email: null,
      Score__c: 1000.5,
      Renewal_Date__c: '2026-02-28',
    };
    org.world.commit({ changes: [{ kind: 'update', object: 'Contact', id, values }] });
    const deal = firstOf(org, 'Opportunity');
    org.world.commit({
      changes: [
        {
          kind: 'update',
          object: 'Opportunity',
          id: deal,
          values: { Amount: 1_234_567.5, Probability: 0, Description: 'a\n\nb' },
        },
      ],
    });
    const pipeline = await piped(org, {
      config: { 'salesforce.extraFields': 'Contact.Score__c,Contact.Renewal_Date__c' },
    });
    const { living, context } = pipeline;
    await living.commands.backfill?.({}, () => undefined, context.signal);
    await living.commands.reconcile?.({ since: '2020-01-01T00:00:00Z' }, () => undefined, context.signal);
    for (const [kind, objects] of [
      ['UPDATE', ['Contact']],
      ['DELETE', ['Contact', 'Opportunity']],
    ] as const) {
      const before = pipeline.dispositions.length;
      await context.publish(
        'hint.salesforce',
        objects.map((object) => hintFor(pipeline, org, object, object === 'Contact' ? id : deal, kind)),
        'kill',
      );
      await expect.poll(() => pipeline.dispositions.length, SOON).toBe(before + objects.length);
    }
    const records = pipeline.raw().filter(({ envelope }) => envelope.id === id);
    expect(records.length).toBeGreaterThanOrEqual(4);
    expect(new Set(records.map(({ record }) => record)).size).toBe(1);
    expect(JSON.parse(records[0]?.record ?? '')).toMatchObject({
      FirstName: null,
      Title: null,
      Email: null,
      MailingStreet: 'Line 1\nLine 2, "quoted"\n\tLine 3',
      Score__c: '1000.5',
      Renewal_Date__c: '2026-02-28',
      HasOptedOutOfEmail: expect.any(Boolean) as boolean,
    });
    const deals = pipeline.raw().filter(({ envelope }) => envelope.id === deal);
    expect(new Set(deals.map(({ record }) => record)).size).toBe(1);
    expect(JSON.parse(deals[0]?.record ?? '')).toMatchObject({ Amount: '1234567.5', Probability: '0' });
    for (const object of Object.keys(org.world.tables)) {
      const byId = Map.groupBy(
        pipeline.raw().filter(({ envelope }) => envelope.object === object),
        ({ envelope }) => envelope.id,
      );
      for (const events of byId.values()) expect(new Set(events.map(({ record }) => record)).size).toBe(1);
    }
  });
});

function hintFor({ context }: Pipeline, org: SimulatedOrg, object: string, id: string, kind: string): Message {
  const now = context.clock.nowMicros();
  const facts = factsOf(kind);
  const common = {
    instance: org.org.orgId,
    epoch: 0,
    changedAtMicros: now,
    observedAtMicros: now,
    trace: 't',
    body: {},
  };
  return hintMessage(context.codec, { ...common, object, id, facts });
}

function firstOf(org: SimulatedOrg, object: string): string {
  const [key = ''] = [...truth(org.world).keys()].filter((name) => name.startsWith(`${object}/`));
  return key.slice(object.length + 1);
}
