import { afterEach, describe, expect, it } from 'vitest';
import { createExpressWeb } from '#adapters/web/express.ts';
import { LARGEST_BODY_BYTES } from '#core/claim.ts';
import type { RawEvent } from '#core/codec.ts';
import type { Fact } from '#core/facts.ts';
import { DECLARED } from '#services/ingest-dialpad/declared.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';
import type { CallScript } from '#tools/simulators/dialpad/life.ts';
import { startDialpad, type Dialpad } from '#tools/simulators/dialpad/simulator.ts';
import { bench, httpVendor, memoryStore, recordOf, SECRET, type Bench, type BenchOptions } from './kit.ts';

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

const never = new AbortController().signal;
const quiet = (): void => undefined;
/** The services' clock stands at this time until a test moves it. */
const NOW = '2026-01-05T09:00:00Z';
const NOW_MS = Date.parse(NOW);
const HOUR_MS = 3_600_000;
const CONTACT = { id: '4001', type: 'local', email: '', phone: '+12135550100', name: 'Ada Example' };
const USER = { id: '2001', type: 'user', email: 'sam@acme.example', phone: '+12135550111', name: 'Sam Seller' };

function script(index: number, more: Partial<CallScript> = {}): CallScript {
  return {
    callId: String(9_007_199_254_740_993_000n + BigInt(index) * 10n),
    course: 'answered',
    direction: 'inbound',
    externalNumber: '+12135550100',
    contact: CONTACT,
    user: USER,
    startMs: NOW_MS - HOUR_MS + index * 60_000,
    ringMs: 2_000,
    talkMs: 30_000,
    recorded: true,
    lines: ['Hello', 'Hi'],
    ...more,
  };
}

interface World extends Bench {
  readonly dialpad: Dialpad;
  readonly sent: string[];
}

async function world(options: BenchOptions & { readonly dialpad?: Dialpad } = {}): Promise<World> {
  const clock = options.clock ?? virtualClock(NOW);
  const dialpad =
    options.dialpad ??
    (await startDialpad({ apiKeys: ['key-1'], pace: 0, pageSize: 3, now: () => clock.nowMicros() / 1_000 }));
  open.push(() => dialpad.close());
  const vendor = httpVendor(clock);
  const config = { 'dialpad.baseUrl': dialpad.url, ...options.config };
  return Object.assign(await bench({ vendor, ...options, clock, config }), { dialpad, sent: vendor.sent });
}

/** Polls once more, however little time has passed. Waits of retries are over at once. */
async function poll(service: World): Promise<void> {
  await service.clock.advance(300_000);
  await overWaits(service, service.living.schedules.poll(never));
}

async function overWaits<T>(service: Bench, work: Promise<T>): Promise<T> {
  let isDone = false;
  const done = work.finally(() => (isDone = true));
  done.catch(quiet);
  while (!isDone) {
    await new Promise((resolve) => setImmediate(resolve));
    if (service.clock.pending > 0) await service.clock.advance(1_000);
  }
  return done;
}

async function connect(service: World): Promise<void> {
  const route = { ...DECLARED.routes.calls, handler: service.living.routes.calls };
  const server = await createExpressWeb({ clock: service.clock }).listen({ host: '127.0.0.1', port: 0 }, [route]);
  open.push(() => server.close(1_000));
  const { hooks } = service.dialpad;
  const { id } = hooks.createWebhook({ hook_url: `${server.url}${route.path}`, secret: SECRET });
  hooks.createSubscription({ endpoint_id: id, call_states: ['all'] });
}

const callsOf = (events: readonly RawEvent[]): RawEvent[] =>
  events.filter(({ envelope }) => envelope.object === 'call');
const idsOf = (events: readonly RawEvent[]): string[] => callsOf(events).map(({ envelope }) => envelope.id);
const lastRun = (service: Bench): Fact<'run'> | undefined => service.runs.at(-1);

