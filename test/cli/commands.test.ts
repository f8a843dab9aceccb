import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFileObjects } from '#adapters/objects/files.ts';
import { Codec } from '#core/codec.ts';
import { serveSocket, socketPath } from '#runtime/socket.ts';
import { freshFolder, startRiver, type River } from '#test/flow/kit.ts';
import { namesOf } from '#test/kit/raw-events.ts';
import { openDialpad, type DialpadVendor } from '#tools/simulators/dialpad/index.ts';
import { createWorld } from '#tools/simulators/world/index.ts';
import { lastJson, tributary, type Ran } from './kit.ts';

const { folder, remove } = freshFolder();
let river: River;
let dialpad: DialpadVendor;
let calls: number;
const cli = (...args: string[]): Promise<Ran> => tributary([...args, '--state', folder]);

/** What no mapper knows, so that there is something to list. */
async function poison(to: River, id: string): Promise<void> {
  const envelope = {
    source: 'dialpad', instance: 'acme', object: 'unicorn', id, operation: 'upsert', lane: 'live', runId: null, observedAtMicros: 1, changedAtMicros: null, trace: 't', hint: null,
    version: { epoch: 0, sourceSequence: 1, issuedMicros: 1, generation: 0 },
  } as const; // prettier-ignore
  await to.runtime.broker.port.publish(
    'raw.dialpad',
    [new Codec().encodeRaw('dialpad', { envelope, record: '{"a":1}' })],
    'kill',
  );
  await to.untilIdle();
}

beforeAll(async () => {
  dialpad = await openDialpad(createWorld({ seed: 4, contacts: 200 }));
  calls = dialpad.simulator.company.concludedCalls.length;
  river = await startRiver({
    folder,
    values: {
      'dialpad.baseUrl': dialpad.baseUrl,
      'dialpad.apiKey': dialpad.apiKey,
      'dialpad.companyId': dialpad.companyId,
      'dialpad.webhookSecrets': dialpad.webhookSecret,
      'archive.enabled': 'true',
      'archive.liveLingerMs': '0',
      'archive.bulkLingerMs': '0',
    },
  });
  await river.untilIdle();
  await poison(river, '1');
});
afterAll(async () => {
  await dialpad.close();
  remove();
});

const COUNT = 'SELECT count(*)::INT AS calls FROM dialpad_calls';

/** The same commands with the same answers, whether a pipeline runs on the folder or not. */
function commands(): void {
  it('query answers in a table, and as JSON', async () => {
    expect(lastJson(await cli('query', COUNT, '--json'))).toEqual([{ calls }]);
    expect((await cli('query', COUNT)).out).toContain(String(calls));
  });

  it.each([
    'DELETE FROM sales_intelligence_store.calls',
    'DROP VIEW sales_intelligence.dialpad_calls',
    `COPY (SELECT 1) TO 'stolen.csv'`,
    'SELECT 1; DELETE FROM sales_intelligence_store.calls',
    'SELEKT',
  ])('query refuses «%s» with exit code 1', async (sql) => {
    const ran = await cli('query', sql);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^tributary: /);
    expect(lastJson(await cli('query', COUNT, '--json'))).toEqual([{ calls }]);
  });

  it('status tells rows, matches and dead letters', async () => {
    expect(lastJson(await cli('status', '--json'))).toMatchObject({
      tables: { dialpad_calls: calls },
      deadLetters: { no_mapper: 1 },
    });
    expect((await cli('status')).out).toContain('dialpad_calls');
  });

  it('dead-letters list, show and replay --dry-run agree', async () => {
    const groups = lastJson(await cli('dead-letters', 'list', '--json')) as {
      readonly code: string;
      readonly examples: string[];
    }[];
    expect(groups).toMatchObject([{ service: 'normalizer', code: 'no_mapper', letters: 1 }]);
    const shown = await cli('dead-letters', 'show', groups[0]?.examples[0] ?? '', '--json');
    expect(lastJson(shown)).toMatchObject({ code: 'no_mapper', decoded: { envelope: { object: 'unicorn' } } });
    expect(lastJson(await cli('dead-letters', 'replay', '--all', '--dry-run', '--json'))).toMatchObject({
      matched: 1,
      replayed: 0,
      dryRun: true,
    });
  });

  it('replay --from counts what is archived, or sends it again, which changes no row', async () => {
    const counted = lastJson(await cli('replay', '--from', '2020-01-01', '--dry-run', '--json')) as { events: number };
    expect(counted).toMatchObject({ generation: null, unmapped: 1, damaged: [] });
    const ran = await cli('replay', '--from', '2020-01-01', '--entity', 'call');
    expect([ran.code, ran.out]).toEqual([0, expect.stringMatching(/ were sent again, with generation \d/)]);
    expect(lastJson(await cli('query', COUNT, '--json'))).toEqual([{ calls }]);
    expect(counted.events).toBeGreaterThanOrEqual(calls);
  });

  it('an id that is not there is exit code 1 with what to do', async () => {
    const ran = await cli('dead-letters', 'show', 'nowhere');
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('see dead-letters list')]);
  });
}

