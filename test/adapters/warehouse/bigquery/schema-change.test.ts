/** A column that is added while rows are written: none is lost or doubled, and new rows carry it. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DependencyDown } from '#core/errors.ts';
import type { Row, Table } from '#core/ports/warehouse.ts';
import { column, EMPTY, thing, THINGS } from '#test/contract/warehouse-things.ts';
import { startKit, STORE, type Kit } from './kit.ts';

const WIDER: Table = { ...THINGS, columns: [...THINGS.columns, column('nickname', 'string')] };

let kit: Kit;
beforeEach(async () => {
  kit = await startKit([THINGS], { writeTimeoutMs: 2_000 });
});
afterEach(() => kit.stop());

const before = (id: string): Row => thing(id);
const after = (id: string): Row => thing(id, { values: { ...EMPTY, label: id, nickname: `n-${id}` } });

/** As a service does whose message is delivered again while the warehouse is down. */
async function untilWritten(table: Table, row: Row): Promise<void> {
  for (let delivery = 0; ; delivery += 1) {
    try {
      expect(await kit.warehouse.upsert(table, [row])).toEqual([]);
      return;
    } catch (error) {
      if (!(error instanceof DependencyDown) || delivery > 100) throw error;
    }
  }
}

const idsOf = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => `${prefix}${String(n).padStart(3, '0')}`);

it('while rows are written: each is there once, the later ones with the column, the earlier without', async () => {
  kit.simulator.faults.set({ latencyMs: 2 });
  const [old, during, late] = [idsOf('a', 60), idsOf('b', 60), idsOf('c', 60)];
  const writing = old.map((id) => untilWritten(THINGS, before(id)));
  const applying = kit.warehouse.apply([WIDER], []);
  const more = during.map((id) => untilWritten(THINGS, before(id)));
  await applying;
  await Promise.all([...writing, ...more, ...late.map((id) => untilWritten(WIDER, after(id)))]);
  const rows = await kit.ask(`SELECT id, nickname FROM ${STORE}.things ORDER BY id`);
  const expected = [...old, ...during].map((id) => [id, null]).concat(late.map((id) => [id, `n-${id}`]));
  expect(rows).toEqual(expected);
  await vi.waitFor(() => expect(kit.simulator.connections(), 'that of the older columns is closed').toBe(1));
});

it('that the write service learns of late: rows wait for it, and none loses its value', async () => {
  await untilWritten(THINGS, before('a'));
  kit.simulator.faults.set({ schemaDelayMs: 1_500 });
  await kit.warehouse.apply([WIDER], []);
  await untilWritten(WIDER, after('b'));
  expect(await kit.ask(`SELECT id, nickname FROM ${STORE}.things ORDER BY id`)).toEqual([
    ['a', null],
    ['b', 'n-b'],
  ]);
});

it('a table that the write service learns of late is waited for, and is not called missing', async () => {
  kit.simulator.faults.set({ newTableDelayMs: 1_500 });
  const others: Table = { ...THINGS, name: 'others' };
  await kit.warehouse.apply([others], []);
  await untilWritten(others, before('a'));
  expect(await kit.ask(`SELECT id FROM ${STORE}.others`)).toEqual([['a']]);
});