describe('the poll, when the vendor misbehaves,', () => {
  it.each(['unavailable', 'rateLimited', 'cut', 'html'] as const)(
    'tries again after %s and loses nothing',
    async (fault) => {
      const service = await world();
      for (let i = 0; i < 7; i++) service.dialpad.player.history(script(i));
      service.dialpad.faults.nextLists[fault] = 2;
      await poll(service);
      expect(new Set(idsOf(service.published)).size).toBe(7);
    },
  );

  it('gives up after its tries, moves no watermark, and the next poll finds all', async () => {
    const service = await world();
    for (let i = 0; i < 4; i++) service.dialpad.player.history(script(i));
    service.dialpad.faults.nextLists.unavailable = 6;
    await expect(poll(service)).rejects.toMatchObject({ code: 'http_503' });
    expect(lastRun(service)?.record).toMatchObject({ kind: 'poll', state: 'failed', error_code: 'http_503' });
    expect(await service.context.ports.store.list('ingest-dialpad/')).toEqual([]);
    await poll(service);
    expect(idsOf(service.published)).toHaveLength(4);
  });

  it('says that the key must be renewed, and does not try again', async () => {
    const service = await world();
    service.dialpad.apiKeys = ['another'];
    await expect(poll(service)).rejects.toMatchObject({ code: 'dialpad_key_refused', actor: 'the operator' });
    expect(service.sent).toHaveLength(1);
  });

  it('moves no watermark past a page that could not be published', async () => {
    const service = await world();
    for (let i = 0; i < 4; i++) service.dialpad.player.history(script(i));
    service.isBrokerDown = true;
    await expect(poll(service)).rejects.toMatchObject({ code: 'dependency_down' });
    service.isBrokerDown = false;
    await poll(service);
    expect(idsOf(service.published)).toHaveLength(4);
  });

  it('parks what is no call, once, and goes on', async () => {
    const service = await world();
    service.dialpad.player.history(script(0));
    service.dialpad.player.history(script(1, { callId: '-7' }));
    await poll(service);
    await poll(service);
    expect(new Set(idsOf(service.published))).toEqual(new Set([script(0).callId]));
    const parked = service.published.filter(({ envelope }) => envelope.object === 'unreadable');
    expect(parked).toMatchObject([{ envelope: { hint: { kind: 'no_call_id' } } }]);
    expect(recordOf(parked[0])).toMatchObject({ call_id: '-7' });
  });

  it('parks the beginning of a record that no message can carry, and goes on', async () => {
    const service = await world();
    service.dialpad.player.history(script(0));
    service.dialpad.player.history(script(1, { lines: ['x'.repeat(LARGEST_BODY_BYTES)] }));
    await poll(service);
    expect(new Set(idsOf(service.published)).size).toBe(2);
    const parked = service.published.find(({ envelope }) => envelope.object === 'unreadable');
    expect(parked).toMatchObject({ envelope: { hint: { kind: 'record_too_large' } } });
    expect(parked?.record?.length).toBe(65_536);
  });
});

describe('the poll', () => {
  it('repairs a webhook that was never sent', async () => {
    const service = await world();
    await connect(service);
    service.dialpad.faults.dropRate = 1;
    await service.dialpad.player.live(script(0));
    await service.dialpad.player.idle();
    expect(service.published).toEqual([]);
    await poll(service);
    const id = script(0).callId;
    expect(recordOf(service.rows().get(`call/${id}`))).toMatchObject({
      state: 'hangup',
      external_number: '+12135550100',
    });
    expect(recordOf(service.rows().get(`call_transcript/${id}`))).toMatchObject({ transcription_text: 'Hello\nHi' });
    expect(recordOf(service.rows().get(`call_recording/${id}`))['recording_details']).toHaveLength(1);
  });

  it('gives the record that the webhook gave, byte for byte, with the same version but for its issue', async () => {
    const service = await world();
    await connect(service);
    for (const [index, course] of (['answered', 'missed', 'voicemail', 'blocked'] as const).entries()) {
      const hidden = course === 'blocked' ? { externalNumber: 'blocked', contact: null } : {};
      await service.dialpad.player.live(script(index, { course, ...hidden }));
    }
    await service.dialpad.player.live(script(4, { department: { ...USER, type: 'department' }, transferTo: USER }));
    await service.dialpad.player.idle();
    const pushed = service.rows();
    const before = service.published.length;
    await poll(service);
    const listed = callsOf(service.published.slice(before));
    expect(listed).toHaveLength(7);
    for (const { envelope, record } of listed) {
      const push = pushed.get(`call/${envelope.id}`);
      expect(record).toBe(push?.record);
      expect(envelope.version.sourceSequence).toBe(push?.envelope.version.sourceSequence);
    }
  });

  it('finds a call that started long before the watermark and ended only now', async () => {
    const service = await world();
    service.dialpad.player.history(script(1));
    await poll(service);
    service.dialpad.player.history(script(0, { startMs: NOW_MS - 20 * HOUR_MS, talkMs: 19 * HOUR_MS }));
    await poll(service);
    expect(new Set(idsOf(service.published))).toEqual(new Set([script(1).callId, script(0).callId]));
  });

  it('publishes a row until a later read has confirmed it, and again whenever its content changes, back too', async () => {
    const service = await world();
    for (let i = 0; i < 3; i++) service.dialpad.player.history(script(i));
    const { callId } = script(1);
    const relabel = async (labels: readonly string[]): Promise<string[]> => {
      const before = service.published.length;
      const call = service.dialpad.company.call(callId);
      if (call !== undefined) call.labels = labels;
      await poll(service);
      return idsOf(service.published.slice(before));
    };
    expect(await relabel([])).toHaveLength(3);
    expect(await relabel([])).toHaveLength(3);
    expect(await relabel([])).toEqual([]);
    expect(await relabel(['VIP'])).toEqual([callId]);
    expect(await relabel([])).toEqual([callId]);
    expect(recordOf(service.rows().get(`call/${callId}`))['labels']).toEqual([]);
  });

  it('is not led astray by a call that starts in the far future', async () => {
    const service = await world();
    service.dialpad.player.history(script(0, { startMs: NOW_MS + 400 * 24 * HOUR_MS }));
    await poll(service);
    service.dialpad.player.history(script(1, { startMs: NOW_MS - HOUR_MS }));
    await poll(service);
    expect(idsOf(service.published)).toContain(script(1).callId);
  });

  it('does nothing before its time has come', async () => {
    const service = await world();
    await service.living.schedules.poll(never);
    await service.clock.advance(299_000);
    await service.living.schedules.poll(never);
    expect(service.sent).toHaveLength(1);
  });
});

