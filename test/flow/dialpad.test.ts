import { afterEach, describe, expect, it } from 'vitest';
import { withChaos } from '#adapters/broker/chaos.ts';
import { systemClock } from '#adapters/clock/system.ts';
import { Codec } from '#core/codec.ts';
import { DependencyDown } from '#core/errors.ts';
import type { Message } from '#core/ports/broker.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { AnyService } from '#core/service.ts';
import { normalizer } from '#services/normalizer/service.ts';
import { seededRandom } from '#test/kit/random.ts';
import { openDialpad, type DialpadVendor } from '#tools/simulators/dialpad/index.ts';
import { createWorld, startChanges, type World } from '#tools/simulators/world/index.ts';
import { freshFolder, startRiver, type River, type RiverOptions } from './kit.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Company {
  readonly world: World;
  readonly dialpad: DialpadVendor;
  start(options?: Partial<RiverOptions>): Promise<River>;
}

async function company(): Promise<Company> {
  const world = createWorld({ seed: 11, contacts: 300 });
  const dialpad = await openDialpad(world);
  const { folder, remove } = freshFolder();
  closing.push(remove, () => dialpad.close());
  const values = {
    'dialpad.baseUrl': dialpad.baseUrl,
    'dialpad.apiKey': dialpad.apiKey,
    'dialpad.companyId': dialpad.companyId,
    'dialpad.webhookSecrets': dialpad.webhookSecret,
  };
  return {
    world,
    dialpad,
    start: async (options = {}) => {
      const river = await startRiver({ folder, values, ...options });
      closing.push(() => river.stop());
      dialpad.subscribe(`${river.runtime.webUrl ?? ''}/webhooks/dialpad`);
      return river;
    },
  };
}

const CALLS_ONLY = {
  call: 1,
  update: 0,
  create: 0,
  delete: 0,
  undelete: 0,
  massUpdate: 0,
  merge: 0,
  convert: 0,
  callerBecomesContact: 0,
};

