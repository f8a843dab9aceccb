import { describe, expect, it } from 'vitest';
import { LARGEST_BODY_BYTES } from '#core/claim.ts';
import type { Disposition } from '#core/disposition.ts';
import { InvalidMessage, Transient } from '#core/errors.ts';
import type { Message } from '#core/ports/broker.ts';
import type { VendorResponse } from '#core/ports/vendor.ts';
import type { EventDecoder } from '#services/ingest-salesforce/cdc/event.ts';
import { factsOf, hintMessage, UNDECODABLE } from '#services/ingest-salesforce/hint.ts';
import { hintReader } from '#services/ingest-salesforce/read/reader.ts';
import { ORG_ID, streamOf } from '../fake-org.ts';
import { contactId, delivered, inTime, setUp, type World } from '../set-up.ts';

const refusing: EventDecoder = {
  decode: () => Promise.reject(new InvalidMessage('undecodable_event', 'An event is not what its schema says.')),
};

function hint(
  world: World,
  id: string,
  kind = 'UPDATE',
  more: Partial<Parameters<typeof hintMessage>[1]> = {},
): Message {
  const now = world.clock.nowMicros();
  return hintMessage(world.context.codec, {
    instance: ORG_ID,
    epoch: 0,
    object: 'Contact',
    id,
    changedAtMicros: now,
    observedAtMicros: now,
    trace: `trace-${id}`,
    facts: { ...factsOf(kind), changedFields: ['Title'], user: '005000000000001AAA' },
    body: {},
    ...more,
  });
}

function reading(world: World, decoder = refusing) {
  const reader = hintReader(world.org, decoder);
  return (messages: readonly Message[]): Promise<readonly Disposition[]> =>
    inTime(
      world.clock,
      reader.handle(
        messages.map((message) => delivered(message)),
        world.context.signal,
      ),
      600_000,
      10,
    );
}

function failure(status: number, body: string): VendorResponse {
  return { status, headers: {}, body: streamOf(body), issuedMicros: 0 };
}

