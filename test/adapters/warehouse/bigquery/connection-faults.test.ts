/**
 * Everything that goes wrong with a connection of the Storage Write API: what was acknowledged is there, what was not is
 * told, nothing waits for ever and nothing is left behind.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DependencyDown } from '#core/errors.ts';
import type { Row } from '#core/ports/warehouse.ts';
import { EMPTY, thing, THINGS, version } from '#test/contract/warehouse-things.ts';
import { seededRandom, seedFromEnvironment } from '#test/kit/random.ts';
import type { AppendFault } from '#tools/simulators/bigquery/faults.ts';
import { OPTIONS, startKit, STORE, type Kit } from './kit.ts';

type Kind = Partial<AppendFault> & Pick<AppendFault, 'kind'>;

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);
process.on('unhandledRejection', note);

let kit: Kit;
beforeAll(async () => {
  kit = await startKit([THINGS], { writeTimeoutMs: 400 });
});
afterAll(async () => {
  await kit.stop();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});
afterEach(() => kit.simulator.faults.clear());

let number = 0;
/** Ids that no other test has. */
const fresh = (): string => `row-${number++}`;
const labelled = (id: string, label: string, sequence = 1): Row =>
  thing(id, { version: version(sequence), values: { ...EMPTY, label } });

async function held(id: string): Promise<(string | null)[][]> {
  return kit.ask(`SELECT label, source_sequence FROM ${STORE}.things WHERE id = '${id}'`);
}

describe('a write that fails with its connection is sent again, and is there once', () => {
  const faults: readonly (readonly [string, Kind])[] = [
    ['half-closed before it was written', { kind: 'half-close' }],
    ['half-closed after it was written', { kind: 'half-close', isWritten: true }],
    ['hung before it was written', { kind: 'hang' }],
    ['hung after it was written', { kind: 'hang', isWritten: true }],
    ['reset, UNAVAILABLE', { kind: 'reset', code: 14 }],
    ['reset after it was written', { kind: 'reset', code: 14, isWritten: true }],
    ['reset, ABORTED', { kind: 'reset', code: 10 }],
    ['reset, RESOURCE_EXHAUSTED', { kind: 'reset', code: 8 }],
    ['reset, CANCELLED', { kind: 'reset', code: 1 }],
    ['ended with OK and no answer', { kind: 'reset', code: 0 }],
    ['an answer that says UNAVAILABLE', { kind: 'error', code: 14 }],
    ['an answer that says INTERNAL', { kind: 'error', code: 13 }],
    ['an answer that says ABORTED', { kind: 'error', code: 10 }],
    ['an answer that says RESOURCE_EXHAUSTED', { kind: 'error', code: 8 }],
    ['an answer with a status nobody knows', { kind: 'error', code: 99 }],
    [
      'a column that the write service does not know yet',
      { kind: 'error', code: 3, message: 'SCHEMA_MISMATCH_EXTRA_FIELDS' },
    ],
  ];

  it.each(faults)('%s', async (_what, fault) => {
    const [first, second] = [fresh(), fresh()];
    kit.simulator.faults.onAppend(fault);
    expect(await kit.warehouse.upsert(THINGS, [labelled(first, 'a')])).toEqual([]);
    expect(await kit.warehouse.upsert(THINGS, [labelled(second, 'b')])).toEqual([]);
    expect([await held(first), await held(second)]).toEqual([[['a', '1']], [['b', '1']]]);
    await vi.waitFor(() => expect(kit.simulator.connections(), 'one is left open').toBe(1));
  });
});

describe('a write that keeps failing', () => {
  it.each([
    ['UNAVAILABLE', 14],
    ['ABORTED', 10],
    ['RESOURCE_EXHAUSTED', 8],
  ])(
    'is told as a warehouse that is down after a bounded number of tries, with growing waits: %s',
    async (_n, code) => {
      const warehouse = await kit.open({ clock: quick() });
      kit.simulator.faults.onAppend({ kind: 'reset', code }, 5);
      await expect(warehouse.upsert(THINGS, [labelled(fresh(), 'a')])).rejects.toBeInstanceOf(DependencyDown);
      expect(waits).toEqual([250, 1_000, 2_000]);
      expect(await warehouse.upsert(THINGS, [labelled(fresh(), 'b')])).toEqual([]);
    },
  );

  it('is told in time where the service only hangs', async () => {
    const startMs = performance.now();
    kit.simulator.faults.onAppend({ kind: 'hang' }, 20);
    await expect(kit.warehouse.upsert(THINGS, [labelled(fresh(), 'a')])).rejects.toBeInstanceOf(DependencyDown);
    expect(performance.now() - startMs).toBeLessThan(400 * 2 + 700);
  });

  it('is told in time while the project is out of quota, and goes on when it is not', async () => {
    const id = fresh();
    const warehouse = await kit.open({ clock: quick() });
    kit.simulator.faults.set({ isQuotaExceeded: true });
    await expect(warehouse.upsert(THINGS, [labelled(id, 'a')])).rejects.toBeInstanceOf(DependencyDown);
    kit.simulator.faults.set({ isQuotaExceeded: false });
    await warehouse.upsert(THINGS, [labelled(id, 'a')]);
    expect(await held(id)).toEqual([['a', '1']]);
  });
});

