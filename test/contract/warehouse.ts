/**
 * What every warehouse promises: the greatest version of each key wins whatever came when, a bad row harms no other, what
 * resolved is durable, schemas only ever widen, and a query only reads.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { keyText } from '#core/key.ts';
import type { QueryRow, Row, Table, View, WarehousePort } from '#core/ports/warehouse.ts';
import { supersedes } from '#core/version.ts';
import { seededRandom, seedFromEnvironment, type SeededRandom } from '#test/kit/random.ts';
import { column, EMPTY, thing, THINGS, version } from './warehouse-things.ts';

export interface WarehouseUnderTest {
  readonly warehouse: WarehousePort;
  /** How a query names a stored table. */
  readonly stored: (table: string) => string;
  /** How a query names a view. */
  readonly viewed: (view: string) => string;
  /** The same warehouse after a restart of the program. */
  readonly reopen: () => Promise<WarehousePort>;
  readonly close: () => Promise<void>;
}

export interface WarehouseCapabilities {
  /** Histories tried in the property test. */
  readonly histories: number;
}

const withValues = (id: string, values: Readonly<Record<string, unknown>>): Row =>
  thing(id, { values: { ...EMPTY, label: id, ...values } });

const LIMITS = { rows: 100_000, timeoutMs: 30_000 };

export async function rowsOf(warehouse: WarehousePort, sql: string, limits = LIMITS): Promise<QueryRow[]> {
  const rows: QueryRow[] = [];
  for await (const page of warehouse.query(sql, limits)) rows.push(...page);
  return rows;
}

