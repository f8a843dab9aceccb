/** `tributary doctor`: each fault that is planted is named, with what to do; and nothing else is. */
import { join } from 'node:path';
import { chmodSync, mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saveSettings } from '#cli/simulators.ts';
import type { Reported } from '#runtime/doctor/index.ts';
import { freshFolder } from '#test/flow/kit.ts';
import { freePort } from '#tools/free-port.ts';
import { silentServer } from '#test/runtime/cloud/kit.ts';
import { startFakeSecrets, type FakeSecrets } from '#test/adapters/secrets/fake.ts';
import { openDialpad, type DialpadVendor } from '#tools/simulators/dialpad/index.ts';
import { startSalesforce, type Salesforce } from '#tools/simulators/salesforce/start.ts';
import { createWorld } from '#tools/simulators/world/index.ts';
import { commandLine, lastJson, tributary } from './kit.ts';

type Env = Readonly<Record<string, string>>;

const { folder, remove } = freshFolder();
afterAll(remove);

/** What was found, by check; of several findings of one check, those that are not ok. */
async function doctor(
  env: Env,
  ...args: string[]
): Promise<{ readonly code: number | null; readonly found: readonly Reported[] }> {
  const ran = await commandLine(['doctor', '--json', ...args], { METADATA_SERVER_DETECTION: 'none', TRIBUTARY_STATE_FOLDER: join(folder, 'state'), ...env }); // prettier-ignore
  return { code: ran.code, found: lastJson(ran) as readonly Reported[] };
}

function of(found: readonly Reported[], check: string): readonly Reported[] {
  return found.filter((each) => each.check === check);
}

const verdicts = (found: readonly Reported[], ...among: readonly string[]): readonly string[] =>
  found.filter(({ verdict }) => among.includes(verdict)).map(({ check }) => check);

describe('what is wrong with the configuration', () => {
  it('is told all at once, with what can be said without it, and without a secret', async () => {
    const { code, found } = await doctor({
      TRIBUTARY_BROKER: 'pigeon',
      TRIBUTARY_WEB_PORT: 'none',
      TRIBUTARY_DIALPAD_API_KEY: 's3cret-key',
    });
    expect(code).toBe(1);
    const texts = of(found, 'configuration').map(({ what }) => what).join('\n'); // prettier-ignore
    for (const name of ['TRIBUTARY_BROKER', 'TRIBUTARY_WEB_PORT', 'TRIBUTARY_DIALPAD_COMPANY_ID'])
      expect(texts).toContain(name);
    expect(JSON.stringify(found)).not.toContain('s3cret-key');
    expect(verdicts(found, 'ok')).toEqual(['node']);
  });

  it('in the cloud is also that something durable would be in a container', async () => {
    const { code, found } = await doctor({}, '--runtime', 'cloud');
    expect([code, verdicts(found, 'warning')]).toEqual([0, ['configuration']]);
  });

  it('is of the folder that was named, in the cloud too', async () => {
    for (const runtime of ['embedded', 'cloud']) {
      const { found } = await doctor({}, '--runtime', runtime, '--state', join(folder, 'named'));
      expect(of(found, 'state folder')[0]?.what, runtime).toContain(join(folder, 'named'));
    }
  });

  it('is not that a stand-in of Google’s is still to be started', async () => {
    const { code, found } = await doctor({ TRIBUTARY_BROKER: 'pubsub', TRIBUTARY_WAREHOUSE: 'bigquery', TRIBUTARY_STORAGE: 'gcs' }); // prettier-ignore
    expect([code, verdicts(found, 'failed', 'warning')]).toEqual([0, []]);
    for (const check of ['broker', 'warehouse', 'storage'])
      expect(of(found, check)).toMatchObject([
        { verdict: 'skipped', what: expect.stringContaining('npm start') as string },
      ]);
  });
});

