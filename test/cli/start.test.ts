/** `tributary start` as a user has it: a process of its own, with the simulated vendors beside it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshFolder } from '#test/flow/kit.ts';
import { lastJson, tributary } from './kit.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');
const { folder, remove } = freshFolder();
afterAll(remove);

interface Started {
  readonly child: ChildProcess;
  text(): string;
  /** Until the output has `part`. */
  shows(part: string): Promise<void>;
}

function start(): Started {
  const child = spawn(process.execPath, [MAIN, 'start', '--state', folder, '--contacts', '60']);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (text += part.toString()));
  return {
    child,
    text: () => text,
    async shows(part) {
      while (!text.includes(part) && child.exitCode === null) await sleep(20);
      expect(text).toContain(part);
    },
  };
}

async function stopped({ child }: Started, ...signals: readonly NodeJS.Signals[]): Promise<number | null> {
  const exit = once(child, 'exit');
  for (const signal of signals) child.kill(signal);
  return ((await exit) as [number | null])[0];
}

async function rows(sql: string): Promise<unknown> {
  return lastJson(await tributary(['query', sql, '--json', '--state', folder]));
}

const RUNS = `SELECT run_source, run_object, count(*)::INT AS runs FROM etl_runs WHERE kind = 'backfill' AND state = 'succeeded' GROUP BY ALL ORDER BY ALL`;
const CONTACTS = 'SELECT count(*)::INT AS contacts, count(DISTINCT id)::INT AS ids FROM sf_contacts';

describe('a start', () => {
  let synced: unknown;

  it('stops with exit code 0 on a Ctrl-C that arrives twice, in the middle of the first sync', async () => {
    const river = start();
    await river.shows('Tributary runs');
    expect(await stopped(river, 'SIGINT', 'SIGINT')).toBe(0);
  });

  it('goes on where it stopped, and refuses a second one on its folder', async () => {
    const summary = await tributary(['start', '--until-idle', '--json', '--state', folder, '--contacts', '60', '--changes', '5']); // prettier-ignore
    expect([summary.code, summary.err]).toEqual([0, '']);
    expect(Object.keys(lastJson(summary) as object).sort()).toEqual(
      ['changeToRowMs', 'deadLetters', 'durationMs', 'events', 'matches', 'peakMemoryBytes', 'rowsPerSecond', 'tables'], // prettier-ignore
    );
    synced = await rows(RUNS);
    expect(synced).toHaveLength(8);
    const river = start();
    await river.shows('Tributary runs');
    const second = await tributary(['start', '--state', folder]);
    expect([second.code, second.err]).toEqual([1, expect.stringContaining('[already_running]')]);
    expect(await stopped(river, 'SIGTERM')).toBe(0);
  });

  it('syncs no second time, and duplicates no row', async () => {
    expect(await rows(RUNS)).toEqual(synced);
    const [counted] = (await rows(CONTACTS)) as { contacts: number; ids: number }[];
    expect(counted?.contacts).toBe(counted?.ids);
  });

  it('prints plain lines where nobody looks', async () => {
    const river = start();
    await river.shows('events ');
    expect(await stopped(river, 'SIGINT')).toBe(0);
    // eslint-disable-next-line no-control-regex
    expect(river.text()).not.toMatch(/\u001b/);
  });
});

const REAL = {
  TRIBUTARY_SALESFORCE_INSTANCE_URL: 'https://acme.my.salesforce.example',
  TRIBUTARY_DIALPAD_COMPANY_ID: 'acme',
};

describe('a start that cannot be', () => {
  beforeAll(() => writeFileSync(join(folder, 'file'), ''));

  it('says so of a state folder that cannot be made', async () => {
    const ran = await tributary(['start', '--state', join(folder, 'file/below')]);
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('give another with --state. [state_folder]')]);
  });

  it('tells all that is missing of a source at once, and exits 2', async () => {
    const ran = await tributary(['start', '--state', join(folder, 'other')], REAL);
    expect(ran.code).toBe(2);
    for (const name of ['SALESFORCE_CLIENT_ID', 'DIALPAD_API_KEY']) expect(ran.err).toContain(`TRIBUTARY_${name}`);
  });

  it('keeps real and simulated sources apart: the simulators’ secrets never complete a real source’s', async () => {
    const ran = await tributary(['start', '--state', folder], REAL);
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('[simulated_state]')]);
  });

  it('does not mix a simulated company into what real sources left', async () => {
    const real = join(folder, 'real');
    mkdirSync(real);
    writeFileSync(join(real, 'broker.sqlite'), '');
    const ran = await tributary(['start', '--state', real]);
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('[real_state]')]);
  });

  it.each([
    ['is not there', undefined],
    ['is not JSON', '{"salesforce": {"clientSecret": "s3cret"'],
    ['sets what is no setting', '{"salesforce": {"clientID": "x"}}'],
  ])('a configuration file that %s is wrong usage, without its secrets', async (_, text) => {
    const file = join(folder, 'config.json');
    rmSync(file, { force: true });
    if (text !== undefined) writeFileSync(file, text);
    const ran = await tributary(['start', '--state', join(folder, 'other'), '--config', file]);
    expect([ran.code, ran.err]).toEqual([2, expect.stringContaining(file)]);
    expect(ran.err).not.toContain('s3cret');
  });
});