export function describeWarehouseContract(
  name: string,
  make: () => Promise<WarehouseUnderTest>,
  capabilities: WarehouseCapabilities,
): void {
  describe(`the warehouse contract: ${name}`, () => {
    let under: WarehouseUnderTest | undefined;

    async function ready(
      tables: readonly Table[] = [THINGS],
      views: readonly View[] = [],
    ): Promise<WarehouseUnderTest> {
      under = await make();
      await under.warehouse.apply(tables, views);
      return under;
    }

    afterEach(async () => {
      await under?.close();
      under = undefined;
    });

    describe('upsert', () => {
      it('ends in the greatest version of each key, whatever came when, how often, and after which restart', async () => {
        const seed = seedFromEnvironment(20_260_105);
        const current = await ready();
        let { warehouse } = current;
        const models = new Map<string, Row>();
        for (let history = 0; history < capabilities.histories; history++) {
          const random = seededRandom(seed + history);
          for (const batch of randomHistory(random, `org-${history}`)) {
            expect(await warehouse.upsert(THINGS, batch)).toEqual([]);
            for (const row of batch) {
              const text = keyText(row.key);
              if (supersedes(row.version, models.get(text)?.version)) models.set(text, row);
            }
            if (random.chance(0.01)) warehouse = await current.reopen();
          }
        }
        const stored = await rowsOf(warehouse, `SELECT * FROM ${current.stored('things')}`);
        const found = new Map(stored.map((row) => [storedKey(row), storedState(row)]));
        expect(stored.length, `seed ${seed}: one row per key`).toBe(models.size);
        const expected = new Map([...models].map(([text, row]) => [text, state(row)]));
        expect(found, `seed ${seed}`).toEqual(expected);
      });

      it('leaves an older version alone', async () => {
        const { warehouse, stored } = await ready();
        await warehouse.upsert(THINGS, [
          thing('a', { version: version(5, 5, 5, 5), values: { ...EMPTY, label: 'kept' } }),
        ]);
        const others = [
          version(5, 5, 4, 5),
          version(5, 5, 5, 4),
          version(5, 4, 9, 5),
          version(4, 9, 9, 5),
          version(9, 9, 9, 4),
        ];
        for (const older of others) {
          const row = thing('a', { version: older, values: { ...EMPTY, label: 'lost' } });
          expect(await warehouse.upsert(THINGS, [row])).toEqual([]);
        }
        expect(await rowsOf(warehouse, `SELECT label FROM ${stored('things')}`)).toEqual([{ label: 'kept' }]);
      });

      it('keeps keys apart that differ in one part only', async () => {
        const { warehouse, stored } = await ready();
        const base = { source: 's', instance: 'i', object: 'o', id: 'x' };
        const keys = [
          base,
          { ...base, source: 'S' },
          { ...base, instance: 'i/o' },
          { ...base, object: 'o/x' },
          { ...base, id: 'x ' },
          { ...base, instance: 'i%2Fo' },
        ];
        for (const round of [1, 2]) {
          await warehouse.upsert(
            THINGS,
            keys.map((key) => thing('x', { key, version: version(round) })),
          );
        }
        const rows = await rowsOf(warehouse, `SELECT source_sequence FROM ${stored('things')}`);
        expect(rows).toEqual(keys.map(() => ({ source_sequence: 2 })));
      });

      it('throws, and writes nothing, when a key comes twice in one call', async () => {
        const { warehouse, stored } = await ready();
        const twice = [thing('a'), thing('b'), thing('a', { version: version(2) })];
        await expect(warehouse.upsert(THINGS, twice)).rejects.toMatchObject({ code: 'duplicate_key' });
        expect(await rowsOf(warehouse, `SELECT id FROM ${stored('things')}`)).toEqual([]);
      });

      it('takes calls at the same time, of the same keys too', async () => {
        const { warehouse, stored } = await ready();
        const calls = Array.from({ length: 12 }, (_, call) =>
          warehouse.upsert(
            THINGS,
            Array.from({ length: 50 }, (_, id) => thing(String(id), { version: version((call * 5) % 12) })),
          ),
        );
        await Promise.all(calls);
        const rows = await rowsOf(warehouse, `SELECT source_sequence FROM ${stored('things')}`);
        expect(rows).toEqual(Array.from({ length: 50 }, () => ({ source_sequence: 11 })));
      });

      it('takes an empty call', async () => {
        const { warehouse } = await ready();
        expect(await warehouse.upsert(THINGS, [])).toEqual([]);
      });

      it('keeps a tombstone, which later changes of an older version do not bring back', async () => {
        const { warehouse, stored } = await ready();
        await warehouse.upsert(THINGS, [thing('a')]);
        await warehouse.upsert(THINGS, [thing('a', { version: version(3), deleted: true, values: EMPTY })]);
        await warehouse.upsert(THINGS, [thing('a', { version: version(2) })]);
        const rows = await rowsOf(warehouse, `SELECT deleted, label FROM ${stored('things')}`);
        expect(rows).toEqual([{ deleted: true, label: null }]);
      });

      it('has after a restart what it had, and writes on', async () => {
        const { warehouse, stored, reopen } = await ready();
        await warehouse.upsert(THINGS, [thing('a'), thing('b')]);
        const again = await reopen();
        await again.upsert(THINGS, [
          thing('a', { version: version(2) }),
          thing('b', { version: version(0) }),
          thing('c'),
        ]);
        const rows = await rowsOf(again, `SELECT id, source_sequence FROM ${stored('things')} ORDER BY id`);
        expect(rows.map((row) => [row.id, row.source_sequence])).toEqual([
          ['a', 2],
          ['b', 1],
          ['c', 1],
        ]);
      });
    });

    describe('the check of a row', () => {
      const deep = `${'['.repeat(3)}1${']'.repeat(2)}`;
      const refusals: readonly (readonly [string, Row, string])[] = [
        ['a missing column', thing('x', { values: { label: 'x' } }), 'missing_column'],
        ['a column given as undefined', withValues('x', { note: undefined }), 'missing_column'],
        ['an unknown column', withValues('x', { other: null }), 'unknown_column'],
        ['null where it may not be', withValues('x', { label: null }), 'null_not_allowed'],
        ['a number as text', withValues('x', { note: 5 }), 'wrong_type'],
        ['an object as text', withValues('x', { note: {} }), 'wrong_type'],
        ['an unpaired surrogate', withValues('x', { note: 'a\ud800b' }), 'malformed_text'],
        ['a fraction as a whole number', withValues('x', { count: 1.5 }), 'wrong_type'],
        ['text as a whole number', withValues('x', { count: '1' }), 'wrong_type'],
        ['a whole number beyond 53 bits', withValues('x', { count: 2 ** 53 }), 'unsafe_integer'],
        ['a whole number beyond 64 bits', withValues('x', { count: 2n ** 63n }), 'unsafe_integer'],
        ['a time as a bigint', withValues('x', { happened_at: 1n }), 'wrong_type'],
        ['not a number', withValues('x', { ratio: Number.NaN }), 'wrong_type'],
        ['infinity', withValues('x', { ratio: Number.POSITIVE_INFINITY }), 'wrong_type'],
        ['text as a truth value', withValues('x', { flag: 'true' }), 'wrong_type'],
        ['text as a time', withValues('x', { happened_at: '2026-01-05T09:00:00Z' }), 'wrong_type'],
        ['a time beyond 53 bits of microseconds', withValues('x', { happened_at: 2 ** 53 }), 'unsafe_integer'],
        ['a day that does not exist', withValues('x', { day: '2026-02-30' }), 'invalid_date'],
        ['a day in another form', withValues('x', { day: '05.01.2026' }), 'invalid_date'],
        ['a decimal as a number', withValues('x', { amount: 1.5 }), 'invalid_numeric'],
        ['a decimal of too many digits', withValues('x', { amount: '0.1234567891' }), 'invalid_numeric'],
        ['a decimal that is none', withValues('x', { amount: '1,5' }), 'invalid_numeric'],
        ['half of a JSON text', withValues('x', { extra: deep }), 'invalid_json'],
        ['JSON that is not text', withValues('x', { extra: { a: 1 } }), 'wrong_type'],
        ['an empty id', thing(''), 'invalid_key'],
        ['a negative version', thing('x', { version: version(-1) }), 'invalid_version'],
        ['an unsafe version', thing('x', { version: version(2 ** 53) }), 'unsafe_integer'],
      ];

      it('refuses each bad row with its code, and writes the others of the call', async () => {
        const { warehouse, stored } = await ready();
        for (const [what, bad, code] of refusals) {
          const good = [thing(`before ${what}`), thing(`after ${what}`)];
          const refused = await warehouse.upsert(THINGS, [good[0] as Row, bad, good[1] as Row]);
          expect(
            refused.map((row) => [row.index, row.code]),
            what,
          ).toEqual([[1, code]]);
        }
        const rows = await rowsOf(warehouse, `SELECT id FROM ${stored('things')} WHERE id = 'x' OR id = ''`);
        expect(rows).toEqual([]);
        const all = await rowsOf(warehouse, `SELECT id FROM ${stored('things')}`);
        expect(all).toHaveLength(refusals.length * 2);
      });

      it('says why without quoting a value', async () => {
        const { warehouse } = await ready();
        const bad = refusals.map(([what, row]) => ({ ...row, key: { ...row.key, id: `ada@example.com ${what}` } }));
        for (const { reason } of await warehouse.upsert(THINGS, bad)) {
          expect(reason).toMatch(/^Column \w+ .+\.$/);
          expect(reason).not.toMatch(/ada|2026-02-30|1,5/);
        }
      });

      it('leaves the stored row as it was when its newer version is refused', async () => {
        const { warehouse, stored } = await ready();
        await warehouse.upsert(THINGS, [thing('a')]);
        await warehouse.upsert(THINGS, [{ ...withValues('a', { count: 0.5 }), version: version(2) }]);
        const rows = await rowsOf(warehouse, `SELECT source_sequence FROM ${stored('things')}`);
        expect(rows).toEqual([{ source_sequence: 1 }]);
      });

      it('refuses a whole call of bad rows without failing', async () => {
        const { warehouse } = await ready();
        const bad = Array.from({ length: 5_000 }, (_, id) => withValues(String(id), { count: 'x' }));
        expect(await warehouse.upsert(THINGS, bad)).toHaveLength(5_000);
      });
    });

    describe('values', () => {
      it.each([
        ['note', ['', ' ', 'línea\r\n"quoted", 😀', 'a\u0000b', "'; DROP TABLE things; --", 'x'.repeat(1_000_000)]],
        ['count', [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
        ['ratio', [0, -0.1, 1e300, 5e-324]],
        ['flag', [true, false]],
        ['day', ['1970-01-01', '2024-02-29', '0001-01-01', '9999-12-31']],
      ])('come back from %s as they went in', async (name, values) => {
        const { warehouse, stored } = await ready();
        const rows = values.map((value, index) => withValues(String(index), { [name]: value }));
        expect(await warehouse.upsert(THINGS, rows)).toEqual([]);
        const found = await rowsOf(warehouse, `SELECT id, ${name} AS value FROM ${stored('things')}`);
        const byId = new Map(found.map((row) => [row.id, row.value]));
        values.forEach((value, index) => expect(byId.get(String(index))).toBe(value));
      });

      it('are whole numbers of 64 bits, which no number holds', async () => {
        const { warehouse, stored } = await ready();
        const counts = [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n), 128n, -1n];
        const rows = counts.map((count, index) => withValues(String(index), { count }));
        expect(await warehouse.upsert(THINGS, rows)).toEqual([]);
        const found = await rowsOf(
          warehouse,
          `SELECT CAST(count AS STRING) AS value FROM ${stored('things')} ORDER BY id`,
        );
        expect(found.map(({ value }) => value)).toEqual(counts.map(String));
      });

      it('are instants to the microsecond', async () => {
        const { warehouse, stored } = await ready();
        const micros = [0, 1, -1, 1_767_700_000_123_456, Number.MAX_SAFE_INTEGER];
        await warehouse.upsert(
          THINGS,
          micros.map((happened_at, index) => withValues(String(index), { happened_at })),
        );
        const found = await rowsOf(warehouse, `SELECT happened_at FROM ${stored('things')} ORDER BY id`);
        expect(found.map((row) => row.happened_at)).toEqual([
          '1970-01-01T00:00:00.000000Z',
          '1970-01-01T00:00:00.000001Z',
          '1969-12-31T23:59:59.999999Z',
          '2026-01-06T11:46:40.123456Z',
          '2255-06-05T23:47:34.740991Z',
        ]);
      });

      it('are exact decimals', async () => {
        const { warehouse, stored } = await ready();
        const amounts = ['0', '-0.000000001', '12345678901234567890123456789.123456789', '100.10'];
        await warehouse.upsert(
          THINGS,
          amounts.map((amount, index) => withValues(String(index), { amount })),
        );
        const found = await rowsOf(warehouse, `SELECT amount FROM ${stored('things')} ORDER BY id`);
        const trimmed = found.map((row) =>
          String(row.amount)
            .replace(/(\.\d*?)0+$/, '$1')
            .replace(/\.$/, ''),
        );
        expect(trimmed).toEqual(['0', '-0.000000001', '12345678901234567890123456789.123456789', '100.1']);
      });

      it('are JSON that can be read again', async () => {
        const { warehouse, stored } = await ready();
        await warehouse.upsert(THINGS, [withValues('a', { extra: '[{"a":[1,null,"ü\\u0000"]}]' })]);
        const [found] = await rowsOf(warehouse, `SELECT extra FROM ${stored('things')}`);
        const read: unknown = typeof found?.extra === 'string' ? JSON.parse(found.extra) : found?.extra;
        expect(read).toEqual([{ a: [1, null, 'ü\u0000'] }]);
      });
    });

    describe('plan and apply', () => {
      const view: View = {
        name: 'live_things',
        description: 'Things, deleted ones hidden.',
        sql: 'SELECT t.* FROM {store}.things AS t WHERE NOT t.deleted',
      };

      it('plan what is missing, and nothing once it was applied', async () => {
        under = await make();
        const { warehouse } = under;
        expect((await warehouse.plan([THINGS], [view])).join()).toMatch(/things.*live_things/);
        await warehouse.apply([THINGS], [view]);
        expect(await warehouse.plan([THINGS], [view])).toEqual([]);
        await warehouse.apply([THINGS], [view]);
        expect(await (await under.reopen()).plan([THINGS], [view])).toEqual([]);
      });

      it('change nothing by planning', async () => {
        under = await make();
        await under.warehouse.plan([THINGS], [view]);
        await expect(rowsOf(under.warehouse, `SELECT * FROM ${under.stored('things')}`)).rejects.toMatchObject({
          code: 'invalid_query',
        });
      });

      it('show through a view what is not deleted', async () => {
        const { warehouse, viewed } = await ready([THINGS], [view]);
        await warehouse.upsert(THINGS, [thing('a'), thing('b', { deleted: true })]);
        expect(await rowsOf(warehouse, `SELECT id FROM ${viewed('live_things')}`)).toEqual([{ id: 'a' }]);
      });

      it('add a column, wherever the schema has it, and show it through the views', async () => {
        const { warehouse, viewed } = await ready([THINGS], [view]);
        await warehouse.upsert(THINGS, [thing('old')]);
        const wider: Table = { ...THINGS, columns: [column('added', 'string', false), ...THINGS.columns] };
        expect(await warehouse.plan([wider], [view])).toHaveLength(2);
        await warehouse.apply([wider], [view]);
        await warehouse.upsert(wider, [thing('new', { values: { ...EMPTY, label: 'new', added: 'here' } })]);
        const rows = await rowsOf(warehouse, `SELECT id, label, added FROM ${viewed('live_things')} ORDER BY id`);
        expect(rows).toEqual([
          { id: 'new', label: 'new', added: 'here' },
          { id: 'old', label: 'old', added: null },
        ]);
      });

      it('widen a whole number to a decimal, keeping what is there', async () => {
        const { warehouse, stored } = await ready([THINGS], [view]);
        await warehouse.upsert(THINGS, [withValues('a', { count: 7 })]);
        const wider: Table = {
          ...THINGS,
          columns: THINGS.columns.map((each) => (each.name === 'count' ? column('count', 'numeric') : each)),
        };
        expect((await warehouse.plan([wider], [view]))[0]).toMatch(/count/);
        await warehouse.apply([wider], [view]);
        await warehouse.upsert(wider, [withValues('b', { count: '7.5' })]);
        const [sum] = await rowsOf(warehouse, `SELECT SUM(count) AS total FROM ${stored('things')}`);
        expect(Number(sum?.total)).toBe(14.5);
      });

      it('refuse every narrowing at once, and then do nothing', async () => {
        const { warehouse } = await ready();
        const narrow: Table = {
          ...THINGS,
          columns: [
            ...THINGS.columns.map((each) =>
              each.name === 'note' || each.name === 'amount' ? column(each.name, 'int64') : each,
            ),
            column('added', 'string'),
          ],
        };
        for (const work of [warehouse.plan([narrow], []), warehouse.apply([narrow], [])]) {
          await expect(work).rejects.toMatchObject({
            code: 'schema_narrowed',
            message: expect.stringMatching(/note.*amount/) as string,
          });
        }
        expect(await warehouse.plan([THINGS], [])).toEqual([]);
      });

      it('never drop: a column the schema no longer has stays, and is null in new rows', async () => {
        const { warehouse, stored } = await ready();
        await warehouse.upsert(THINGS, [withValues('a', { note: 'kept' })]);
        const { note: _note, ...values } = EMPTY;
        const less: Table = { ...THINGS, columns: THINGS.columns.filter(({ name }) => name !== 'note') };
        await warehouse.apply([less], []);
        await warehouse.upsert(less, [thing('b', { values: { ...values, label: 'b' } })]);
        const rows = await rowsOf(warehouse, `SELECT note FROM ${stored('things')} ORDER BY id`);
        expect(rows).toEqual([{ note: 'kept' }, { note: null }]);
      });

      it('make a view again when its SQL changes', async () => {
        const { warehouse, viewed } = await ready([THINGS], [view]);
        const other: View = { ...view, sql: "SELECT 'other' AS word FROM {store}.things" };
        expect(await warehouse.plan([THINGS], [other])).toHaveLength(1);
        await warehouse.apply([THINGS], [other]);
        await warehouse.upsert(THINGS, [thing('a')]);
        expect(await rowsOf(warehouse, `SELECT * FROM ${viewed('live_things')}`)).toEqual([{ word: 'other' }]);
      });

      it('refuse a view that cannot be', async () => {
        const { warehouse } = await ready();
        const broken: View = { ...view, sql: 'SELECT nothing FROM {store}.nowhere' };
        await expect(warehouse.apply([THINGS], [broken])).rejects.toMatchObject({ code: 'schema_invalid' });
      });

      it('are needed before a table can be written', async () => {
        under = await make();
        await expect(under.warehouse.upsert(THINGS, [thing('a')])).rejects.toMatchObject({ code: 'table_not_applied' });
      });
    });

    describe('query', () => {
      it.each([
        'SELEC 1',
        '',
        'SELECT * FROM nowhere',
        'SELECT 1; SELECT 2',
        'DELETE FROM {things}',
        "UPDATE {things} SET label = 'x'",
        'DROP TABLE {things}',
        'TRUNCATE {things}',
        'CREATE TABLE made AS SELECT 1 AS one',
        "INSERT INTO {things} (label) VALUES ('x')",
        'SELECT 1; DROP TABLE {things}',
      ])('refuses %j, and nothing has changed', async (sql) => {
        const { warehouse, stored } = await ready();
        await warehouse.upsert(THINGS, [thing('a')]);
        const work = rowsOf(warehouse, sql.replace('{things}', stored('things')));
        await expect(work).rejects.toMatchObject({ code: 'invalid_query' });
        expect(await rowsOf(warehouse, `SELECT label FROM ${stored('things')}`)).toEqual([{ label: 'a' }]);
      });

      it.each([
        ['SELECT COUNT(*) AS n FROM {things}', [{ n: 2 }]],
        ['WITH t AS (SELECT 1 AS one) SELECT one FROM t', [{ one: 1 }]],
        ['SELECT id FROM {things} ORDER BY id;', [{ id: 'a' }, { id: 'b' }]],
        ["SELECT 'a;b' AS text -- ; comment", [{ text: 'a;b' }]],
        ['SELECT id FROM {things} WHERE FALSE', []],
      ])('answers %j', async (sql, expected) => {
        const { warehouse, stored } = await ready();
        await warehouse.upsert(THINGS, [thing('a'), thing('b')]);
        expect(await rowsOf(warehouse, sql.replace('{things}', stored('things')))).toEqual(expected);
      });

      it('gives no more rows than allowed', async () => {
        const { warehouse, stored } = await ready();
        await warehouse.upsert(
          THINGS,
          Array.from({ length: 5_000 }, (_, id) => thing(String(id))),
        );
        const sql = `SELECT id FROM ${stored('things')}`;
        expect(await rowsOf(warehouse, sql, { ...LIMITS, rows: 2_500 })).toHaveLength(2_500);
        expect(await rowsOf(warehouse, sql, { ...LIMITS, rows: 0 })).toHaveLength(0);
      });

      it('sees what was written before it, while more is written', async () => {
        const { warehouse, stored } = await ready();
        for (let batch = 0; batch < 5; batch++) {
          const rows = Array.from({ length: 100 }, (_, id) => thing(`${batch}-${id}`));
          const writing = warehouse.upsert(THINGS, rows);
          const [seen] = await rowsOf(warehouse, `SELECT COUNT(*) AS n FROM ${stored('things')}`);
          expect([batch * 100, batch * 100 + 100]).toContain(seen?.n);
          await writing;
        }
      });

      it('can be left before its end', async () => {
        const { warehouse, stored } = await ready();
        await warehouse.upsert(
          THINGS,
          Array.from({ length: 5_000 }, (_, id) => thing(String(id))),
        );
        for await (const page of warehouse.query(`SELECT id FROM ${stored('things')}`, LIMITS)) {
          expect(page.length).toBeGreaterThan(0);
          break;
        }
        expect(await warehouse.upsert(THINGS, [thing('more')])).toEqual([]);
      });
    });

    describe('live ids', () => {
      it('are those of one object, not deleted, and older than the given moment', async () => {
        const { warehouse } = await ready();
        const other = { source: 'salesforce', instance: 'org', object: 'Other', id: 'other' };
        await warehouse.upsert(THINGS, [
          thing('old', { version: version(9) }),
          thing('at', { version: version(10) }),
          thing('gone', { version: version(1), deleted: true }),
          thing('other', { key: other }),
        ]);
        const { id: _id, ...object } = thing('x').key;
        expect(await idsOf(warehouse, object, 10)).toEqual(['old']);
      });

      it('are all of them, each once, however many', async () => {
        const { warehouse } = await ready();
        const ids = Array.from({ length: 45_000 }, (_, id) => `id-${id}`);
        for (let from = 0; from < ids.length; from += 15_000) {
          await warehouse.upsert(
            THINGS,
            ids.slice(from, from + 15_000).map((id) => thing(id)),
          );
        }
        const { id: _id, ...object } = thing('x').key;
        expect((await idsOf(warehouse, object, 10)).sort()).toEqual(ids.sort());
      });
    });
  });
}

async function idsOf(
  warehouse: WarehousePort,
  object: { readonly source: string; readonly instance: string; readonly object: string },
  beforeSequence: number,
): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of warehouse.liveIds(THINGS, object, beforeSequence)) ids.push(...page);
  return ids;
}