describe('the command line while the pipeline runs', () => {
  let close: () => Promise<void>;
  beforeAll(async () => {
    close = await serveSocket(folder, river.runtime);
  });
  afterAll(async () => {
    await close();
    await river.stop();
  });

  it('its socket is the owner’s alone', () => {
    expect(statSync(socketPath(folder)).mode & 0o777).toBe(0o600);
  });

  it('a second pipeline on the folder refuses to start', async () => {
    await expect(serveSocket(folder, river.runtime)).rejects.toMatchObject({ code: 'already_running' });
  });

  it('backfill runs in the pipeline and answers what it read', async () => {
    const ran = await cli('backfill', 'dialpad', '--json');
    expect([ran.code, ran.err]).toEqual([0, expect.not.stringContaining('tributary:')]);
    expect(JSON.stringify(lastJson(ran))).toContain(String(calls));
    await river.untilIdle();
  });

  commands();
});

describe('the command line while nothing runs', () => {
  commands();

  it('backfill starts the stages for itself, and leaves when all has arrived', async () => {
    const env = {
      TRIBUTARY_DIALPAD_BASE_URL: dialpad.baseUrl,
      TRIBUTARY_DIALPAD_API_KEY: dialpad.apiKey,
      TRIBUTARY_DIALPAD_COMPANY_ID: dialpad.companyId,
      TRIBUTARY_DIALPAD_WEBHOOK_SECRETS: dialpad.webhookSecret,
    };
    const ran = await tributary(['backfill', 'dialpad', '--json', '--state', folder], {
      ...env,
      TRIBUTARY_WEB_PORT: '0',
    });
    expect([ran.code, ran.err]).toEqual([0, expect.not.stringContaining('tributary:')]);
    expect(lastJson(await cli('query', COUNT, '--json'))).toEqual([{ calls }]);
  });

  it('drop forgets what is parked, and the count is zero', async () => {
    expect(lastJson(await cli('dead-letters', 'drop', '--all', '--json'))).toMatchObject({ dropped: 1 });
    expect(lastJson(await cli('dead-letters', 'list', '--json'))).toEqual([]);
  });

  it('replay of an archive with a damaged file names it, and is exit code 1', async () => {
    const objects = await openFileObjects(join(folder, 'objects'));
    const [name = ''] = await namesOf(objects, 'archive/');
    await objects.put(name, Buffer.from('Obj'));
    const ran = await cli('replay', '--from', '2020-01-01', '--dry-run');
    expect([ran.code, ran.out]).toEqual([1, expect.stringContaining(name)]);
  });

  it('a folder where nothing is says so', async () => {
    const ran = await tributary(['status', '--state', `${folder}-elsewhere`]);
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('run «npm start» first')]);
  });
});

describe('wrong usage', () => {
  it.each([
    [['dead-letters', 'replay']],
    [['query']],
    [['unheard-of']],
    [['backfill', 'netscape']],
    [['query', 'SELECT 1', '--rows', 'many']],
    [['reconcile', 'dialpad']],
    [['reconcile', 'dialpad', '--since', 'yesterday']],
    [['start', '--sources', 'netscape']],
    [['replay', '--from', '2026-11-20', '--entity', 'unicorn']],
  ])('%j is wrong usage: exit code 2', async (args) => {
    const ran = await cli(...args);
    expect(ran.code).toBe(2);
    expect(ran.err).not.toBe('');
  });
});

describe('help', () => {
  it.each([
    [[]],
    [['start']],
    [['backfill']],
    [['reconcile']],
    [['replay']],
    [['dead-letters']],
    [['dead-letters', 'list']],
    [['dead-letters', 'show']],
    [['dead-letters', 'replay']],
    [['dead-letters', 'drop']],
    [['query']],
    [['status']],
    [['topology']],
    [['warehouse', 'plan']],
    [['warehouse', 'apply']],
    [['doctor']],
  ])('tributary %j --help explains itself and exits 0', async (args) => {
    const ran = await tributary([...args, '--help']);
    expect([ran.code, ran.out]).toEqual([0, expect.stringContaining('Usage: tributary')]);
  });

  it('topology draws every service', async () => {
    const ran = await tributary(['topology']);
    for (const name of ['ingest-salesforce', 'ingest-dialpad', 'normalizer', 'resolver', 'bq-writer'])
      expect(ran.out).toContain(`${name}: `);
    expect(lastJson(await tributary(['topology', '--json']))).toMatchObject({
      topics: expect.arrayContaining(['raw.salesforce']) as unknown,
    });
  });
});
