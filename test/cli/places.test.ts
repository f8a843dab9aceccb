/** A folder keeps to the broker, warehouse and storage it was started with: what is at another place would be missing without a word. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { choosePlaces, DEFAULT_PLACES } from '#cli/places.ts';
import { saveSettings } from '#cli/simulators.ts';
import { neededStandIns } from '#cli/stand-ins.ts';
import { freshFolder } from '#test/flow/kit.ts';
import { commandLine, tributary } from './kit.ts';

const { folder, remove } = freshFolder();
afterAll(remove);
let folders = 0;

/** As a start left it: with the addresses of simulated vendors, or with real rows only. */
function used(places: Readonly<Record<string, string>> | 'real'): string {
  const path = join(folder, String((folders += 1)));
  mkdirSync(path);
  if (places === 'real') writeFileSync(join(path, 'broker.sqlite'), '');
  else saveSettings(path, places);
  return path;
}

const GOOGLE = { broker: 'pubsub', warehouse: 'bigquery', storage: 'gcs' };

describe('the places of a folder', () => {
  it('are chosen freely for a new one, and the usual where nothing is said', async () => {
    const state = join(folder, 'new');
    expect(await choosePlaces({ state })).toEqual(DEFAULT_PLACES);
    expect(await choosePlaces({ state, ...GOOGLE })).toEqual(GOOGLE);
    expect(await choosePlaces({ state, broker: 'pubsub' })).toEqual({ ...DEFAULT_PLACES, broker: 'pubsub' });
  });

  it('are remembered, and may be said again', async () => {
    const state = used(GOOGLE);
    expect(await choosePlaces({ state })).toEqual(GOOGLE);
    expect(await choosePlaces({ state, broker: 'pubsub' })).toEqual(GOOGLE);
  });

  it.each([
    ['another broker', {}, { broker: 'pubsub' }, /with broker embedded.*broker pubsub/],
    ['another warehouse', GOOGLE, { warehouse: 'duckdb' }, /with warehouse bigquery.*warehouse duckdb/],
    ['another storage', { broker: 'pubsub' }, { storage: 'gcs' }, /with storage files.*storage gcs/],
    ['another broker where rows are real', 'real', { broker: 'pubsub' }, /with broker embedded/],
  ] as const)('cannot become others: %s is refused', async (_, before, chosen, message) => {
    await expect(choosePlaces({ state: used(before), ...chosen })).rejects.toMatchObject({
      code: 'other_place',
      message: expect.stringMatching(message) as string,
    });
  });

  it('are refused by start before anything is started or changed', async () => {
    const state = used({});
    const ran = await tributary(['start', '--state', state, '--broker', 'pubsub']);
    expect([ran.code, ran.err]).toEqual([
      1,
      expect.stringMatching(/give another folder with --state.*\[other_place\]/),
    ]);
    expect(readdirSync(state)).toEqual(['settings.json']);
  });
});

describe('stand-ins', () => {
  it.each([
    ['none where all is on this machine', DEFAULT_PLACES, {}, []],
    ['one for each service of Google that has no address', GOOGLE, {}, ['pubsub', 'bigquery', 'gcs']],
    ['none where a project and a bucket are named', GOOGLE, { 'google.project': 'acme', 'gcs.bucket': 'b' }, []],
    ['none for what has an address', GOOGLE, { 'pubsub.emulator': 'h:1', 'bigquery.restUrl': 'http://h' }, ['gcs']],
  ])('are needed: %s', (_, places, values, expected) => {
    expect(neededStandIns(places, values)).toEqual(expected);
  });

  it.each([
    [['status'], GOOGLE, /pubsub, bigquery, gcs/],
    [['query', 'SELECT 1'], { warehouse: 'bigquery' }, /\(bigquery\)/],
    [['dead-letters', 'list'], { storage: 'gcs' }, /\(gcs\)/],
    [['warehouse', 'plan'], GOOGLE, /\(bigquery\)/],
  ])('that ended with their pipeline are named by %j, with what to do', async (args, places, names) => {
    const state = used(places);
    const ran = await commandLine([...args, '--state', state]);
    expect([ran.code, ran.out, ran.err]).toEqual([1, '', expect.stringMatching(names)]);
    expect(ran.err).toMatch(/run «npm start» with the same --state first.*\[stand_ins_ended\]/);
    expect(readdirSync(state)).toEqual(['settings.json']);
  });
});
