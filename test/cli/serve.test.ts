/** `tributary serve` as a container has it: a process of its own, told by the environment and by signals. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freshFolder } from '#test/flow/kit.ts';
import { freePort } from '#tools/free-port.ts';
import { startFakeSecrets } from '#test/adapters/secrets/fake.ts';
import { silentServer } from '#test/runtime/cloud/kit.ts';
import { openDialpad } from '#tools/simulators/dialpad/index.ts';
import { createWorld } from '#tools/simulators/world/index.ts';
import { tributary } from './kit.ts';

const MAIN = join(import.meta.dirname, '../../cli/main.ts');
const GOOGLE = { TRIBUTARY_BROKER: 'pubsub', TRIBUTARY_WAREHOUSE: 'bigquery', TRIBUTARY_STORAGE: 'gcs', TRIBUTARY_GOOGLE_PROJECT: 'p', TRIBUTARY_GCS_BUCKET: 'b' }; // prettier-ignore

let folder: string;
let ends: (() => unknown)[] = [];
beforeEach(() => {
  const fresh = freshFolder();
  folder = fresh.folder;
  ends = [fresh.remove];
});
afterEach(async () => {
  for (const end of ends.reverse()) await end();
});

interface Process {
  readonly url: string;
  said(): string;
  /** Its exit code, and how long it took. */
  end(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly tookMs: number }>;
}

async function started(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Process> {
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, [MAIN, 'serve', ...args], {
    cwd: folder,
    env: { ...process.env, METADATA_SERVER_DETECTION: 'none', PORT: String(port), ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (part: Buffer) => (said += part.toString()));
  ends.push(() => child.kill('SIGKILL'));
  return {
    url: `http://127.0.0.1:${port}`,
    said: () => said,
    async end(signal) {
      const startedMs = performance.now();
      const exited = once(child, 'exit');
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return { code, tookMs: performance.now() - startedMs };
    },
  };
}

async function untilStatus({ url }: Process, path: string, status: number): Promise<unknown> {
  for (;;) {
    const answer = await fetch(`${url}${path}`).catch(() => undefined);
    if (answer?.status === status) return answer.json();
    await sleep(20);
  }
}

describe('a service that cannot be served', () => {
  it.each([
    ['has no such name', ['bq-writr'], 2, 'services names bq-writr; known are archiver, bq-writer'],
    ['has no configured source', ['ingest-dialpad'], 1, '[service_off]'],
    ['is off by a switch', ['archiver'], 1, '[service_off]'],
    ['takes no pushes', ['normalizer', '--part', 'routes'], 1, '[no_routes]'],
  ])('that %s is said so', async (_, args, code, text) => {
    const ran = await tributary(['serve', ...args]);
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(text)]);
  });

  it('for settings that are none tells all of them, and no secret', async () => {
    const ran = await tributary(['serve', 'normalizer', 'ingest-salesforce'], {
      TRIBUTARY_BROKER: 'carrier-pigeon',
      TRIBUTARY_WEB_PORT: 'no-port',
      TRIBUTARY_SALESFORCE_CLIENT_SECRET: 's3cret',
    });
    expect(ran.code).toBe(2);
    for (const name of ['TRIBUTARY_BROKER', 'TRIBUTARY_WEB_PORT', 'TRIBUTARY_SALESFORCE_CLIENT_ID'])
      expect(ran.err).toContain(name);
    expect(ran.err).not.toContain('s3cret');
  });
});

