import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '#adapters/clock/system.ts';
import { openEmbeddedBroker, type EmbeddedBroker } from '#adapters/broker/embedded/broker.ts';
import { makeBench, messages, read, spec, text, type Bench } from './kit.ts';
import type { Answer, Order } from './neighbour.ts';

const NEIGHBOUR = new URL('./neighbour.ts', import.meta.url);
const NEXT = spec({ topic: 'next', service: 'next' });
const HALF_MINUTE_MS = 30_000;

interface Neighbour {
  ask(order: Order): Promise<Answer>;
  stop(): Promise<void>;
}

function thread(path: string): Neighbour {
  const worker = new Worker(NEIGHBOUR, { workerData: path });
  return {
    async ask(order) {
      worker.postMessage(order);
      const [answer] = (await once(worker, 'message')) as [Answer];
      return answer;
    },
    stop: async () => void (await worker.terminate()),
  };
}

function overIpc(child: ChildProcess): Neighbour {
  return {
    async ask(order) {
      child.send(order);
      const [answer] = (await once(child, 'message')) as [Answer];
      return answer;
    },
    async stop() {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

const processOn = (path: string): Neighbour => overIpc(fork(fileURLToPath(NEIGHBOUR), [path]));

async function until(condition: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + HALF_MINUTE_MS;
  for (; !condition(); await systemClock.sleep(2)) {
    if (systemClock.monotonicMs() > endMs) throw new Error('The condition did not hold in time.');
  }
}

let bench: Bench;
let broker: EmbeddedBroker;
let neighbour: Neighbour | undefined;

beforeEach(async () => {
  bench = makeBench();
  broker = await openEmbeddedBroker({
    path: bench.path,
    clock: systemClock,
    random: systemRandom,
    retainMs: () => 60_000,
  });
  await broker.ensure(['work', 'next'], [spec(), NEXT]);
});

afterEach(async () => {
  await neighbour?.stop();
  neighbour = undefined;
  await broker.close();
  await bench.end();
});

describe.each([
  ['thread', thread],
  ['process', processOn],
] as const)('another %s on the same file', (_, start) => {
  it('hands on what this one publishes, and this one gets it back', async () => {
    neighbour = start(bench.path);
    await neighbour.ask({ do: 'relay' });
    const seen = read(broker, NEXT);
    for (let round = 0; round < 20; round++) await broker.publish('work', messages(50, `${round}-`), 'kill');
    await until(() => seen.length >= 1_000);
    expect(new Set(seen.map(text)).size).toBe(1_000);
    await until(() => broker.isIdle());
  });

  it('may publish at the same time, and nothing is lost', async () => {
    neighbour = start(bench.path);
    const seen = read(broker, spec());
    const theirs = (async () => {
      for (let round = 0; round < 30; round++)
        await neighbour?.ask({ do: 'publish', topic: 'work', prefix: `their${round}-`, count: 20 });
    })();
    for (let round = 0; round < 30; round++) await broker.publish('work', messages(20, `our${round}-`), 'kill');
    await theirs;
    await until(() => seen.length >= 1_200);
    expect(new Set(seen.map(text)).size).toBe(1_200);
  });

  it('may seek a subscription that this one consumes', async () => {
    neighbour = start(bench.path);
    const beforeMs = systemClock.nowMicros() / 1_000 - 1_000;
    const seen = read(broker, spec());
    await broker.publish('work', messages(10), 'kill');
    await until(() => seen.length === 10);
    await neighbour.ask({ do: 'seek', subscription: spec().name, timeMs: beforeMs });
    await until(() => seen.length === 20);
  });
});

it('refuses publishes when the system refuses to write more, and keeps what it has acknowledged', async () => {
  // `ulimit -f` in blocks of 512 or 1,024 bytes: the file system says no at 2 to 4 MB, in the middle of a page or not.
  const script = `ulimit -f 4001; exec "$0" "$1" "$2"`;
  const child = spawn('bash', ['-c', script, process.execPath, fileURLToPath(NEIGHBOUR), bench.path], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  neighbour = overIpc(child);
  const { taken, refusal } = await neighbour.ask({ do: 'fill', topic: 'next' });
  expect(refusal).toBe('dependency_down');
  expect(taken).toBeGreaterThan(10);
  await neighbour.stop();
  neighbour = undefined;
  const seen = read(broker, NEXT);
  await until(() => broker.isIdle());
  expect(seen.filter((one) => text(one).length === 40_000).length).toBeGreaterThanOrEqual(taken);
});