async function makeCalls({ world, dialpad }: Company, count: number): Promise<void> {
  await startChanges(world, { count, perSecond: 400, seed: 5, mix: CALLS_ONLY }).done;
  while (dialpad.isBusy) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Every concluded call is one row, and what the row says of it is true. */
async function expectTruth({ dialpad }: Company, river: River): Promise<void> {
  const truth = dialpad.simulator.company.concludedCalls.map(({ id, state, direction }) => ({ id, state, direction }));
  const rows = await river.rows('SELECT id, state, direction FROM sales_intelligence.dialpad_calls');
  const byId = (a: { readonly id?: unknown }, b: { readonly id?: unknown }): number =>
    String(a.id).localeCompare(String(b.id));
  expect([...rows].sort(byId)).toEqual([...truth].sort(byId));
}

const NULLED = 'direction';

/** The normalizer with a fault in one mapper: it forgets a field. */
function forgetful(): AnyService {
  const codec = new Codec();
  const forget = (message: Message): Message => {
    const event = codec.decodeCanonical('call', message);
    const again = codec.encodeCanonical('call', {
      ...event,
      record: event.record && { ...event.record, [NULLED]: null },
    });
    return { ...message, body: again.body };
  };
  const healthy: AnyService = normalizer;
  return {
    declared: healthy.declared,
    start: (context) =>
      healthy.start({
        ...context,
        publish: (topic, messages, survives) =>
          context.publish(topic, topic === 'canonical.call' ? messages.map(forget) : messages, survives),
      }),
  };
}

/** A warehouse that does not answer until it is told to. */
function outage() {
  const state = { isDown: false, refused: 0 };
  const down = (): void => {
    if (!state.isDown) return;
    state.refused += 1;
    throw new DependencyDown('warehouse', 'The warehouse does not answer.');
  };
  const wrap = (warehouse: WarehousePort): WarehousePort => ({
    upsert: async (table, rows) => {
      down();
      return warehouse.upsert(table, rows);
    },
    query: (sql, limits) => {
      down();
      return warehouse.query(sql, limits);
    },
    plan: (tables, views) => warehouse.plan(tables, views),
    apply: (tables, views) => warehouse.apply(tables, views),
    liveIds: (table, object, before) => warehouse.liveIds(table, object, before),
  });
  return { state, wrap };
}

describe('calls flow from Dialpad to rows', () => {
  it('every concluded call is one row, whether it was listed or pushed', async () => {
    const acme = await company();
    const river = await acme.start();
    await river.untilIdle();
    await makeCalls(acme, 40);
    await river.untilIdle();
    await expectTruth(acme, river);
    expect(await river.runtime.deadLetters.list({})).toEqual([]);
    expect(river.seen.filter(({ name }) => name === 'faultSeen')).toEqual([]);
  });

  it.each([1, 2])('under a broker that breaks all it may break, with seed %i', async (seed) => {
    const acme = await company();
    const river = await acme.start({
      wrapBroker: (broker) =>
        withChaos(broker, { clock: systemClock, random: seededRandom(seed), redeliverWithinMs: 1_000 }),
    });
    await makeCalls(acme, 40);
    await river.untilIdle();
    await expectTruth(acme, river);
  });

  it('a second start reads the list no second time and doubles nothing', async () => {
    const acme = await company();
    const first = await acme.start();
    await first.untilIdle();
    await first.stop();
    const listed = acme.dialpad.simulator.traffic.length;
    const second = await acme.start();
    await makeCalls(acme, 10);
    await second.untilIdle();
    await expectTruth(acme, second);
    expect(second.seen.filter(({ name, fields }) => name === 'runStarted' && fields['kind'] === 'backfill')).toEqual(
      [],
    );
    expect(acme.dialpad.simulator.traffic.length - listed).toBeLessThan(listed);
  });

  it('never sends a request that changes something at the vendor', async () => {
    const acme = await company();
    const river = await acme.start();
    await makeCalls(acme, 10);
    await river.untilIdle();
    expect(new Set(acme.dialpad.simulator.traffic.map(({ method }) => method))).toEqual(new Set(['GET']));
  });
});

describe('a warehouse that is away', () => {
  it('stops the writer, parks nothing, and loses nothing when it comes back', async () => {
    const acme = await company();
    const { state, wrap } = outage();
    state.isDown = true;
    const river = await acme.start({ wrapWarehouse: wrap });
    await makeCalls(acme, 20);
    await expect.poll(() => state.refused, { timeout: 20_000 }).toBeGreaterThan(1);
    expect(await river.runtime.deadLetters.list({})).toEqual([]);
    state.isDown = false;
    await river.untilIdle();
    await expectTruth(acme, river);
    expect(await river.runtime.deadLetters.list({})).toEqual([]);
    expect(river.seen.map(({ name }) => name)).toEqual(expect.arrayContaining(['servicePaused', 'serviceResumed']));
  });
});

describe('a mapper that was wrong', () => {
  it('is repaired in the rows by mending it and replaying the raw events, as often as need be', async () => {
    const acme = await company();
    const broken = await acme.start({ instead: forgetful() });
    await makeCalls(acme, 5);
    await broken.untilIdle();
    const nulled = `SELECT count(*) AS n FROM sales_intelligence.dialpad_calls WHERE ${NULLED} IS NULL`;
    expect(Number((await broken.rows(nulled))[0]?.['n'])).toBeGreaterThan(30);
    await broken.stop();

    const mended = await acme.start();
    await mended.untilIdle();
    expect(await mended.runtime.replay({ source: 'dialpad', since: new Date(0) })).toMatchObject({ generation: 1 });
    await mended.untilIdle();
    expect(Number((await mended.rows(nulled))[0]?.['n'])).toBe(0);
    await expectTruth(acme, mended);
    expect((await mended.runtime.replay({ source: 'dialpad', since: new Date(0) })).generation).toBe(2);
    await mended.untilIdle();
    expect(await mended.rows('SELECT DISTINCT generation FROM sales_intelligence.dialpad_calls')).toEqual([
      { generation: expect.anything() as unknown },
    ]);
  });
});
