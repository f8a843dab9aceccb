import avsc from 'avsc';
import { describe, expect, it } from 'vitest';
import { RpcError } from '#core/ports/vendor.ts';
import { backfill } from '#services/ingest-salesforce/backfill/backfill.ts';
import { changes } from '#services/ingest-salesforce/cdc/changes.ts';
import { eventDecoder } from '#services/ingest-salesforce/cdc/event.ts';
import { fetchSchema } from '#services/ingest-salesforce/cdc/rpc.ts';
import { memoryObjects, memoryStore } from '#test/kit/context.ts';
import type { FakeStream } from '../fake-org.ts';
import { contactId, setUp, type World, type WorldOptions } from '../set-up.ts';

const texts = { type: 'array', items: 'string' };
const SCHEMA = {
  type: 'record',
  name: 'ContactChangeEvent',
  fields: [
    {
      name: 'ChangeEventHeader',
      type: {
        type: 'record',
        name: 'ChangeEventHeader',
        fields: [
          { name: 'entityName', type: 'string' },
          { name: 'recordIds', type: texts },
          { name: 'changeType', type: 'string' },
          { name: 'changeOrigin', type: 'string' },
          { name: 'transactionKey', type: 'string' },
          { name: 'commitTimestamp', type: 'long' },
          { name: 'commitUser', type: 'string' },
          { name: 'changedFields', type: texts },
        ],
      },
    },
    { name: 'Title', type: ['null', 'string'] },
  ],
};
const type = avsc.Type.forSchema(SCHEMA as avsc.Schema);

interface Change {
  readonly entityName?: string;
  readonly recordIds?: readonly string[];
  readonly changeType?: string;
}

function pushed(world: Pick<World, 'clock'>, replay: number, change: Change = {}, schemaId = 's1') {
  const payload = type.toBuffer({
    ChangeEventHeader: {
      entityName: 'Contact',
      recordIds: [contactId(1)],
      changeType: 'UPDATE',
      changeOrigin: '',
      transactionKey: 't',
      commitTimestamp: Math.floor(world.clock.nowMicros() / 1_000),
      commitUser: '005000000000001AAA',
      changedFields: ['0x02'],
      ...change,
    },
    Title: null,
  });
  return { event: { schema_id: schemaId, payload }, replay_id: replayBytes(replay) };
}

function replayBytes(n: number): Buffer {
  return Buffer.from([0, 0, n]);
}

function replayId(n: number): string {
  return replayBytes(n).toString('base64');
}

function response(events: readonly unknown[], latest: number) {
  return { events, latest_replay_id: replayBytes(latest), pending_num_requested: 100 };
}

const badPosition = new RpcError(
  {
    status: 'INVALID_ARGUMENT',
    errorCode: 'sfdc.platform.eventbus.grpc.subscription.fetch.replayid.validation.failed',
  },
  'The replay id is not valid.',
);

function start(options: WorldOptions = {}) {
  const world = setUp({
    ...options,
    config: { 'salesforce.objects': 'Contact', 'salesforce.positionWaitSeconds': '10', ...options.config },
  });
  world.fake.schemas.set('s1', JSON.stringify(SCHEMA));
  const decoder = eventDecoder((schemaId) => fetchSchema(world.org, schemaId));
  const live = changes(world.org, backfill(world.org), decoder);
  const running = live.run(world.context.signal);
  running.catch(() => undefined);
  const stream = async (n: number): Promise<FakeStream> => {
    await world.clock.until(() => world.fake.streams.length > n && (world.fake.streams[n]?.sent.length ?? 0) >= 4);
    return world.fake.streams[n] as FakeStream;
  };
  return { ...world, world, live, running, stream };
}

async function synced(options: WorldOptions = {}) {
  const started = start(options);
  const first = await started.stream(started.world.fake.streams.length);
  first.push(response([], 1));
  await started.clock.until(() => !started.live.busy());
  return { ...started, first };
}