describe('a process in the cloud', () => {
  it('that cannot reach its broker is alive and not ready, says why, leaves nothing on disk, and ends when told to', async () => {
    const silent = await silentServer();
    ends.push(() => silent.close());
    const one = await started(['normalizer'], { ...GOOGLE, TRIBUTARY_PUBSUB_EMULATOR: silent.address });
    expect(await untilStatus(one, '/livez', 200)).toEqual({ alive: true });
    await silent.asked;
    expect(await untilStatus(one, '/readyz', 503)).toMatchObject({ phase: 'starting', waitsFor: 'broker' });
    expect(await one.end('SIGTERM')).toMatchObject({ code: 0 });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('becomes ready, logs to standard output, and drains within its time with exit code 0', async () => {
    const one = await started(['normalizer', 'resolver'], {
      TRIBUTARY_STATE_FOLDER: join(folder, 'state'),
    });
    expect(await untilStatus(one, '/readyz', 200)).toEqual({
      phase: 'ready',
      services: { normalizer: 'running', resolver: 'running' },
    });
    const { code, tookMs } = await one.end('SIGTERM');
    expect(code, one.said()).toBe(0);
    expect(tookMs).toBeLessThan(5_000);
    const events = one.said().trim().split('\n').map((line) => (JSON.parse(line) as { event: string }).event); // prettier-ignore
    expect(events).toEqual(expect.arrayContaining(['configurationWarned', 'serviceStarted', 'serviceStopped']));
  });
});

describe('a job that cannot be', () => {
  const DIALPAD = { TRIBUTARY_DIALPAD_API_KEY: 'k3y-k3y-k3y', TRIBUTARY_DIALPAD_COMPANY_ID: 'acme' };

  it.each([
    ['of a service that is off', ['ingest-salesforce', 'backfill'], 1, '[service_off]'],
    ['of a command that is none', ['ingest-dialpad', 'refill'], 2, 'it has backfill, reconcile. [unknown_command]'],
    ['without a required argument', ['ingest-dialpad', 'reconcile'], 2, '--since is required'],
    ['with an argument that is none', ['ingest-dialpad', 'backfill', '--objekt', 'x'], 2, 'no argument --objekt'],
  ])('%s says so', async (_, args, code, text) => {
    const ran = await tributary(['job', ...args], { ...DIALPAD, TRIBUTARY_STATE_FOLDER: join(folder, 'state') });
    expect([ran.code, ran.err]).toEqual([code, expect.stringContaining(text)]);
  });

  it('says so in one line of JSON where Cloud Run runs it, without a secret', async () => {
    const ran = await tributary(['job', 'ingest-dialpad', 'backfill'], {
      ...DIALPAD,
      CLOUD_RUN_JOB: 'job',
      CLOUD_RUN_EXECUTION: 'job-x7',
      TRIBUTARY_WAREHOUSE: 'k3y-k3y-k3y',
    });
    expect([ran.code, ran.err]).toEqual([2, '']);
    expect(JSON.parse(ran.out)).toMatchObject({
      severity: 'ERROR',
      code: 'bad_configuration',
      serviceContext: { service: 'ingest-dialpad', version: 'job-x7' },
      message: expect.stringContaining('TRIBUTARY_WAREHOUSE') as string,
    });
    expect(ran.out).not.toContain('k3y-k3y');
  });
});

describe('a secret that cannot be had', () => {
  const DIALPAD = { TRIBUTARY_DIALPAD_COMPANY_ID: 'acme', TRIBUTARY_DIALPAD_API_KEY: 'secret://dialpad-api-key' };

  it('ends the start, and is named', async () => {
    const secrets = await startFakeSecrets();
    ends.push(() => secrets.stop());
    const env = { ...DIALPAD, TRIBUTARY_GOOGLE_PROJECT: 'acme', TRIBUTARY_SECRETS_ENDPOINT: secrets.endpoint };
    const ran = await tributary(['serve', 'ingest-dialpad'], env);
    expect([ran.code, ran.err]).toEqual([1, expect.stringContaining('secrets/dialpad-api-key/versions/latest')]);
    expect(ran.err).toContain('[secret_missing]');
  });

  it('does not keep a process from ending when told to, while Secret Manager keeps silent', async () => {
    const silent = await silentServer();
    ends.push(() => silent.close());
    const env = { ...DIALPAD, TRIBUTARY_GOOGLE_PROJECT: 'acme', TRIBUTARY_SECRETS_ENDPOINT: silent.address };
    const one = await started(['ingest-dialpad'], env);
    await silent.asked;
    const { code, tookMs } = await one.end('SIGTERM');
    expect([code, tookMs < 3_000], one.said()).toEqual([0, true]);
  });
});

describe('a job', () => {
  it('takes its secrets from Secret Manager, reads all of a source, tells how far it is and what came of it', async () => {
    const dialpad = await openDialpad(createWorld({ seed: 4, contacts: 50 }));
    ends.push(() => dialpad.close());
    const secrets = await startFakeSecrets();
    ends.push(() => secrets.stop());
    const name = 'projects/acme/secrets/dialpad-api-key/versions/latest';
    secrets.versions.set(name, new TextEncoder().encode(`${dialpad.apiKey}\n`));
    const ran = await tributary(['job', 'ingest-dialpad', 'backfill'], {
      TRIBUTARY_DIALPAD_BASE_URL: dialpad.baseUrl,
      TRIBUTARY_DIALPAD_API_KEY: 'secret://dialpad-api-key',
      TRIBUTARY_GOOGLE_PROJECT: 'acme',
      TRIBUTARY_SECRETS_ENDPOINT: secrets.endpoint,
      TRIBUTARY_DIALPAD_COMPANY_ID: dialpad.companyId,
      TRIBUTARY_STATE_FOLDER: join(folder, 'state'),
      TRIBUTARY_LOG_FORMAT: 'cloud',
    });
    expect([ran.code, ran.err]).toEqual([0, '']);
    const lines = ran.out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
    const read = dialpad.simulator.company.concludedCalls.length;
    expect(lines.at(-1)).toMatchObject({ severity: 'INFO', result: { kind: 'backfill', read } });
    expect(lines.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['leaseTaken', 'runStarted', 'runFinished']),
    );
    expect(ran.out).not.toContain(dialpad.apiKey);
  });
});
