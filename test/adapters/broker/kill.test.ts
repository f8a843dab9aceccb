import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { openEmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { ack } from '#core/disposition.ts';
import { seededRandom, seedFromEnvironment } from '#test/kit/random.ts';
import { KILL_SUBSCRIPTIONS } from './kill-child.ts';

const CHILD = fileURLToPath(new URL('./kill-child.ts', import.meta.url));
const LIVES = 8;

let folder: string;
let path: string;
let log: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'broker-kill-'));
  path = join(folder, 'broker.db');
  log = join(folder, 'log');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs a child, and kills it `afterMs` after it has begun to work. */
async function liveAndDie(life: number, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [CHILD, path, log, String(life)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)));
  await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  await systemClock.sleep(afterMs);
  child.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');
}

interface Account {
  readonly published: ReadonlySet<string>;
  readonly done: ReadonlyMap<string, Set<string>>;
}

function readLog(): Account {
  const published = new Set<string>();
  const done = new Map(KILL_SUBSCRIPTIONS.map(({ name }) => [name, new Set<string>()]));
  for (const line of readFileSync(log, 'utf8').split('\n')) {
    const [kind, first, second] = line.split(' ');
    if (kind === 'p' && first) published.add(first);
    if (kind === 'd' && first && second) done.get(first)?.add(second);
  }
  return { published, done };
}

/** Consumes what is left in the file, and adds it to what is done. */
async function finish(account: Account): Promise<void> {
  const broker = await openEmbeddedBroker({ path, clock: systemClock, random: seededRandom(1) });
  const consumers = KILL_SUBSCRIPTIONS.map((spec) =>
    broker.consume(spec, async (batch) => {
      for (const { body } of batch) account.done.get(spec.name)?.add(Buffer.from(body).toString().trimEnd());
      return batch.map(() => ack);
    }),
  );
  while (!broker.isIdle()) await systemClock.sleep(10);
  for (const consumer of consumers) await consumer.drain(1_000);
  await broker.close();
}

function lost({ published, done }: Account): readonly string[] {
  return KILL_SUBSCRIPTIONS.flatMap(({ name, lane }) =>
    [...published].filter((id) => id.startsWith(lane) && !done.get(name)?.has(id)).map((id) => `${name} ${id}`),
  );
}

describe('kill -9', () => {
  const seed = seedFromEnvironment(7);

  it(`loses no acknowledged publish and no unacked message, whenever the process dies (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    for (let life = 0; life < LIVES; life++) await liveAndDie(seed * 100 + life, random.below(250));
    const account = readLog();
    const doneBefore = [...account.done.values()].reduce((sum, ids) => sum + ids.size, 0);
    await finish(account);
    expect(account.published.size).toBeGreaterThan(100);
    expect(doneBefore).toBeGreaterThan(100);
    expect(lost(account)).toEqual([]);
  });

  it('counts a delivery that killed the process as an attempt', async () => {
    await liveAndDie(seed, 100);
    const broker = await openEmbeddedBroker({ path, clock: systemClock, random: seededRandom(1) });
    const attempts: number[] = [];
    for (const spec of KILL_SUBSCRIPTIONS) {
      broker.consume(spec, async (batch) => {
        attempts.push(...batch.map(({ deliveryAttempts }) => deliveryAttempts));
        return batch.map(() => ack);
      });
    }
    while (!broker.isIdle()) await systemClock.sleep(10);
    await broker.close();
    expect(Math.max(...attempts)).toBe(2);
  });
});