describe('the first sync', () => {
  async function firstSync(service: World, until: () => boolean): Promise<void> {
    const stop = new AbortController();
    const running = service.living.singletons.firstSync(stop.signal);
    running.catch(quiet);
    while (!until()) {
      await new Promise((resolve) => setImmediate(resolve));
      if (service.clock.pending > 0) await service.clock.advance(100);
    }
    stop.abort();
    await running.catch(quiet);
  }

  it('lists all calls on the bulk lane, once, with a run row, and a second start does nothing', async () => {
    const store = memoryStore();
    const service = await world({ store });
    for (let i = 0; i < 10; i++)
      service.dialpad.player.history(script(i, { startMs: NOW_MS - 90 * 24 * HOUR_MS + i * HOUR_MS }));
    expect(service.living.busy?.()).toBe(true);
    await firstSync(service, () => service.living.busy?.() === false);
    expect(idsOf(service.published)).toHaveLength(10);
    expect(new Set(service.published.map(({ envelope }) => envelope.lane))).toEqual(new Set(['bulk']));
    expect(lastRun(service)).toMatchObject({
      record: { kind: 'backfill', state: 'succeeded', records_read: 10, api_calls: 4 },
    });
    const again = await world({ store, dialpad: service.dialpad, clock: service.clock });
    await firstSync(again, () => again.living.busy?.() === false);
    expect(again.sent).toEqual([]);
    const raised = await world({
      store,
      dialpad: service.dialpad,
      clock: service.clock,
      config: { 'dialpad.epoch': '1' },
    });
    await firstSync(raised, () => raised.living.busy?.() === false);
    expect(idsOf(raised.published)).toHaveLength(10);
    expect(raised.published[0]?.envelope.version.epoch).toBe(1);
  });

  it.each([
    ['at the cursor', 3, false],
    ['at the earliest start, where the cursor is no longer taken,', 3, true],
  ])('killed between two pages goes on %s and reads no finished page again', async (_where, pageSize, isCursorGone) => {
    const store = memoryStore();
    const clock = virtualClock(NOW);
    const dialpad = await startDialpad({ apiKeys: ['key-1'], pageSize, now: () => clock.nowMicros() / 1_000 });
    // Calls five and six have one start, on both sides of a page's end.
    for (let i = 0; i < 12; i++)
      dialpad.player.history(script(i, { startMs: NOW_MS - 48 * HOUR_MS + (i === 6 ? 5 : i) * HOUR_MS }));
    let pages = 0;
    // Time goes on between pages, so that each cursor is stored.
    const beforePublish = async (): Promise<void> => {
      await clock.advance(1_500);
      if ((pages += 1) > 2) throw new Error('killed');
    };
    const first = await world({ store, clock, dialpad, beforePublish });
    await expect(overWaits(first, first.living.singletons.firstSync(never))).rejects.toThrow('killed');
    expect(idsOf(first.published)).toHaveLength(6);

    const second = await world({ store, clock, dialpad });
    if (isCursorGone) await spoilCursor(store);
    await firstSync(second, () => second.living.busy?.() === false);
    const all = [...idsOf(first.published), ...idsOf(second.published)];
    expect(new Set(all).size).toBe(12);
    expect(all.length - 12).toBeLessThanOrEqual(isCursorGone ? 2 : 0);
    expect(lastRun(second)?.id).toBe(first.runs[0]?.id);
    expect(lastRun(second)?.record).toMatchObject({ state: 'succeeded' });
  });

  async function spoilCursor(store: ReturnType<typeof memoryStore>): Promise<void> {
    const key = 'ingest-dialpad/acme/backfill';
    const stored = await store.get(key);
    const checkpoint = JSON.parse(stored?.value ?? '') as Record<string, unknown>;
    await store.put(key, JSON.stringify({ ...checkpoint, cursor: 'expired' }), stored?.generation ?? null);
  }
});