describe('the state folder', () => {
  it('is told to be open to others', async () => {
    const open = join(folder, 'open');
    mkdirSync(open);
    chmodSync(open, 0o755);
    const { found } = await doctor({ TRIBUTARY_STATE_FOLDER: open });
    expect(of(found, 'state folder')).toMatchObject([{ verdict: 'ok' }, { verdict: 'warning', todo: expect.stringContaining('chmod 700') as string }]); // prettier-ignore
  });

  it('that cannot be made is a failure', async () => {
    const { code, found } = await doctor({ TRIBUTARY_STATE_FOLDER: join(import.meta.filename, 'state') });
    expect([code, verdicts(found, 'failed')]).toEqual([1, ['state folder']]);
  });

  it('of simulated vendors has none to ask while no pipeline runs', async () => {
    const simulated = join(folder, 'simulated');
    mkdirSync(simulated, { mode: 0o700 });
    saveSettings(simulated, { 'dialpad.baseUrl': 'http://127.0.0.1:1', 'dialpad.apiKey': 'k', 'dialpad.companyId': 'c' }); // prettier-ignore
    const { code, found } = await doctor({ TRIBUTARY_STATE_FOLDER: simulated });
    expect([code, of(found, 'source dialpad')]).toMatchObject([0, [{ verdict: 'skipped' }]]);
  });
});

