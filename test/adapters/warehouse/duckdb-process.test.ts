/** DuckDB's file across processes: killed, out of space, or held by another. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { openDuckdbWarehouse, type DuckdbWarehouse } from '#adapters/warehouse/duckdb/index.ts';
import { DependencyDown } from '#core/errors.ts';
import { rowsOf } from '#test/contract/warehouse.ts';
import { THINGS, thing } from '#test/contract/warehouse-things.ts';

const CHILD = fileURLToPath(new URL('./upsert-forever.ts', import.meta.url));
const BATCH_ROWS = 500;

let folder = '';
let path = '';
let child: ChildProcess | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tributary-duckdb-'));
  path = join(folder, 'warehouse.duckdb');
});
afterEach(async () => {
  if (child !== undefined && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  child = undefined;
  rmSync(folder, { recursive: true });
});

async function open(): Promise<DuckdbWarehouse> {
  return openDuckdbWarehouse({ path, clock: systemClock });
}

interface Child {
  readonly process: ChildProcess;
  /** Reads on until a line matches; answers all lines read since the last call. */
  until(matches: RegExp): Promise<string[]>;
  /** Answers what it had still said when it died, by the time a busy machine comes to killing it. */
  kill(): Promise<string[]>;
}

function start(command: string, ...args: readonly string[]): Child {
  const running = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  child = running;
  const lines = createInterface({ input: running.stdout })[Symbol.asyncIterator]();
  return {
    process: running,
    async until(matches) {
      const seen: string[] = [];
      for (let next = await lines.next(); next.done !== true; next = await lines.next()) {
        seen.push(next.value);
        if (matches.test(next.value)) return seen;
      }
      throw new Error('The child ended early.');
    },
    async kill() {
      running.kill('SIGKILL');
      const seen: string[] = [];
      for (let next = await lines.next(); next.done !== true; next = await lines.next()) seen.push(next.value);
      return seen;
    },
  };
}

/** Every batch that was said to be written is there, and every batch whole or not at all. */
async function expectWhole(lastResolved: number): Promise<void> {
  const warehouse = await open();
  const stored = await rowsOf(
    warehouse,
    `SELECT source_sequence AS batch, COUNT(*) AS n, COUNT(DISTINCT id) AS ids
       FROM sales_intelligence_store.things GROUP BY ALL`,
  );
  expect(stored.every(({ n, ids }) => n === BATCH_ROWS && ids === BATCH_ROWS)).toBe(true);
  const batches = stored.map(({ batch }) => batch as number).sort((a, b) => a - b);
  const last = batches.at(-1) ?? 0;
  expect(last).toBeGreaterThanOrEqual(lastResolved);
  expect(last).toBeLessThanOrEqual(lastResolved + 1);
  const held = Math.min(last, 20);
  expect(batches).toEqual(Array.from({ length: held }, (_, index) => last - held + 1 + index));
  expect(await warehouse.upsert(THINGS, [thing('after')])).toEqual([]);
  await warehouse.close();
}

/** The last batch that was said to be written. */
function lastOf(lines: readonly string[], before: number): number {
  return Number(lines.findLast((line) => /^\d+$/.test(line)) ?? before);
}

describe('the DuckDB file', () => {
  it.each([1, 7, 24, 60])('has every resolved upsert, whole, after kill -9 at upsert %i', async (kill) => {
    const running = start(process.execPath, CHILD, path);
    await running.until(new RegExp(`^${kill}$`));
    await expectWhole(lastOf(await running.kill(), kill));
  });

  it('says that the warehouse is down while the disk is full, loses nothing, and goes on once there is space', async (context) => {
    // A limit on the size of files the child may write stands for a full disk: a write fails in the middle of a commit.
    const limited = (work: string): string[] => ['-c', `ulimit -S -f 4000; ${work}`];
    if (spawnSync('bash', limited('true')).status !== 0) return context.skip('needs bash, to limit file sizes with');
    const running = start('bash', ...limited('exec "$0" "$@"'), process.execPath, CHILD, path);
    const lines = await running.until(/^failed/);
    expect(lines.at(-1)).toBe('failed dependency_down');
    const resolved = Number(lines.at(-2));
    expect(resolved).toBeGreaterThan(5);
    await running.until(/^failed dependency_down/);
    const lifted = spawnSync('prlimit', ['--pid', String(running.process.pid), '--fsize=unlimited']).status === 0;
    const went = lifted ? Number((await running.until(new RegExp(`^${resolved + 30}$`))).at(-1)) : resolved;
    await expectWhole(lastOf(await running.kill(), went));
  });

  it('cannot be opened while another process holds it, and the error says which', async () => {
    const running = start(process.execPath, CHILD, path);
    await running.until(/^1$/);
    const opening = open();
    await expect(opening).rejects.toBeInstanceOf(DependencyDown);
    await expect(opening).rejects.toThrow(String(running.process.pid));
  });

  it('cannot be opened twice in one process', async () => {
    const first = await open();
    await expect(open()).rejects.toBeInstanceOf(DependencyDown);
    await first.close();
    await (await open()).close();
  });
});