describe('what no repetition mends is told at once, with who must act', () => {
  const refusals: readonly (readonly [string, Kind, string, string, RegExp])[] = [
    ['PERMISSION_DENIED at the end', { kind: 'reset', code: 7 }, 'warehouse_denied', 'the operator', /dataEditor/],
    ['PERMISSION_DENIED as answer', { kind: 'error', code: 7 }, 'warehouse_denied', 'the operator', /dataEditor/],
    ['UNAUTHENTICATED', { kind: 'reset', code: 16 }, 'warehouse_denied', 'the operator', /dataEditor/],
    ['INVALID_ARGUMENT as answer', { kind: 'error', code: 3 }, 'warehouse_refused', 'the deployer', /warehouse plan/],
    ['INVALID_ARGUMENT at the end', { kind: 'reset', code: 3 }, 'warehouse_refused', 'the deployer', /warehouse plan/],
  ];
  it.each(refusals)('%s', async (_what, fault, code, actor, message) => {
    const id = fresh();
    kit.simulator.faults.onAppend({ ...fault, message: 'Row with ada@example.com' });
    const told = await kit.warehouse.upsert(THINGS, [labelled(id, 'a')]).catch((error: unknown) => error);
    expect(told).toMatchObject({ code, actor, message: expect.stringMatching(message) as string });
    expect(String(told)).not.toContain('ada@');
    expect(await held(id)).toEqual([]);
    expect(await kit.warehouse.upsert(THINGS, [labelled(id, 'a')]), 'the writer lives on').toEqual([]);
  });

  it('a table that is not there, whoever sees it first', async () => {
    const missing = { ...THINGS, name: 'never_applied' };
    const writing = kit.warehouse.upsert(missing, [thing('a')]);
    await expect(writing).rejects.toMatchObject({ code: 'table_not_applied', actor: 'the deployer' });
  });

  it('a service account that lost its role, until it has it again', async () => {
    const id = fresh();
    kit.simulator.faults.set({ denied: [STORE] });
    await expect(kit.warehouse.upsert(THINGS, [labelled(id, 'a')])).rejects.toMatchObject({ code: 'warehouse_denied' });
    kit.simulator.faults.set({ denied: [] });
    expect(await kit.warehouse.upsert(THINGS, [labelled(id, 'a')])).toEqual([]);
  });
});

describe('a connection', () => {
  it('that the service closed while idle is opened anew, unseen', async () => {
    kit.simulator.faults.set({ idleTimeoutMs: 30 });
    const [before, warehouse, id] = [kit.simulator.connections(), await kit.open(), fresh()];
    await warehouse.upsert(THINGS, [labelled(id, 'a')]);
    await vi.waitFor(() => expect(kit.simulator.connections()).toBe(before));
    kit.simulator.faults.set({ idleTimeoutMs: 60_000 });
    expect(await warehouse.upsert(THINGS, [labelled(id, 'b', 2)])).toEqual([]);
    expect(await held(id)).toEqual([['b', '2']]);
  });

  it('that is lost with many writes under way loses and doubles none of them', async () => {
    const ids = Array.from({ length: 200 }, fresh);
    kit.simulator.faults.set({ latencyMs: 1 });
    const [before, warehouse] = [kit.simulator.connections(), await kit.open()];
    const writing = Promise.all(ids.map((id) => warehouse.upsert(THINGS, [labelled(id, id)])));
    await vi.waitFor(() => expect(kit.simulator.connections()).toBe(before + 1));
    kit.simulator.faults.dropConnections();
    expect((await writing).flat()).toEqual([]);
    const rows = await kit.ask(
      `SELECT id, label FROM ${STORE}.things WHERE id IN (${ids.map((id) => `'${id}'`).join()})`,
    );
    expect(new Map(rows as [string, string][])).toEqual(new Map(ids.map((id) => [id, id])));
    expect(rows).toHaveLength(ids.length);
  });

  it('may fail at random under concurrent writes of the same keys: the newest acknowledged version stays', async () => {
    const seed = seedFromEnvironment(20_261_126);
    const random = seededRandom(seed);
    const warehouse = await kit.open({ clock: quick(), writeTimeoutMs: 60 });
    const ids = Array.from({ length: 6 }, fresh);
    const newest = new Map<string, number>();
    const write = async (): Promise<void> => {
      const rows = random.shuffled(ids).slice(0, 1 + random.below(6));
      const batch = rows.map((id) => ({ id, sequence: random.below(1_000) }));
      for (let delivery = 0; ; delivery += 1) {
        try {
          await warehouse.upsert(
            THINGS,
            batch.map(({ id, sequence }) => labelled(id, String(sequence), sequence)),
          );
          for (const { id, sequence } of batch) newest.set(id, Math.max(sequence, newest.get(id) ?? -1));
          return;
        } catch (error) {
          if (!(error instanceof DependencyDown) || delivery > 50) throw error;
        }
      }
    };
    for (let round = 0; round < 12; round += 1) {
      for (let n = random.below(4); n > 0; n -= 1) {
        const kind = random.pick(['reset', 'half-close', 'error', 'reset', 'half-close', 'hang'] as const);
        kit.simulator.faults.onAppend({ kind, isWritten: random.chance(0.5), code: kind === 'error' ? 13 : 14 });
      }
      await Promise.all(Array.from({ length: 5 }, write));
    }
    const rows = await kit.ask(
      `SELECT id, source_sequence, label FROM ${STORE}.things WHERE id IN (${ids.map((id) => `'${id}'`).join()})`,
    );
    const expected = [...newest].map(([id, sequence]) => [id, String(sequence), String(sequence)]);
    expect(rows.sort(), `seed ${seed}`).toEqual(expected.sort());
  });
});

const waits: number[] = [];
/** The machine's clock, whose sleeps take no time and are noted. */
function quick(): NonNullable<Parameters<Kit['open']>[0]>['clock'] & object {
  waits.length = 0;
  return { ...OPTIONS.clock, sleep: (ms) => Promise.resolve(void waits.push(ms)) };
}
