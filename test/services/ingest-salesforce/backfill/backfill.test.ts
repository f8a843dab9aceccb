import { describe, expect, it } from 'vitest';
import { Transient } from '#core/errors.ts';
import type { VendorRequest, VendorResponse } from '#core/ports/vendor.ts';
import { backfill } from '#services/ingest-salesforce/backfill/backfill.ts';
import { emptyWarehouse, memoryObjects, memoryStore } from '#test/kit/context.ts';
import { contactId, inTime, setUp, type World } from '../set-up.ts';
import { streamOf } from '../fake-org.ts';

const noProgress = (): void => undefined;

function fill(world: World, contacts: number): void {
  for (let n = 0; n < contacts; n += 1)
    world.fake.put('Contact', contactId(n), { LastName: `Person "${n}"`, Email: `p${n}@acme.example` });
}

function run(world: World, again = true) {
  const { org, clock, context } = world;
  return inTime(clock, backfill(org).run(['Contact'], 'test', again, noProgress, context.signal));
}

function ids(world: World): readonly string[] {
  return world.raw().map(({ envelope }) => envelope.id);
}

function isResults({ url }: VendorRequest): boolean {
  return url.includes('/results?') || url.endsWith('/results');
}

function status(code: number): VendorResponse {
  return { status: code, headers: {}, body: streamOf('[]'), issuedMicros: 0 };
}

