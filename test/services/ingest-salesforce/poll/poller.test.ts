import { describe, expect, it } from 'vitest';
import { LARGEST_BODY_BYTES } from '#core/claim.ts';
import { poller, placeWatermarks, type Poller } from '#services/ingest-salesforce/poll/poller.ts';
import { memoryObjects, memoryStore } from '#test/kit/context.ts';
import { streamOf } from '../fake-org.ts';
import { contactId, inTime, setUp, type World } from '../set-up.ts';

const CONFIG = {
  'salesforce.objects': 'Contact',
  'salesforce.pollEverySeconds': '60',
  'salesforce.lookBackSeconds': '600',
};

async function poll(world: World, polls: Poller): Promise<void> {
  await world.clock.advance(60_000);
  await inTime(world.clock, polls.whenDue(world.context.signal));
}

function seen(world: World): readonly string[] {
  return world.raw().map(({ envelope }) => `${envelope.operation} ${Number(envelope.id.slice(3, 15))}`);
}

describe('a poll', () => {
  it('waits for its interval', async () => {
    const world = setUp({ config: CONFIG });
    const polls = poller(world.org);
    await polls.whenDue(world.context.signal);
    expect(world.fake.requests).toEqual([]);
  });

  it('publishes what changed, what is marked deleted, and what was emptied from the bin', async () => {
    const world = setUp({ config: CONFIG });
    const polls = poller(world.org);
    await placeWatermarks(world.org);
    await world.clock.advance(1_000);
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    world.fake.put('Contact', contactId(2), { LastName: 'Two', IsDeleted: true });
    world.fake.purge('Contact', contactId(3));
    await poll(world, polls);
    expect(seen(world)).toEqual(['upsert 1', 'delete 2', 'delete 3']);
    expect(world.raw().map(({ envelope }) => envelope.lane)).toEqual(['live', 'live', 'live']);
    expect(world.raw()[2]?.record).toBeNull();
    expect(world.facts.at(-1)?.record).toMatchObject({ kind: 'poll', records_published: 3, deletions_found: 1 });
  });

  it('publishes a row of its look-back again until a read is certain to be the last word, then no more', async () => {
    const world = setUp({ config: CONFIG });
    const polls = poller(world.org);
    await placeWatermarks(world.org);
    await world.clock.advance(30_000);
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    for (let n = 0; n < 5; n += 1) await poll(world, polls);
    expect(seen(world)).toEqual(['upsert 1']);
    world.fake.put('Contact', contactId(1), { LastName: 'Two' });
    await world.clock.advance(0);
    await poll(world, polls);
    expect(seen(world)).toEqual(['upsert 1', 'upsert 1']);
  });

  it('does not move its watermark past what was not published', async () => {
    const shared = { store: memoryStore(), objects: memoryObjects() };
    let fails = true;
    const world = setUp({
      ...shared,
      config: { ...CONFIG, 'salesforce.lookBackSeconds': '0' },
      onPublish: ({ topic }) => {
        if (fails && topic === 'raw.salesforce') throw new Error('the broker is away');
      },
    });
    const polls = poller(world.org);
    await placeWatermarks(world.org);
    await world.clock.advance(1_000);
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    await poll(world, polls);
    expect(world.faults()).toEqual(['unexpected']);
    world.fake.put('Contact', contactId(2), { LastName: 'Two' });
    fails = false;
    await poll(world, polls);
    expect(seen(world)).toEqual(['upsert 1', 'upsert 2']);
  });

  it.each([
    ['cut', '{"totalSize":2,"done":true,"records":[{"Id":"003'],
    ['without its next page', '{"totalSize":4,"done":false,"records":[]}'],
    ['a sign-in page', '<html>'],
    ['of another shape', '[]'],
  ])('takes nothing of a page that is %s, and reads it again', async (_what, body) => {
    const world = setUp({ config: CONFIG });
    const polls = poller(world.org);
    await placeWatermarks(world.org);
    await world.clock.advance(1_000);
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    world.fake.faults.push(({ url }) =>
      url.includes('/queryAll') ? { status: 200, headers: {}, body: streamOf(body), issuedMicros: 0 } : undefined,
    );
    await poll(world, polls);
    expect(seen(world)).toEqual(['upsert 1']);
    expect(world.faults()).toEqual([]);
  });

  it('does not take a query for read whose pages have fewer rows than it promised', async () => {
    const world = setUp({ config: CONFIG });
    const polls = poller(world.org);
    await placeWatermarks(world.org);
    world.fake.faults.push(({ url }) =>
      url.includes('/queryAll')
        ? { status: 200, headers: {}, body: streamOf('{"totalSize":3,"done":true,"records":[]}'), issuedMicros: 0 }
        : undefined,
    );
    await poll(world, polls);
    expect(world.faults()).toEqual(['page_incomplete']);
  });

  it('follows pages to their end', async () => {
    const world = setUp({ config: CONFIG });
    world.fake.queryRows = 10;
    const polls = poller(world.org);
    await placeWatermarks(world.org);
    await world.clock.advance(1_000);
    for (let n = 0; n < 35; n += 1) world.fake.put('Contact', contactId(n), { LastName: `P${n}` });
    await poll(world, polls);
    expect(new Set(seen(world)).size).toBe(35);
  });

  it('polls the other objects when one fails', async () => {
    const world = setUp({ config: { ...CONFIG, 'salesforce.objects': 'Account,Contact' } });
    const polls = poller(world.org);
    await placeWatermarks(world.org);
    await world.clock.advance(1_000);
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    world.fake.faults.push(({ url }) =>
      url.includes('Account')
        ? { status: 400, headers: {}, body: streamOf('[{"errorCode":"INVALID_TYPE"}]'), issuedMicros: 0 }
        : undefined,
    );
    await poll(world, polls);
    expect(world.faults()).toEqual(['salesforce_invalid_type']);
    expect(seen(world)).toEqual(['upsert 1']);
  });

  it('reads a purged log of deletions from where it begins, says that some are missing, and then goes on as before', async () => {
    const world = setUp({ config: CONFIG });
    const polls = poller(world.org);
    await placeWatermarks(world.org);
    await world.clock.advance(200_000);
    world.fake.purge('Contact', contactId(1));
    await world.clock.advance(200_000);
    world.fake.deletionsSinceMs = Math.floor(world.clock.nowMicros() / 60_000_000) * 60_000;
    world.fake.purge('Contact', contactId(2));
    await poll(world, polls);
    expect(seen(world)).toEqual(['delete 2']);
    expect(world.faults()).toEqual(['deletions_purged']);
    world.fake.purge('Contact', contactId(3));
    for (let n = 0; n < 12; n += 1) await poll(world, polls);
    expect(new Set(seen(world))).toEqual(new Set(['delete 2', 'delete 3']));
    expect(world.faults()).toEqual(['deletions_purged']);
  });

  it('hands on as a hint what is too large for a message', async () => {
    const world = setUp({ config: CONFIG });
    const polls = poller(world.org);
    await placeWatermarks(world.org);
    await world.clock.advance(1_000);
    world.fake.put('Contact', contactId(1), { LastName: 'x'.repeat(LARGEST_BODY_BYTES) });
    world.fake.put('Contact', contactId(2), { LastName: 'Two' });
    await poll(world, polls);
    expect(seen(world)).toEqual(['upsert 2']);
    expect(world.hints().map(({ envelope }) => [envelope.id, envelope.hint?.kind])).toEqual([
      [contactId(1), 'too_large'],
    ]);
  });
});