describe('the commands', () => {
  it('tell of a run that was stopped as abandoned, not failed', async () => {
    const stop = new AbortController();
    const service = await world({ beforePublish: () => Promise.reject(new Error('stopped while publishing')) });
    service.dialpad.player.history(script(0));
    stop.abort();
    const work = service.living.commands.reconcile({ since: '2026-01-05T00:00:00Z' }, quiet, stop.signal);
    await expect(overWaits(service, work)).rejects.toThrow();
    expect(lastRun(service)?.record).toMatchObject({ kind: 'reconcile', state: 'abandoned' });
  });

  it('backfill lists all again', async () => {
    const service = await world();
    for (let i = 0; i < 4; i++) service.dialpad.player.history(script(i));
    const run = () => overWaits(service, service.living.commands.backfill({}, quiet, never));
    await run();
    expect(await run()).toMatchObject({ kind: 'backfill', read: 4 });
    expect(idsOf(service.published)).toHaveLength(8);
  });

  it('reconcile finds what started since a time less the look-back', async () => {
    const service = await world();
    for (let i = 0; i < 6; i++) service.dialpad.player.history(script(i, { startMs: NOW_MS - (i + 1) * 24 * HOUR_MS }));
    const since = new Date(NOW_MS - 2.5 * 24 * HOUR_MS).toISOString();
    const result = await overWaits(service, service.living.commands.reconcile({ since }, quiet, never));
    expect(result).toMatchObject({ kind: 'reconcile', read: 3 });
    expect(new Set(service.published.map(({ envelope }) => envelope.lane))).toEqual(new Set(['bulk']));
  });

  it('reconcile says what a time looks like', async () => {
    const service = await world();
    await expect(service.living.commands.reconcile({ since: 'yesterday' }, quiet, never)).rejects.toThrow(
      '2026-01-05T09:00:00Z',
    );
  });
});

it('calls come through a storm of duplicates, losses, reordering and equal times; only lists are read', async () => {
  const seed = Number(process.env['SEED'] ?? 7);
  const random = seededRandom(seed);
  const dialpad = await startDialpad({ apiKeys: ['key-1'], pace: 0, seed, now: Date.now });
  const service = await world({
    dialpad,
    clock: virtualClock(new Date().toISOString()),
    config: { 'dialpad.lookBackHours': '240' },
  });
  await connect(service);
  Object.assign(dialpad.faults, {
    dropRate: 0.2,
    duplicateRate: 0.3,
    shuffleMs: 30,
    equalTimeRate: 0.3,
    earlyEndRate: 0.5,
  });
  const courses = ['answered', 'missed', 'voicemail', 'blocked'] as const;
  await Promise.all(
    Array.from({ length: 40 }, (_, i) => {
      const externalNumber = random.pick(['+12135550100', 'anonymous', '']);
      return dialpad.player.live(script(i, { course: random.pick(courses), externalNumber, startMs: Date.now() }));
    }),
  );
  await dialpad.player.idle();
  await poll(service);
  expect(dialpad.company.concludedCalls.length, `seed ${seed}`).toBe(40);
  for (const call of dialpad.company.concludedCalls) {
    const row = service.rows().get(`call/${call.id}`);
    expect(recordOf(row), `seed ${seed}`).toMatchObject({
      state: call.state,
      date_ended: String(call.endedMs),
      event_timestamp: String(call.stateMs),
    });
  }
  const ours = dialpad.traffic.map(({ method, path }) => `${method} ${path}`);
  expect(new Set(ours)).toEqual(new Set(['GET /api/v2/call']));
});