/** Calls of at most one row a key; few keys and few versions, so that most meet. */
function randomHistory(random: SeededRandom, instance: string): Row[][] {
  const small = (): number => random.below(3);
  const row = (id: number): Row => {
    const deleted = random.chance(0.2);
    const label = `${instance} ${random.id()}`;
    return thing(String(id), {
      key: { source: 'salesforce', instance, object: random.pick(['Thing', 'Other']), id: String(id) },
      version: version(random.below(6), small(), small(), random.chance(0.1) ? 1 : 0),
      deleted,
      values: deleted && random.chance(0.5) ? EMPTY : { ...EMPTY, label },
    });
  };
  const batches = Array.from({ length: 4 + random.below(6) }, () => {
    const keys = random.shuffled(Array.from({ length: 8 }, (_, id) => id));
    return keys.slice(0, 1 + random.below(8)).map(row);
  });
  const repeated = batches.filter(() => random.chance(0.3));
  return withoutTies(random.shuffled([...batches, ...repeated]));
}

/** A version stands for one state: two rows of the same key and version carry the same. */
function withoutTies(batches: Row[][]): Row[][] {
  const seen = new Map<string, Row>();
  return batches.map((batch) =>
    batch.map((row) => {
      const text = `${keyText(row.key)} ${JSON.stringify(row.version)}`;
      const first = seen.get(text) ?? row;
      seen.set(text, first);
      return first;
    }),
  );
}

function state(row: Row): unknown {
  return { version: row.version, deleted: row.deleted, label: row.values.label };
}

function storedState(row: QueryRow): unknown {
  const { epoch, source_sequence, issued_micros, generation, deleted, label } = row as Record<string, number>;
  return {
    version: version(source_sequence as number, issued_micros, generation, epoch),
    deleted,
    label,
  };
}

function storedKey(row: QueryRow): string {
  const { source, instance, object, id } = row as Record<string, string>;
  return keyText({ source: source ?? '', instance: instance ?? '', object: object ?? '', id: id ?? '' });
}
