/** The plain way: what is sent twice is kept once, what one request cannot carry goes in several, and a fault is told. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { InsertWriter } from '#adapters/warehouse/bigquery/insert-writer.ts';
import type { Json, Rest } from '#adapters/warehouse/bigquery/rest.ts';
import { DependencyDown } from '#core/errors.ts';
import type { Row } from '#core/ports/warehouse.ts';
import { EMPTY, thing, THINGS, version } from '#test/contract/warehouse-things.ts';
import { startKit, STORE, type Kit } from './kit.ts';

let kit: Kit;
beforeAll(async () => {
  kit = await startKit([THINGS], { writes: 'insert-all' });
});
afterAll(() => kit.stop());
afterEach(() => kit.simulator.faults.clear());

let number = 0;
const fresh = (): string => `row-${number++}`;
const labelled = (id: string, label: string, sequence = 1): Row =>
  thing(id, { version: version(sequence), values: { ...EMPTY, label } });
const appended = (id: string) =>
  kit.ask(`SELECT source_sequence, label FROM ${STORE}.things_appended WHERE id = '${id}' ORDER BY source_sequence`);
const newest = (id: string) => kit.ask(`SELECT source_sequence, label FROM ${STORE}.things WHERE id = '${id}'`);

describe('rows', () => {
  it('of one version are kept once however often they are sent; of another, beside it; and the view shows the newest', async () => {
    const id = fresh();
    for (const sequence of [2, 2, 1, 2, 1])
      await kit.warehouse.upsert(THINGS, [labelled(id, `v${sequence}`, sequence)]);
    expect(await appended(id)).toEqual([
      ['1', 'v1'],
      ['2', 'v2'],
    ]);
    expect(await newest(id)).toEqual([['2', 'v2']]);
  });

  it('whose answer went missing are sent again, and are there once', async () => {
    const id = fresh();
    kit.simulator.faults.onRest({ status: 503, isDone: true, path: 'insertAll' });
    await kit.warehouse.upsert(THINGS, [labelled(id, 'a')]).catch((error: unknown) => {
      expect(error).toBeInstanceOf(DependencyDown);
      return kit.warehouse.upsert(THINGS, [labelled(id, 'a')]);
    });
    expect(await appended(id)).toEqual([['1', 'a']]);
  });

  it('that something on the way finds too many go in halves, and all arrive', async () => {
    const ids = Array.from({ length: 9 }, fresh);
    kit.simulator.faults.onRest({ status: 413, reason: 'uploadTooLarge', path: 'insertAll' }, 3);
    const rows = ids.map((id) => labelled(id, id));
    expect(await kit.warehouse.upsert(THINGS, rows)).toEqual([]);
    for (const id of ids) expect(await appended(id)).toEqual([['1', id]]);
  });

  it('keep whole numbers of 64 bits and microseconds', async () => {
    const id = fresh();
    const values = { ...EMPTY, label: 'a', count: 2n ** 63n - 1n, happened_at: -1 };
    expect(await kit.warehouse.upsert(THINGS, [thing(id, { values })])).toEqual([]);
    const found = await kit.ask(
      `SELECT count, UNIX_MICROS(happened_at) FROM ${STORE}.things_appended WHERE id = '${id}'`,
    );
    expect(found).toEqual([['9223372036854775807', '-1']]);
  });
});

describe('a refusal', () => {
  const statuses: readonly (readonly [number, string, string])[] = [
    [403, 'accessDenied', 'warehouse_denied'],
    [403, 'quotaExceeded', 'dependency_down'],
    [404, 'notFound', 'table_not_applied'],
    [400, 'invalid', 'warehouse_refused'],
  ];
  it.each(statuses)('%d %s is told as %s, without quoting a row', async (status, reason, code) => {
    const id = fresh();
    kit.simulator.faults.onRest({ status, reason, message: 'Row with ada@example.com', path: 'insertAll' }, 20);
    const told = await kit.warehouse.upsert(THINGS, [labelled(id, 'a')]).catch((error: unknown) => error);
    if (code === 'dependency_down') expect(told).toBeInstanceOf(DependencyDown);
    else expect(told).toMatchObject({ code });
    expect(String(told)).not.toContain('ada@');
    kit.simulator.faults.clear();
    expect(await kit.warehouse.upsert(THINGS, [labelled(id, 'a')])).toEqual([]);
  });
});

/** A service that answers by a script; what it was sent is kept. */
function scripted(answers: readonly Json[]): { readonly writer: InsertWriter; readonly sent: string[][] } {
  const sent: string[][] = [];
  const request: Rest['request'] = (_method, _uri, { body } = {}) => {
    const rows = (body?.['rows'] ?? []) as readonly { readonly json: { readonly id: string } }[];
    sent.push(rows.map(({ json }) => json.id));
    return Promise.resolve(answers[sent.length - 1] ?? {});
  };
  return { writer: new InsertWriter(THINGS, { request } as Rest, STORE), sent };
}

const errorsOf = (...reasons: readonly string[]): Json => ({
  insertErrors: reasons.map((reason, index) => ({ index, errors: [{ reason }] })),
});

describe('errors of single rows, which come with a good status', () => {
  const rows = ['a', 'b', 'c'].map((id) => labelled(id, id));

  it('against a row refuse that one, and the rest is sent again without it', async () => {
    const { writer, sent } = scripted([errorsOf('stopped', 'invalid', 'stopped')]);
    expect(await writer.upsert(rows)).toMatchObject([{ index: 1, code: 'row_refused' }]);
    expect(sent).toEqual([
      ['a', 'b', 'c'],
      ['a', 'c'],
    ]);
  });

  it('found one at a time are followed until the rest is written', async () => {
    const { writer, sent } = scripted([errorsOf('invalid', 'stopped', 'stopped'), errorsOf('stopped', 'invalid')]);
    expect((await writer.upsert(rows)).map(({ index }) => index)).toEqual([0, 2]);
    expect(sent.at(-1)).toEqual(['b']);
  });

  it.each(['backendError', 'internalError', 'timeout', 'rateLimitExceeded', 'quotaExceeded', 'stopped'])(
    '%s says nothing against a row: the warehouse is down, and no row is refused',
    async (reason) => {
      const { writer } = scripted([errorsOf(reason, reason, reason)]);
      await expect(writer.upsert(rows)).rejects.toBeInstanceOf(DependencyDown);
    },
  );

  it('an answer about rows that were not sent refuses none, and does not go round in a circle', async () => {
    const { writer } = scripted([{ insertErrors: [{ index: 7, errors: [{ reason: 'invalid' }] }] }]);
    await expect(writer.upsert(rows)).rejects.toBeInstanceOf(DependencyDown);
  });
});
