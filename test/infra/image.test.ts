/**
 * The image without Docker, which may not be here: what infra/Dockerfile copies is put into a folder, beside the packages
 * that a production install has and no others, and run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { builtinModules } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '#tools/free-port.ts';
import { startBigquerySimulator } from '#tools/simulators/bigquery/index.ts';

const ROOT = join(import.meta.dirname, '../..');
const DOCKERFILE = readFileSync(join(ROOT, 'infra/Dockerfile'), 'utf8');
const LINES = DOCKERFILE.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
const json = (file: string) =>
  JSON.parse(readFileSync(join(ROOT, file), 'utf8')) as Record<string, Record<string, unknown>>;

/** Of the last stage, without what comes from another. */
const COPIED = LINES.slice(LINES.findLastIndex((line) => line.startsWith('FROM')))
  .filter((line) => line.startsWith('COPY') && !line.includes('--from'))
  .flatMap((line) => line.split(/\s+/).slice(1, -1));

/** Top-level packages of `npm ci --omit=dev --omit=optional`, as the lock file marks them. */
function productionPackages(): readonly string[] {
  const packages = json('package-lock.json')['packages'] as Record<string, Record<string, unknown>>;
  const isLeftOut = (marks: Record<string, unknown>): boolean =>
    ['dev', 'optional', 'devOptional'].some((mark) => marks[mark] === true);
  return Object.entries(packages)
    .filter(([path, marks]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path) && !isLeftOut(marks))
    .map(([path]) => path);
}

let image: string;
beforeAll(() => {
  image = mkdtempSync(join(tmpdir(), 'tributary-image-'));
  for (const source of COPIED) cpSync(join(ROOT, source), join(image, source), { recursive: true });
  for (const path of productionPackages()) {
    if (!existsSync(join(ROOT, path))) continue;
    mkdirSync(dirname(join(image, path)), { recursive: true });
    symlinkSync(join(ROOT, path), join(image, path));
  }
});
afterAll(() => rmSync(image, { recursive: true, force: true }));

function started(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess & { said: () => string } {
  const [program = '', ...before] = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(DOCKERFILE)?.[1] ?? '[]') as string[];
  expect(program).toBe('node');
  const child = spawn(process.execPath, [...before, ...args], {
    cwd: image,
    env: { PATH: process.env['PATH'], METADATA_SERVER_DETECTION: 'none', ...env },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (said += part.toString()));
  return Object.assign(child, { said: () => said });
}

describe('infra/Dockerfile', () => {
  it('copies what there is, and nothing else can get into its context', () => {
    const sources = LINES.filter((line) => line.startsWith('COPY') && !line.includes('--from')).flatMap((line) =>
      line.split(/\s+/).slice(1, -1),
    );
    for (const source of sources) expect(existsSync(join(ROOT, source)), source).toBe(true);
    const ignore = readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#')); // prettier-ignore
    expect(ignore[0]).toBe('*');
    expect(new Set(ignore.slice(1))).toEqual(new Set(sources.map((source) => `!${source}`)));
  });

  it('runs the Node that everything is tested with, as nobody in particular, without a shell between', () => {
    expect(/^ARG NODE_VERSION=(.*)$/m.exec(DOCKERFILE)?.[1]).toBe(json('package.json')['dependencies']?.['node']);
    expect(LINES.filter((line) => line.startsWith('USER')).at(-1)).toBe('USER 1000:1000');
    expect(LINES.filter((line) => line.startsWith('ENTRYPOINT'))).toEqual([expect.stringMatching(/^ENTRYPOINT \[/)]);
  });
});

it('everything in the image imports only packages that are installed there, whichever way it goes', () => {
  const { dependencies = {}, devDependencies = {} } = json('package.json');
  const imported = new Set<string>();
  for (const file of globSync('{schemas,core,adapters,services,runtime,cli}/**/*.ts', { cwd: image })) {
    const text = readFileSync(join(image, file), 'utf8');
    for (const [, name = ''] of text.matchAll(
      /(?:^(?:import|export) (?!type )[^;]*?from |\bimport\()'([^'.#][^']*)'/gms,
    ))
      imported.add(name);
  }
  const names = [...imported]
    .filter((name) => !name.startsWith('node:') && !builtinModules.includes(name))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    );
  expect(names.length).toBeGreaterThan(15);
  expect(names.filter((name) => !(name in dependencies))).toEqual([]);
  expect(Object.keys(devDependencies).filter((name) => name in dependencies)).toEqual([]);
});

it('the image’s command line explains itself', async () => {
  const child = started(['serve', '--help']);
  const [code] = (await once(child, 'close')) as [number];
  expect(code, child.said()).toBe(0);
  expect(child.said()).toContain('Usage: tributary serve');
});

it('the image serves every service, writing to BigQuery, and leaves itself as it was', async () => {
  const before = readdirSync(image).sort();
  const state = mkdtempSync(join(tmpdir(), 'tributary-image-state-'));
  const [simulator, port] = [await startBigquerySimulator(), await freePort()];
  const child = started(['serve', 'bq-writer', 'resolver', 'normalizer', 'archiver', 'ingest-dialpad'], {
    PORT: String(port),
    TRIBUTARY_STATE_FOLDER: state,
    TRIBUTARY_WAREHOUSE: 'bigquery',
    TRIBUTARY_BIGQUERY_REST_URL: simulator.restUrl,
    TRIBUTARY_BIGQUERY_GRPC_ENDPOINT: simulator.grpcEndpoint,
    TRIBUTARY_ARCHIVE_ENABLED: 'true',
    TRIBUTARY_DIALPAD_BASE_URL: 'http://127.0.0.1:1',
    TRIBUTARY_DIALPAD_API_KEY: 'k3y-of-nobody',
    TRIBUTARY_DIALPAD_COMPANY_ID: 'acme',
    TRIBUTARY_OTEL_ENDPOINT: 'http://127.0.0.1:1',
  });
  try {
    for (;;) {
      if (child.exitCode !== null) throw new Error(child.said());
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
      if (answer?.ok === true) break;
      await sleep(50);
    }
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await exited, child.said()).toEqual([0, null]);
    expect(readdirSync(image).sort()).toEqual(before);
  } finally {
    child.kill('SIGKILL');
    await simulator.stop();
    rmSync(state, { recursive: true, force: true });
  }
});