describe('the stream of change events', () => {
  it('creates no bulk job before a position of the stream is durable', async () => {
    const { world, clock, fake, live, stream } = start();
    const first = await stream(0);
    expect(first.sent[0]).toMatchObject({ replay_preset: 'LATEST', topic_name: '/data/ChangeEvents' });
    await clock.advance(5_000);
    expect(fake.jobs.size).toBe(0);
    expect(live.busy()).toBe(true);
    first.push(response([], 1));
    await clock.until(() => fake.jobs.size === 1);
    const key = (await world.context.ports.store.list('ingest-salesforce/')).find((name) => name.includes('/position'));
    expect((await world.context.ports.store.get(key ?? ''))?.value).toContain(replayId(1));
    await clock.until(() => !live.busy());
  });

  it('reads nothing of what is owed before the settle time: a commit just before the position may not show yet', async () => {
    const { clock, fake, stream, live } = start({ config: { 'salesforce.settleMs': '3000' } });
    const first = await stream(0);
    first.push(response([], 1));
    await clock.advance(2_500);
    expect(fake.jobs.size).toBe(0);
    await clock.until(() => !live.busy());
    expect(fake.jobs.size).toBe(1);
    const before = fake.requests.length;
    first.push(response([pushed({ clock }, 2, { changeType: 'GAP_OVERFLOW' })], 2));
    await clock.advance(2_500);
    expect(fake.requests.slice(before).filter(({ url }) => url.includes('queryAll'))).toEqual([]);
    await clock.until(() => fake.requests.slice(before).some(({ url }) => url.includes('queryAll')));
  });

  it('starts from the time of the start where no position comes, and owes all objects since then once one does', async () => {
    const { clock, fake, live, facts, stream } = start();
    const first = await stream(0);
    await clock.until(() => fake.jobs.size === 1, 60_000);
    await clock.until(() => !live.busy());
    first.push(response([], 1));
    await clock.until(() => facts.length === 4);
    await clock.until(() => !live.busy());
    expect(facts.map(({ record }) => ('kind' in record ? `${record.kind} ${record.state}` : ''))).toEqual([
      'backfill started',
      'backfill succeeded',
      'reconcile started',
      'reconcile succeeded',
    ]);
  });

  it('publishes hints before it moves its position, and asks for as many events again', async () => {
    let keep = (): void => undefined;
    const { world, clock, first, hints } = await synced({
      onPublish: ({ topic }) =>
        topic === 'hint.salesforce' ? new Promise<void>((resolve) => (keep = resolve)) : undefined,
    });
    const asked = first.sent.length;
    first.push(response([pushed(world, 2), pushed(world, 3)], 3));
    await clock.advance(5_000);
    const position = async (): Promise<string> => {
      const [key = ''] = (await world.context.ports.store.list('ingest-salesforce/')).filter((name) =>
        name.includes('/position'),
      );
      return (await world.context.ports.store.get(key))?.value ?? '';
    };
    expect(await position()).toContain(replayId(1));
    expect(first.sent).toHaveLength(asked);
    keep();
    await clock.advance(2_000);
    expect(await position()).toContain(replayId(3));
    expect(first.sent.slice(asked)).toMatchObject([{ num_requested: 2 }]);
    expect(hints()[0]?.envelope).toMatchObject({
      object: 'Contact',
      id: contactId(1),
      hint: { kind: 'UPDATE', changedFields: ['Title'], user: '005000000000001AAA', transaction: 't', origin: null },
    });
    expect(world.published.find(({ topic }) => topic === 'hint.salesforce')?.survives).toBe('power');
  });

  it('makes one hint for each record of a merged event', async () => {
    const { world, clock, first, hints } = await synced();
    first.push(response([pushed(world, 2, { recordIds: [contactId(1), contactId(2), contactId(3)] })], 2));
    await clock.advance(100);
    expect(hints().map(({ envelope }) => envelope.id)).toEqual([1, 2, 3].map(contactId));
  });

  it('takes gap events for hints like others', async () => {
    const { world, clock, first, hints } = await synced();
    first.push(
      response([pushed(world, 2, { changeType: 'GAP_UPDATE' }), pushed(world, 3, { changeType: 'GAP_DELETE' })], 3),
    );
    await clock.advance(100);
    expect(hints().map(({ envelope }) => [envelope.hint?.kind, envelope.operation])).toEqual([
      ['GAP_UPDATE', 'upsert'],
      ['GAP_DELETE', 'delete'],
    ]);
  });

  it.each([
    ['an overflow', { changeType: 'GAP_OVERFLOW', recordIds: ['000000000000000AAA'] }],
    ['a wildcard', { recordIds: ['003*'] }],
  ])('reconciles the object after %s, durably before it moves on', async (_what, change) => {
    const { world, clock, fake, first, hints, facts, raw } = await synced();
    fake.put('Contact', contactId(5), { LastName: 'Missed' });
    first.push(response([pushed(world, 2, change)], 2));
    await clock.until(() => raw().length === 1);
    await clock.until(() => facts.at(-1)?.state === 4);
    expect(hints()).toEqual([]);
    expect(facts.at(-1)?.record).toMatchObject({ kind: 'reconcile', run_object: 'Contact', reason: 'overflow' });
    expect(raw()[0]?.envelope).toMatchObject({ id: contactId(5), lane: 'bulk' });
  });

  it('counts events of objects that are not read, and passes them', async () => {
    const { world, clock, first, hints, told } = await synced();
    first.push(response([pushed(world, 2, { entityName: 'Case' })], 2));
    await clock.advance(100);
    expect(hints()).toEqual([]);
    expect(told).toContainEqual({
      name: 'messageDiscarded',
      fields: { service: 'ingest-salesforce', subscription: '/data/ChangeEvents', reason: 'object_not_read' },
    });
  });

  it.each([
    ['of an unknown schema', 'no-such-schema', undefined],
    ['that cannot be decoded', 's1', Buffer.from('nonsense')],
  ])('keeps an event %s with its bytes, and goes on', async (_what, schemaId, payload) => {
    const { world, clock, first, hints } = await synced();
    const bad = pushed(world, 2, {}, schemaId);
    const bytes = payload ?? bad.event.payload;
    first.push(response([{ ...bad, event: { ...bad.event, payload: bytes } }, pushed(world, 3)], 3));
    await clock.advance(100);
    const kinds = hints().map(({ envelope }) => envelope.hint?.kind);
    expect(kinds).toEqual(['undecodable', 'UPDATE']);
    expect(JSON.parse(hints()[0]?.record ?? '')).toMatchObject({ schemaId, payloadBase64: bytes.toString('base64') });
  });

  it('resumes after its position when it was cut, after a pause', async () => {
    const { world, clock, fake, first, stream } = await synced();
    first.push(response([pushed(world, 7)], 7));
    await clock.advance(2_000);
    first.fail(new RpcError({ status: 'UNAVAILABLE', errorCode: null }, 'gone'));
    const next = await stream(1);
    expect(next.sent[0]).toMatchObject({ replay_preset: 'CUSTOM', replay_id: replayBytes(7) });
    expect(fake.jobs.size).toBe(1);
  });

  it('renews the token when the stream says it expired', async () => {
    const { clock, fake, first, stream } = await synced();
    fake.tokens = 2;
    first.fail(new RpcError({ status: 'UNAUTHENTICATED', errorCode: null }, 'expired'));
    const next = await stream(1);
    expect(next.rpc.metadata.accesstoken).toContain('!t2');
    expect(next.rpc.metadata.tenantid).toBe('00D000000000001EAA');
    await clock.advance(0);
  });

  it('takes a silent stream for dead', async () => {
    const { clock, first, stream } = await synced();
    await clock.advance(298_000);
    expect(first.cancelled).toBe(false);
    await clock.advance(3_000);
    expect(first.cancelled).toBe(true);
    await stream(1);
  });

  it('never jumps to the newest in silence: a refused position has all objects reconciled since the last good time', async () => {
    const { world, clock, fake, first, stream, live, facts, raw } = await synced();
    first.push(response([pushed(world, 7)], 7));
    await clock.advance(2_000);
    first.fail(new RpcError({ status: 'UNAVAILABLE', errorCode: null }, 'gone'));
    const second = await stream(1);
    fake.put('Contact', contactId(5), { LastName: 'Missed' });
    fake.purge('Contact', contactId(6));
    await clock.advance(2_000);
    second.fail(badPosition);
    const third = await stream(2);
    expect(third.sent[0]).toMatchObject({ replay_preset: 'LATEST' });
    expect(live.busy()).toBe(true);
    // Nothing happens in the org, so the stream does not say where it is: what was lost is read all the same.
    await clock.until(() => !live.busy(), 60_000);
    expect(raw().map(({ envelope }) => [envelope.id, envelope.operation])).toEqual([
      [contactId(5), 'upsert'],
      [contactId(6), 'delete'],
    ]);
    // And once more when it says so, in case something came in between.
    third.push(response([], 90));
    await clock.until(() => facts.length > 4 && !live.busy());
    await clock.until(() => facts.at(-1)?.state === 4);
    expect(facts.slice(2).map(({ record }) => ('reason' in record ? `${record.reason} ${record.state}` : ''))).toEqual([
      'position_refused started',
      'position_refused succeeded',
      'late_position started',
      'late_position succeeded',
    ]);
  });

  it('reconciles after a restart what it owed before', async () => {
    const shared = { store: memoryStore(), objects: memoryObjects() };
    const { world, clock, fake, first, stream, stop, running } = await synced(shared);
    first.fail(new RpcError({ status: 'UNAVAILABLE', errorCode: null }, 'gone'));
    const second = await stream(1);
    for (let n = 0; n < 50; n += 1)
      fake.faults.push(({ url }) => (url.includes('/queryAll') ? new Promise(() => undefined) : undefined));
    second.fail(badPosition);
    await stream(2);
    stop();
    await clock.advance(1_000);
    void running;
    fake.faults.length = 0;
    const restarted = start({ ...shared, fake, virtual: world.clock });
    const again = await restarted.stream(3);
    again.push(response([], 90));
    await clock.until(() => !restarted.live.busy());
    expect(restarted.facts.map(({ record }) => ('reason' in record ? record.reason : ''))).toContain(
      'position_refused',
    );
  });

  it('does not read all again at a second start', async () => {
    const shared = { store: memoryStore(), objects: memoryObjects() };
    const { world, clock, fake, stop } = await synced(shared);
    stop();
    await clock.advance(1_000);
    const again = start({ ...shared, fake, virtual: world.clock });
    const stream = await again.stream(1);
    expect(stream.sent[0]).toMatchObject({ replay_preset: 'CUSTOM', replay_id: replayBytes(1) });
    await clock.until(() => !again.live.busy());
    expect(fake.jobs.size).toBe(1);
  });
});
