import { afterAll, beforeAll, expect, it } from 'vitest';
import { rawMessage } from '#test/kit/raw-events.ts';
import { freshFolder, startRiver } from '#test/flow/kit.ts';
import { commandLine, lastJson, type Ran } from './kit.ts';

const { folder, remove } = freshFolder();
const ID = '003000000000001AAA';
const NAMES = 'SELECT last_name, deleted FROM sales_intelligence_store.contacts';
const cli = (...args: string[]): Promise<Ran> => commandLine([...args, '--state', folder]);

beforeAll(async () => {
  const river = await startRiver({ folder, values: {} });
  const record = JSON.stringify({ Id: ID, LastName: 'Lovelace' });
  await river.runtime.broker.port.publish('raw.salesforce', [rawMessage({ id: ID, record })], 'kill');
  await river.untilIdle();
  await river.stop();
});
afterAll(remove);

it.each([
  [['erase', 'salesforce', 'Contact', ID, '--instance', 'acme'], 'give --dry-run to count, or --yes'],
  [['erase', 'salesforce', 'Contact', ID, '--instance', 'acme', '--yes', '--dry-run'], 'give --dry-run to count'],
  [['erase', 'salesforce', 'Contact', ID, '--yes'], "required option '--instance"],
  [['erase', 'salesforce', 'Contact', '--instance', 'acme', '--yes'], "missing required argument 'ids'"],
  [['erase', 'netscape', 'Contact', ID, '--instance', 'acme', '--yes'], 'Allowed choices'],
  [['erase', 'salesforce', 'contact', ID, '--instance', 'acme', '--yes'], 'No mapper knows «contact»'],
])('%j is wrong usage, and erases nothing', async (args, why) => {
  const said: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (text) => said.push(String(text)) > 0;
  const ran = await cli(...args).finally(() => (process.stderr.write = write));
  expect(ran.code).toBe(2);
  expect(said.join('') + ran.err).toContain(why);
  expect(lastJson(await cli('query', NAMES, '--json'))).toEqual([{ last_name: 'Lovelace', deleted: false }]);
});

it('a dry run counts, --yes erases with stages of its own where no pipeline runs', async () => {
  const args = ['erase', 'salesforce', 'Contact', ID, '--instance', 'acme'];
  expect((await cli(...args, '--dry-run')).out).toContain('To be erased: 1 record and 0 dead letters.');
  expect(lastJson(await cli('query', NAMES, '--json'))).toMatchObject([{ deleted: false }]);
  expect(lastJson(await cli(...args, '--yes', '--json'))).toEqual({ records: 1, deadLetters: 0, dryRun: false });
  expect(lastJson(await cli('query', NAMES, '--json'))).toEqual([{ last_name: null, deleted: true }]);
});
