import { mkdtempSync, readdirSync, rmSync, writeFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config';
import { discoverServices } from '#runtime/discover.ts';

const ROOT = join(import.meta.dirname, '..');
const FOLDERS = ['schemas', 'core', 'adapters', 'services', 'runtime', 'cli', 'tools'];

async function violations(paths: readonly string[]): Promise<string[]> {
  const config = await extractConfig(join(ROOT, '.dependency-cruiser.cjs'));
  const { output } = await cruise([...paths], { ...config.options, ruleSet: config, validate: true, baseDir: ROOT });
  return (output as ICruiseResult).summary.violations.map(
    (violation) => `${violation.rule.name}: ${violation.from} → ${violation.to}`,
  );
}

/** Plants a file that imports what it must not, in the real tree, for as long as it is looked at. */
async function violationsWith(file: string, source: string): Promise<string[]> {
  const path = join(ROOT, file);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, source);
  try {
    return await violations([relative(ROOT, path)]);
  } finally {
    rmSync(path);
  }
}

describe('the house', () => {
  it('imports only ever point one way', async () => {
    expect(await violations(FOLDERS)).toEqual([]);
  });

  it.each([
    [
      'a service that imports an adapter',
      'services/normalizer/planted.ts',
      `import '#adapters/clock/system.ts';`,
      'no-service-imports-another',
    ],
    [
      'a service that imports another service',
      'services/normalizer/planted.ts',
      `import '#services/resolver/service.ts';`,
      'no-service-imports-another',
    ],
    [
      'an adapter that imports a service',
      'adapters/clock/planted.ts',
      `import '#services/resolver/service.ts';`,
      'adapters-import-core',
    ],
    ['core that imports an adapter', 'core/planted.ts', `import '#adapters/clock/system.ts';`, 'core-imports-schemas'],
    ['core that reads the disk', 'core/planted.ts', `import 'node:fs';`, 'core-is-pure'],
    ['a schema that imports core', 'schemas/planted.ts', `import '#core/version.ts';`, 'schemas-import-nothing'],
    [
      'a simulator that imports our client',
      'tools/simulators/planted.ts',
      `import '#core/version.ts';`,
      'simulators-know-no-client',
    ],
    ['a runtime that imports the command line', 'runtime/planted.ts', `import '#cli/print.ts';`, 'runtime-knows-both'],
  ])('%s is caught', async (_name, file, source, rule) => {
    expect((await violationsWith(file, source)).map((text) => text.split(':')[0])).toContain(rule);
  });

  it('every folder of services/ is a service of that name', async () => {
    const folders = readdirSync(join(ROOT, 'services')).sort();
    expect((await discoverServices()).map(({ declared }) => declared.name)).toEqual(folders);
  });
});

describe('discovery', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(ROOT, 'test', '.planted-'));
    mkdirSync(join(folder, 'liar'));
    writeFileSync(
      join(folder, 'liar', 'service.ts'),
      `export const service = { declared: { name: 'another' }, start: async () => ({}) };`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('a folder that holds a service of another name refuses to start', async () => {
    await expect(discoverServices(folder)).rejects.toThrow(
      'services/liar/service.ts must export a service named «liar».',
    );
  });
});

describe('the ambient world', () => {
  it('core reads no clock, no randomness and no process', () => {
    const offenders = readdirSync(join(ROOT, 'core'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .filter((file) =>
        /\b(Date\.now\(|new Date\(\)|Math\.random\(|process\.|setTimeout\(|setInterval\()/.test(
          withoutComments(readFileSync(join(ROOT, 'core', file), 'utf8')),
        ),
      );
    expect(offenders).toEqual([]);
  });
});

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/\/\/.*/g, '');
}
