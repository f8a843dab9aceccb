/** The order that BigQuery keeps between two states of one key is our order of versions, in each of its four parts. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ERASED_EPOCH } from '#core/erasure.ts';
import { ZERO_VERSION, type Version } from '#core/version.ts';
import { EMPTY, thing, THINGS } from '#test/contract/warehouse-things.ts';
import { startKit, STORE, type Kit } from './kit.ts';

let kit: Kit;
beforeAll(async () => {
  kit = await startKit([THINGS]);
});
afterAll(() => kit.stop());

const PARTS = ['epoch', 'sourceSequence', 'issuedMicros', 'generation'] as const;
/** Where text, decimal or hexadecimal digits of varying width would order otherwise than numbers do. */
const PAIRS = [
  [0, 1],
  [9, 10],
  [15, 16],
  [255, 256],
  [2 ** 32 - 1, 2 ** 32],
  [1_767_700_000_123_456, 1_767_700_000_123_457],
  [2 ** 52, Number.MAX_SAFE_INTEGER],
] as const;

let number = 0;
async function kept(versions: readonly Version[]): Promise<string | null | undefined> {
  const id = `row-${number++}`;
  for (const [at, version] of versions.entries()) {
    const row = thing(id, { version, values: { ...EMPTY, label: String(at) } });
    expect(await kit.warehouse.upsert(THINGS, [row])).toEqual([]);
  }
  return (await kit.ask(`SELECT label FROM ${STORE}.things WHERE id = '${id}'`))[0]?.[0];
}

describe.each(PARTS)('of two states that differ in %s', (part) => {
  it.each(PAIRS)('%d is older than %d, in whichever order they come', async (lesser, greater) => {
    const [older, newer] = [
      { ...ZERO_VERSION, [part]: lesser },
      { ...ZERO_VERSION, [part]: greater },
    ];
    expect(await kept([older, newer])).toBe('1');
    expect(await kept([newer, older])).toBe('0');
  });
});

it.each([
  ['epoch', 'sourceSequence'],
  ['sourceSequence', 'issuedMicros'],
  ['issuedMicros', 'generation'],
] as const)('a greater %s wins over any %s', async (more, less) => {
  const [older, newer] = [
    { ...ZERO_VERSION, [less]: Number.MAX_SAFE_INTEGER },
    { ...ZERO_VERSION, [more]: 1 },
  ];
  expect(await kept([older, newer])).toBe('1');
  expect(await kept([newer, older])).toBe('0');
});

it('an erasure wins over all that a source can say, replayed however often', async () => {
  const said = { epoch: 1_000_000, sourceSequence: 2 ** 52, issuedMicros: 2 ** 52, generation: 1_000 };
  expect(await kept([{ ...ZERO_VERSION, epoch: ERASED_EPOCH }, said])).toBe('0');
});