describe('a backfill', () => {
  it.each(['documented', 'seen', 'none'] as const)('reads every record once, result pages: %s', async (resultPages) => {
    const world = setUp({ config: { 'salesforce.pageRecords': '100' } });
    world.fake.resultPages = resultPages;
    fill(world, 1_050);
    const before = world.clock.nowMicros();
    await run(world);
    expect(ids(world).toSorted()).toEqual(Array.from({ length: 1_050 }, (_, n) => contactId(n)));
    const [event] = world.raw();
    expect(event?.envelope).toMatchObject({
      lane: 'bulk',
      operation: 'upsert',
      object: 'Contact',
      changedAtMicros: null,
    });
    expect(event?.envelope.version.issuedMicros).toBeGreaterThanOrEqual(before);
    expect(world.facts.at(-1)?.record).toMatchObject({
      state: 'succeeded',
      records_read: 1_050,
      records_published: 1_050,
    });
    expect(
      world.published.filter(({ topic }) => topic === 'raw.salesforce').every(({ survives }) => survives === 'power'),
    ).toBe(true);
  });

  it('stamps every row with the job’s creation, though pages are read later', async () => {
    const world = setUp();
    fill(world, 250);
    await run(world);
    expect(new Set(world.raw().map(({ envelope }) => envelope.version.issuedMicros)).size).toBe(1);
  });

  it('makes rows marked deleted tombstones with their last image', async () => {
    const world = setUp();
    fill(world, 3);
    world.fake.put('Contact', contactId(1), { IsDeleted: true, MasterRecordId: contactId(0) });
    await run(world);
    const event = world.raw().find(({ envelope }) => envelope.id === contactId(1));
    expect(event?.envelope.operation).toBe('delete');
    expect(JSON.parse(event?.record ?? '')).toMatchObject({ MasterRecordId: contactId(0), LastName: 'Person "1"' });
  });

  it('reads an object without records', async () => {
    const world = setUp();
    await run(world);
    expect(ids(world)).toEqual([]);
    expect(world.facts.at(-1)?.record).toMatchObject({ state: 'succeeded' });
  });

  it.each<[string, (request: VendorRequest) => VendorResponse | Promise<VendorResponse>]>([
    ['the token expires', () => status(401)],
    ['a page is answered with 503', () => status(503)],
    ['the connection is cut', () => Promise.reject(new Transient('cut', 'cut'))],
    [
      'a page is cut inside a row',
      () => ({
        status: 200,
        headers: { 'sforce-numberofrecords': '100' },
        body: streamOf('"Id","IsDel'),
        issuedMicros: 0,
      }),
    ],
    [
      'a page is cut between rows',
      () => ({ status: 200, headers: { 'sforce-numberofrecords': '100' }, body: streamOf(''), issuedMicros: 0 }),
    ],
  ])('is whole though %s in the middle of the job', async (_what, answer) => {
    const world = setUp();
    fill(world, 450);
    let pages = 0;
    world.fake.faults.push((request) => {
      if (!isResults(request)) return undefined;
      pages += 1;
      return pages === 3 ? answer(request) : undefined;
    });
    await run(world);
    expect(new Set(ids(world)).size).toBe(450);
    expect(world.facts.at(-1)?.record).toMatchObject({ state: 'succeeded', records_read: 450, records_published: 450 });
  });

  it('fails when the job does not add up, and the next try makes a new job', async () => {
    const world = setUp();
    fill(world, 150);
    world.fake.faults.push((request) =>
      /jobs\/query\/\w+$/.test(request.url)
        ? {
            status: 200,
            headers: {},
            body: streamOf('{"state":"JobComplete","numberRecordsProcessed":200}'),
            issuedMicros: 0,
          }
        : undefined,
    );
    await expect(run(world)).rejects.toMatchObject({ code: 'job_incomplete' });
    expect(world.facts.at(-1)?.record).toMatchObject({ state: 'failed', error_code: 'job_incomplete' });
    await run(world, false);
    expect(world.fake.jobs.size).toBe(2);
  });

  it('says what to do when the job failed', async () => {
    const world = setUp();
    world.fake.faults.push((request) =>
      /jobs\/query\/\w+$/.test(request.url)
        ? { status: 200, headers: {}, body: streamOf('{"state":"Failed"}'), issuedMicros: 0 }
        : undefined,
    );
    await expect(run(world)).rejects.toMatchObject({
      code: 'bulk_job_failed',
      message: expect.stringContaining('again') as string,
    });
  });

  it('goes on after a kill where it was, and reads no finished page again', async () => {
    const shared = { store: memoryStore(), objects: memoryObjects() };
    const first = setUp({ ...shared, config: { 'salesforce.backfillPages': '1' } });
    fill(first, 1_000);
    let pages = 0;
    first.fake.faults.push((request) => {
      if (isResults(request)) pages += 1;
      // The sixth page is never answered: the process is killed while it waits.
      return pages === 6 ? new Promise<VendorResponse>(() => undefined) : undefined;
    });
    void backfill(first.org)
      .run(['Contact'], 'test', true, noProgress, first.context.signal)
      .catch(() => undefined);
    await first.clock.until(() => pages === 6);
    await first.clock.advance(2_000);
    first.fake.faults.length = 0;

    const second = setUp({ ...shared, fake: first.fake, virtual: first.clock });
    const asked = first.fake.requests.length;
    await run(second, false);
    expect(first.fake.jobs.size).toBe(1);
    expect(first.fake.requests.slice(asked).filter(isResults)).toHaveLength(5);
    expect(ids(second)).toHaveLength(500);
    expect(new Set([...ids(first), ...ids(second)]).size).toBe(1_000);
    expect(second.facts.at(-1)?.record).toMatchObject({ state: 'succeeded', records_read: 1_000 });
  });

  it('goes on along a chain of locators after a kill', async () => {
    const shared = { store: memoryStore(), objects: memoryObjects() };
    const config = { 'salesforce.backfillPages': '1', 'salesforce.pageRecords': '100' };
    const first = setUp({ ...shared, config });
    first.fake.resultPages = 'none';
    fill(first, 500);
    let pages = 0;
    first.fake.faults.push((request) => {
      if (isResults(request)) pages += 1;
      return pages === 4 ? new Promise<VendorResponse>(() => undefined) : undefined;
    });
    void backfill(first.org)
      .run(['Contact'], 'test', true, noProgress, first.context.signal)
      .catch(() => undefined);
    await first.clock.until(() => pages === 4);
    await first.clock.advance(2_000);
    first.fake.faults.length = 0;
    const second = setUp({ ...shared, config, fake: first.fake, virtual: first.clock });
    await run(second, false);
    expect(ids(second).toSorted()).toEqual(Array.from({ length: 200 }, (_, n) => contactId(300 + n)));
  });

  it('finds what was deleted for good: held before, not listed, still absent a minute later', async () => {
    const world = setUp({ warehouse: emptyWarehouse([contactId(1), contactId(900), contactId(901)]) });
    fill(world, 5);
    // One that the listing missed, and a read by id shows.
    const running = run(world);
    await world.clock.until(() => world.fake.jobs.size === 1);
    world.fake.put('Contact', contactId(901), { LastName: 'Late' });
    await running;
    const events = world.raw().filter(({ envelope }) => Number(envelope.id.slice(3, 15)) >= 900);
    expect(events.map(({ envelope }) => [envelope.id, envelope.operation])).toEqual([
      [contactId(900), 'delete'],
      [contactId(901), 'upsert'],
    ]);
    const job = world.raw()[0]?.envelope.version.issuedMicros ?? 0;
    expect(events[0]?.envelope.version).toMatchObject({
      sourceSequence: Math.floor(job / 1e6) * 1e6,
      issuedMicros: job,
    });
    expect(events[0]?.record).toBeNull();
    expect(world.facts.at(-1)?.record).toMatchObject({ deletions_found: 1 });
  });

  it('is owed for every object until it is done, and again when the epoch is raised', async () => {
    const shared = { store: memoryStore(), objects: memoryObjects() };
    const world = setUp({ ...shared, config: { 'salesforce.objects': 'Contact,User' } });
    expect(await backfill(world.org).owed()).toEqual(['Contact', 'User']);
    await run(world, false);
    expect(await backfill(world.org).owed()).toEqual(['User']);
    const raised = setUp({
      ...shared,
      fake: world.fake,
      config: { 'salesforce.epoch': '1', 'salesforce.objects': 'Contact' },
    });
    expect(await backfill(raised.org).owed()).toEqual(['Contact']);
    fill(raised, 1);
    await run(raised, false);
    expect(raised.raw()[0]?.envelope.version.epoch).toBe(1);
  });
});

describe('a listing that lacks most of what is held', () => {
  const gone = Array.from({ length: 300 }, (_, n) => contactId(5_000 + n));
  const holding = () => emptyWarehouse(gone);

  it('deletes nothing: the user may have lost the right to see them', async () => {
    const world = setUp({ warehouse: holding() });
    fill(world, 10);
    await expect(run(world)).rejects.toMatchObject({ code: 'mass_absence' });
    expect(world.raw().filter(({ envelope }) => envelope.operation === 'delete')).toEqual([]);
    expect(world.facts.at(-1)?.record).toMatchObject({ state: 'failed', error_code: 'mass_absence' });
  });

  it('is believed when the operator says so', async () => {
    const world = setUp({ warehouse: holding(), config: { 'salesforce.absentShareLimit': '100' } });
    fill(world, 10);
    await run(world);
    expect(world.raw().filter(({ envelope }) => envelope.operation === 'delete')).toHaveLength(300);
  });
});