describe('the read of hinted records', () => {
  it('reads promptly, and once more when the change has settled; only then is the hint answered', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'Old' });
    const start = world.clock.monotonicMs();
    const done = reading(world)([hint(world, contactId(1))]);
    await world.clock.until(() => world.raw().length === 1, 1_000);
    expect(world.clock.monotonicMs() - start).toBeLessThan(300);
    // The read lagged behind: what it showed is not the last word.
    world.fake.put('Contact', contactId(1), { LastName: 'New' });
    expect(await done).toEqual([{ kind: 'ack' }]);
    const records = world
      .raw()
      .map(({ record }) => (JSON.parse(record ?? '{}') as { readonly LastName: string }).LastName);
    expect(records).toEqual(['Old', 'New']);
    expect(world.clock.monotonicMs() - start).toBeGreaterThanOrEqual(1_000);
  });

  it('keeps the trace and the facts of the hint, and when the change was committed', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    const at = world.clock.nowMicros();
    await reading(world)([hint(world, contactId(1))]);
    expect(world.raw()[0]?.envelope).toMatchObject({
      trace: `trace-${contactId(1)}`,
      changedAtMicros: at,
      lane: 'live',
      hint: { kind: 'UPDATE', changedFields: ['Title'], user: '005000000000001AAA' },
    });
  });

  it('takes not found for no deletion: nothing is published', async () => {
    const world = setUp();
    expect(await reading(world)([hint(world, contactId(9))])).toEqual([{ kind: 'ack' }]);
    expect(world.raw()).toEqual([]);
  });

  it('makes a tombstone of a deletion with the last image from the recycle bin', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'Gone', IsDeleted: true });
    await reading(world)([hint(world, contactId(1), 'DELETE')]);
    const [event] = world.raw();
    expect(event?.envelope.operation).toBe('delete');
    expect(event?.record).toContain('Gone');
  });

  it('makes a tombstone without an image where the bin was emptied, stamped with the deletion', async () => {
    const world = setUp();
    const at = world.clock.nowMicros();
    await reading(world)([hint(world, contactId(1), 'GAP_DELETE')]);
    const [event] = world.raw();
    expect(event?.envelope).toMatchObject({
      operation: 'delete',
      version: { sourceSequence: Math.floor(at / 1e6) * 1e6 },
    });
    expect(event?.record).toBeNull();
  });

  it('believes the record where a deletion was undone', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'Back' });
    await reading(world)([hint(world, contactId(1), 'DELETE')]);
    expect(world.raw().map(({ envelope }) => envelope.operation)).not.toContain('delete');
  });

  it.each([
    ['one object', ['Contact']],
    ['seven objects', ['Contact', 'Task', 'Lead', 'Account', 'Opportunity', 'Event', 'User']],
  ])('spends at most 300 calls on 1,000 changes of %s at 50 a second', async (_what, objects) => {
    const world = setUp();
    for (const object of objects)
      for (let n = 0; n < 1_000; n += 1) world.fake.put(object, contactId(n), { LastName: `P${n}` });
    const reader = hintReader(world.org, refusing);
    const answers: Promise<readonly Disposition[]>[] = [];
    for (let n = 0; n < 1_000; n += 1) {
      answers.push(
        reader.handle(
          [delivered(hint(world, contactId(n), 'UPDATE', { object: objects[n % objects.length] ?? '' }))],
          world.context.signal,
        ),
      );
      await world.clock.advance(20);
    }
    const all = await inTime(world.clock, Promise.all(answers));
    expect(all.flat().every(({ kind }) => kind === 'ack')).toBe(true);
    const reads = world.fake.calls().filter((call) => call.startsWith('POST composite'));
    expect(reads.length).toBeLessThanOrEqual(objects.length > 5 ? 500 : 300);
  });

  it('reads a burst of 5,000 in few calls, each record at least once when settled', async () => {
    const world = setUp();
    for (let n = 0; n < 5_000; n += 1) world.fake.put('Contact', contactId(n), { LastName: `P${n}` });
    const messages = Array.from({ length: 5_000 }, (_, n) => hint(world, contactId(n)));
    const start = world.clock.nowMicros();
    const answers = await reading(world)(messages);
    expect(answers.every(({ kind }) => kind === 'ack')).toBe(true);
    const settled = new Set(
      world
        .raw()
        .filter(({ envelope }) => envelope.version.issuedMicros >= start + 1e6)
        .map(({ envelope }) => envelope.id),
    );
    expect(settled.size).toBe(5_000);
    expect(world.fake.calls().filter((call) => call.startsWith('POST composite/')).length).toBeLessThanOrEqual(30);
  });

  it('discards hints of objects that are not read, and parks what is no hint', async () => {
    const world = setUp({ config: { 'salesforce.objects': 'Contact' } });
    const answers = await reading(world)([
      hint(world, '001000000000001AAA', 'UPDATE', { object: 'Account' }),
      hint(world, '001*'),
      { body: Buffer.from('nonsense'), attributes: { lane: 'live' } },
    ]);
    expect(answers).toMatchObject([
      { kind: 'discard', reason: 'object_not_read' },
      { kind: 'deadLetter', code: 'bad_id' },
      { kind: 'deadLetter', code: 'not_decodable' },
    ]);
  });

  it('holds the hints and reads again when a read fails', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    world.fake.faults.push(({ url }) => (url.includes('/composite/') ? failure(503, '') : undefined));
    expect(await reading(world)([hint(world, contactId(1))])).toEqual([{ kind: 'ack' }]);
  });

  it('gives all hints back when Salesforce stays away: none becomes a dead letter', async () => {
    const world = setUp();
    const away = (): Promise<VendorResponse> => Promise.reject(new Transient('away', 'away'));
    for (let n = 0; n < 100; n += 1)
      world.fake.faults.push(({ url }) => (url.includes('/composite/') ? away() : undefined));
    await expect(reading(world)([hint(world, contactId(1)), hint(world, contactId(2))])).rejects.toMatchObject({
      code: 'dependency_down',
      dependency: 'salesforce',
    });
  });

  it('gives what it holds back at once when it must stop', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    const answer = hintReader(world.org, refusing).handle([delivered(hint(world, contactId(1)))], world.context.signal);
    answer.catch(() => undefined);
    await world.clock.advance(300);
    world.stop();
    await expect(answer).rejects.toMatchObject({ code: 'dependency_down' });
  });

  it('renews an expired token once for all who find it so', async () => {
    const world = setUp();
    for (const object of ['Contact', 'Lead'] as const) await world.org.catalogue.plan(object);
    world.fake.tokens = 2;
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    const lead = hint(world, '00Q000000000001AAA', 'UPDATE', { object: 'Lead' });
    await reading(world)([hint(world, contactId(1)), lead]);
    expect(world.fake.calls().filter((call) => call.includes('oauth2/token'))).toHaveLength(2);
  });

  it('describes an object anew when its read is refused, and parks the hints only if it is refused again', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    const refuse = ({ url }: { readonly url: string }): VendorResponse | undefined =>
      url.includes('/composite/') ? failure(400, '[{"errorCode":"INVALID_FIELD"}]') : undefined;
    world.fake.faults.push(refuse);
    expect(await reading(world)([hint(world, contactId(1))])).toEqual([{ kind: 'ack' }]);
    expect(world.fake.calls().filter((call) => call.endsWith('/describe'))).toHaveLength(2);
    world.fake.faults.push(refuse, refuse);
    expect(await reading(world)([hint(world, contactId(1))])).toMatchObject([
      { kind: 'deadLetter', code: 'salesforce_invalid_field' },
    ]);
  });

  it('reads object by object where a server has no Composite', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    world.fake.put('Lead', '00Q000000000001AAA', { LastName: 'Two' });
    for (let n = 0; n < 10; n += 1)
      world.fake.faults.push(({ url }) =>
        url.endsWith('/composite') ? failure(404, '[{"errorCode":"NOT_FOUND"}]') : undefined,
      );
    const lead = hint(world, '00Q000000000001AAA', 'UPDATE', { object: 'Lead' });
    expect(await reading(world)([hint(world, contactId(1)), lead])).toEqual([{ kind: 'ack' }, { kind: 'ack' }]);
    expect(new Set(world.raw().map(({ envelope }) => envelope.object))).toEqual(new Set(['Contact', 'Lead']));
  });

  it('parks the hints of an object whose read is refused, and only those', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'One' });
    world.fake.refused.add('Lead');
    const lead = hint(world, '00Q000000000001AAA', 'UPDATE', { object: 'Lead' });
    expect(await reading(world)([hint(world, contactId(1)), lead])).toMatchObject([
      { kind: 'ack' },
      { kind: 'deadLetter', code: 'salesforce_invalid_field' },
    ]);
  });

  it('parks a record that is too large to be carried by itself', async () => {
    const world = setUp();
    world.fake.put('Contact', contactId(1), { LastName: 'x'.repeat(LARGEST_BODY_BYTES) });
    world.fake.put('Contact', contactId(2), { LastName: 'Two' });
    expect(await reading(world)([hint(world, contactId(1)), hint(world, contactId(2))])).toMatchObject([
      { kind: 'deadLetter', code: 'record_too_large' },
      { kind: 'ack' },
    ]);
  });

  it('parks an event that still cannot be decoded, and turns one that now can into hints', async () => {
    const world = setUp();
    const message = hint(world, 'AAAB', UNDECODABLE, {
      object: UNDECODABLE,
      facts: factsOf(UNDECODABLE),
      body: { schemaId: 's1', replayId: 'AAAB', topic: '/data/ChangeEvents', payloadBase64: 'AAAA' },
    });
    expect(await reading(world)([message])).toMatchObject([{ kind: 'deadLetter', code: 'undecodable_event' }]);
    const fixed: EventDecoder = {
      decode: async () => ({
        entity: 'Contact',
        recordIds: [contactId(1), contactId(2)],
        changeType: 'UPDATE',
        changeOrigin: null,
        transactionKey: null,
        commitUser: null,
        commitMs: 1_767_600_000_000,
        changedFields: null,
      }),
    };
    expect(await reading(world, fixed)([message])).toEqual([{ kind: 'ack' }]);
    expect(world.hints().map(({ envelope }) => envelope.id)).toEqual([contactId(1), contactId(2)]);
  });
});