describe('sources', () => {
  let dialpad: DialpadVendor;
  let salesforce: Salesforce;
  let secrets: FakeSecrets;
  let dialpadEnv: Env;
  let salesforceEnv: Env;
  beforeAll(async () => {
    const world = createWorld({ seed: 4, contacts: 20 });
    [dialpad, salesforce, secrets] = [
      await openDialpad(world),
      await startSalesforce(world, { stateDir: join(folder, 'vendor') }),
      await startFakeSecrets(),
    ];
    dialpadEnv = {
      TRIBUTARY_DIALPAD_BASE_URL: dialpad.baseUrl,
      TRIBUTARY_DIALPAD_API_KEY: dialpad.apiKey,
      TRIBUTARY_DIALPAD_COMPANY_ID: dialpad.companyId,
      TRIBUTARY_DIALPAD_WEBHOOK_SECRETS: dialpad.webhookSecret,
      TRIBUTARY_GOOGLE_PROJECT: 'acme',
      TRIBUTARY_SECRETS_ENDPOINT: secrets.endpoint,
    };
    const { instanceUrl, clientId, clientSecret, grpcEndpoint, caFile } = salesforce.urls;
    salesforceEnv = {
      TRIBUTARY_SALESFORCE_INSTANCE_URL: instanceUrl,
      TRIBUTARY_SALESFORCE_CLIENT_ID: clientId,
      TRIBUTARY_SALESFORCE_CLIENT_SECRET: clientSecret,
      TRIBUTARY_SALESFORCE_GRPC_ENDPOINT: grpcEndpoint,
      TRIBUTARY_VENDOR_CA_FILE: caFile,
    };
  });
  afterAll(async () => {
    secrets.stop();
    await Promise.all([dialpad.close(), salesforce.close()]);
  });

  it('that answer are well, and the clock is compared with theirs', async () => {
    const { code, found } = await doctor({ ...dialpadEnv, ...salesforceEnv });
    expect([code, verdicts(found, 'failed', 'warning')]).toEqual([0, []]);
    for (const check of ['source dialpad', 'source salesforce', 'clock'])
      expect(of(found, check)).toMatchObject([{ verdict: 'ok' }]);
  });

  it('are only read: a token, and one request each', async () => {
    await doctor(salesforceEnv);
    expect(salesforce.org.traffic.last.slice(-2).map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /services/oauth2/token', 'GET /services/data/v62.0/limits']); // prettier-ignore
  });

  it.each([
    [
      'a key that Dialpad refuses',
      { TRIBUTARY_DIALPAD_API_KEY: 'wr0ng-key' },
      'source dialpad',
      /401/,
      /Renew dialpad\.apiKey/,
    ],
    [
      'a host of Dialpad that is not there',
      { TRIBUTARY_DIALPAD_BASE_URL: 'http://127.0.0.1:1' },
      'source dialpad',
      /127\.0\.0\.1.*ECONNREFUSED/,
      /address among the settings/,
    ],
    [
      'a secret that Salesforce refuses',
      { TRIBUTARY_SALESFORCE_CLIENT_SECRET: 'wr0ng-key' },
      'source salesforce',
      /refused the credentials/,
      /Check the app/,
    ],
    [
      'a URL that is not safe',
      { TRIBUTARY_SALESFORCE_INSTANCE_URL: 'http://acme.example' },
      'source salesforce',
      /https/,
      /./,
    ],
  ])('%s is named with what to do, and no other', async (_, wrong, check, what, todo) => {
    // prettier-ignore
    const { code, found } = await doctor({ ...dialpadEnv, ...salesforceEnv, ...wrong });
    expect([code, verdicts(found, 'failed')]).toEqual([1, [check]]);
    expect(of(found, check)).toMatchObject([{ what: expect.stringMatching(what) as string, todo: expect.stringMatching(todo) as string }]); // prettier-ignore
    expect(JSON.stringify(found)).not.toContain('wr0ng-key');
  });

  it('that hang keep neither the others nor the process', async () => {
    const silent = await silentServer();
    const started = performance.now();
    const env = { ...dialpadEnv, ...salesforceEnv, TRIBUTARY_DIALPAD_BASE_URL: `http://${silent.address}`, TRIBUTARY_STATE_FOLDER: folder }; // prettier-ignore
    const ran = await tributary(['doctor', '--json', '--within', '2'], env);
    const found = lastJson(ran) as readonly Reported[];
    expect([ran.code, verdicts(found, 'failed')]).toEqual([1, ['source dialpad']]);
    expect(of(found, 'source salesforce')).toMatchObject([{ verdict: 'ok' }]);
    expect(performance.now() - started).toBeLessThan(10_000);
    await silent.close();
  });

  it('whose secret is in Secret Manager are asked with it', async () => {
    secrets.versions.set('projects/acme/secrets/key/versions/latest', new TextEncoder().encode(dialpad.apiKey));
    const { code, found } = await doctor({ ...dialpadEnv, TRIBUTARY_DIALPAD_API_KEY: 'secret://key' });
    expect([code, of(found, 'secret dialpad.apiKey'), of(found, 'source dialpad')]).toMatchObject([0, [{ verdict: 'ok' }], [{ verdict: 'ok' }]]); // prettier-ignore
  });

  it('whose secret cannot be read are not asked, and the secret is named; denied to who looks from outside is a warning', async () => {
    const env = { ...dialpadEnv, TRIBUTARY_DIALPAD_API_KEY: 'secret://lost' };
    const lost = await doctor(env);
    expect([lost.code, verdicts(lost.found, 'failed')]).toEqual([1, ['secret dialpad.apiKey']]);
    expect(of(lost.found, 'secret dialpad.apiKey')[0]?.what).toContain('secrets/lost/versions/latest');
    expect(of(lost.found, 'source dialpad')).toMatchObject([{ verdict: 'skipped' }]);
    secrets.versions.set('projects/acme/secrets/lost/versions/latest', 7);
    const denied = await doctor(env, '--runtime', 'cloud');
    expect([denied.code, verdicts(denied.found, 'failed')]).toEqual([0, []]);
    expect(of(denied.found, 'secret dialpad.apiKey')).toMatchObject([{ verdict: 'warning', todo: expect.stringContaining('secretAccessor') as string }]); // prettier-ignore
  });

  it('that push need a receiver at its address: ours is known, another is not, and nobody is', async () => {
    const { createExpressWeb } = await import('#adapters/web/express.ts');
    const { systemClock } = await import('#adapters/clock/system.ts');
    const route = { path: '/webhooks/dialpad', method: 'POST', bodyLimitBytes: 10, answerWithinMs: 100 } as const;
    const ours = await createExpressWeb({ clock: systemClock }).listen({ host: '127.0.0.1', port: 0 }, [{ ...route, handler: async () => ({ status: 500 }) }]); // prettier-ignore
    const at = async (url: string): Promise<unknown> => of((await doctor(dialpadEnv, '--receiver', url)).found, 'receiver'); // prettier-ignore
    expect(await at(ours.url)).toMatchObject([{ verdict: 'warning', what: expect.stringContaining('without TLS') as string }]); // prettier-ignore
    expect(await at(dialpad.baseUrl)).toMatchObject([{ verdict: 'failed', what: expect.stringMatching(/40[14]/) as string }]); // prettier-ignore
    expect(await at(`http://127.0.0.1:${await freePort()}`)).toMatchObject([{ verdict: 'failed', what: expect.stringContaining('ECONNREFUSED') as string }]); // prettier-ignore
    await ours.close(100);
  });
});
