/** A write service that breaks its own rules, does not answer, or is not there: on a gRPC server of the test's own. */
import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { Connection } from '#adapters/warehouse/bigquery/connection.ts';
import { openBigqueryWarehouse, type BigqueryWarehouse } from '#adapters/warehouse/bigquery/index.ts';
import { descriptorOf } from '#adapters/warehouse/bigquery/row-encoder.ts';
import type { Clock } from '#core/clock.ts';
import { DependencyDown } from '#core/errors.ts';
import { EMPTY, thing, THINGS } from '#test/contract/warehouse-things.ts';
import type { AppendRequest } from '#tools/simulators/bigquery/write/protos.ts';
import { OPTIONS, startKit, STORE, type Opening } from './kit.ts';
import { rowsIn, startWriteServer, WRITTEN, type Call, type WriteServer } from './write-server.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** Hours in seconds: what is bounded ends while the test looks on. */
const hasty: Clock = {
  ...systemClock,
  after: (ms, action) => systemClock.after(ms / 50, action),
  sleep: (ms, signal) => systemClock.sleep(ms / 50, signal),
};

async function against(
  onCall: (call: Call, number: number) => void,
  options: Opening = {},
): Promise<{ readonly server: WriteServer; readonly warehouse: BigqueryWarehouse }> {
  const server = await startWriteServer(onCall);
  const simulator = { restUrl: 'http://127.0.0.1:9', grpcEndpoint: server.endpoint };
  const warehouse = await openBigqueryWarehouse({ ...OPTIONS, simulator, ...options });
  ends.push(
    () => server.stop(),
    () => warehouse.close(),
  );
  return { server, warehouse };
}

const hang = (call: Call): void => void call.on('data', () => undefined);

describe('a service that never answers', () => {
  it('is left: the write fails in time, and its stream is cancelled, not forgotten', async () => {
    const { server, warehouse } = await against(hang, { writeTimeoutMs: 100 });
    await expect(warehouse.upsert(THINGS, [thing('a')])).rejects.toMatchObject({
      code: 'dependency_down',
      message: expect.stringContaining('did not answer') as string,
    });
    await vi.waitFor(() => expect(server.open()).toBe(0));
  });

  it('cannot hold up closing, which ends what is under way and leaves no stream', async () => {
    const { server, warehouse } = await against(hang, { clock: hasty, writeTimeoutMs: 3_600_000 });
    const writing = warehouse.upsert(THINGS, [thing('a')]).catch((error: unknown) => error);
    await vi.waitFor(() => expect(server.open()).toBe(1));
    const startMs = performance.now();
    await warehouse.close();
    expect(performance.now() - startMs).toBeLessThan(1_000);
    expect(await writing).toBeInstanceOf(DependencyDown);
    await vi.waitFor(() => expect(server.open()).toBe(0));
  });

  it('cannot hold up closing by not even reading', async () => {
    const { warehouse } = await against(() => undefined, { clock: hasty, writeTimeoutMs: 3_600_000 });
    const large = Array.from({ length: 30 }, (_, n) =>
      thing(String(n), { values: { ...EMPTY, label: 'x'.repeat(1_000_000) } }),
    );
    const writing = warehouse.upsert(THINGS, large).catch((error: unknown) => error);
    await warehouse.close();
    expect(await writing).toBeInstanceOf(DependencyDown);
  });
});

describe('closing', () => {
  it('waits for what is under way, and takes nothing after', async () => {
    const answers: (() => void)[] = [];
    const { warehouse } = await against((call) => {
      call.on('data', () => answers.push(() => void call.write(WRITTEN)));
    });
    const order: string[] = [];
    const writing = warehouse.upsert(THINGS, [thing('a')]).then(() => order.push('written'));
    await vi.waitFor(() => expect(answers).toHaveLength(1));
    const closing = warehouse.close().then(() => order.push('closed'));
    answers[0]?.();
    await Promise.all([writing, closing]);
    expect(order).toEqual(['written', 'closed']);
  });

  it.each(['answers', 'hangs'])('leaves nothing that keeps the process alive, where the service %s', async (how) => {
    const { server } = await against(how === 'hangs' ? hang : (call) => call.on('data', () => call.write(WRITTEN)));
    const adapter = new URL('../../../../adapters/', import.meta.url);
    const things = new URL('../../../contract/warehouse-things.ts', import.meta.url);
    const program = `
      const { openBigqueryWarehouse } = await import('${new URL('warehouse/bigquery/index.ts', adapter).href}');
      const { systemClock: clock } = await import('${new URL('clock/system.ts', adapter).href}');
      const { thing, THINGS } = await import('${things.href}');
      const simulator = { restUrl: 'http://127.0.0.1:9', grpcEndpoint: '${server.endpoint}' };
      const options = ${JSON.stringify({ ...OPTIONS, clock: undefined, writeTimeoutMs: 60_000 })};
      const warehouse = await openBigqueryWarehouse({ ...options, clock: { ...clock, after: (ms, act) => clock.after(ms / 50, act) }, simulator });
      const writing = warehouse.upsert(THINGS, [thing('a')]).then(() => 'written', () => 'down');
      if ('${how}' === 'answers') await writing;
      else await new Promise((resolve) => setTimeout(resolve, 50));
      await warehouse.close();
      console.log(await writing);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, METADATA_SERVER_DETECTION: 'none' },
    });
    ends.push(() => child.kill('SIGKILL'));
    const said = child.stdout.setEncoding('utf8').toArray();
    const [code] = (await once(child, 'exit')) as [number];
    expect([code, (await said).join('').trim()]).toEqual([0, how === 'answers' ? 'written' : 'down']);
  });
});

describe('a service that is not there', () => {
  it('is told in time while REST still answers, and written to soon after it is back', async () => {
    const kit = await startKit([THINGS]);
    ends.push(() => kit.stop());
    const gone = await startWriteServer(hang);
    gone.stop();
    const simulator = { restUrl: kit.simulator.restUrl, grpcEndpoint: gone.endpoint };
    const warehouse = await openBigqueryWarehouse({ ...OPTIONS, clock: hasty, simulator });
    ends.push(() => warehouse.close());
    await expect(warehouse.upsert(THINGS, [thing('a')])).rejects.toBeInstanceOf(DependencyDown);
    for await (const page of warehouse.query(`SELECT COUNT(*) AS n FROM ${STORE}.things`, {
      rows: 1,
      timeoutMs: 5_000,
    }))
      expect(page).toEqual([{ n: 0 }]);
    const back = await startWriteServer(
      (call) => call.on('data', () => call.write(WRITTEN)),
      Number(gone.endpoint.split(':')[1]),
    );
    ends.push(() => back.stop());
    const write = async (): Promise<void> => expect(await warehouse.upsert(THINGS, [thing('a')])).toEqual([]);
    await vi.waitFor(write, { timeout: 10_000 });
  }, 15_000);
});

describe('answers', () => {
  it('that refuse rows one at a time are followed until the rest is written', async () => {
    const sizes: number[] = [];
    const { warehouse } = await against((call) => {
      call.on('data', (request: AppendRequest) => {
        sizes.push(rowsIn(request));
        const error = { code: 3, message: 'Errors found while processing rows.' };
        call.write(
          sizes.length > 3 ? WRITTEN : { error, rowErrors: [{ index: 1, code: 1, message: 'ada@example.com' }] },
        );
      });
    });
    const refused = await warehouse.upsert(
      THINGS,
      ['a', 'b', 'c', 'd', 'e'].map((id) => thing(id)),
    );
    expect(refused.map(({ index, code }) => [index, code])).toEqual([1, 2, 3].map((index) => [index, 'row_refused']));
    expect(JSON.stringify(refused)).not.toContain('ada');
    expect(sizes).toEqual([5, 4, 3, 2]);
  });

  it('that refuse rows which were never sent end the write, and not in a circle', async () => {
    const { warehouse } = await against((call) => {
      call.on('data', () => call.write({ rowErrors: [{ index: 7, code: 1, message: '' }] }));
    });
    await expect(warehouse.upsert(THINGS, [thing('a')])).rejects.toMatchObject({ code: 'warehouse_refused' });
  });

  it('that tell of a new schema go to the writes they belong to', async () => {
    const { warehouse } = await against((call) => {
      const ids: number[] = [];
      call.on('data', (request: AppendRequest) => {
        ids.push(rowsIn(request));
        if (ids.length < 4) return;
        const updatedSchema = { fields: [] };
        for (const rows of ids)
          call.write(
            rows === 2
              ? { rowErrors: [{ index: 0, code: 1, message: '' }], updatedSchema }
              : { ...WRITTEN, updatedSchema },
          );
        ids.length = 0;
        call.removeAllListeners('data');
        call.on('data', () => call.write(WRITTEN));
      });
    });
    const calls = [1, 2, 3, 4].map((rows) =>
      warehouse.upsert(
        THINGS,
        Array.from({ length: rows }, (_, id) => thing(String(id))),
      ),
    );
    expect((await Promise.all(calls)).map((refused) => refused.length)).toEqual([0, 1, 0, 0]);
  });

  it('that nobody waits for put the order in doubt: what follows is written on another connection', async () => {
    const seen: number[] = [];
    const { warehouse } = await against((call, number) => {
      call.on('data', () => {
        seen.push(number);
        call.write(WRITTEN);
        if (number === 0) call.write(WRITTEN);
      });
    });
    await warehouse.upsert(THINGS, [thing('a')]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await warehouse.upsert(THINGS, [thing('b')]);
    expect(seen).toEqual([0, 1]);
  });

  it('that end an idle connection for good are told to who runs the river; a reset mends itself', async () => {
    const faults: string[] = [];
    const calls: Call[] = [];
    const { warehouse, server } = await against(
      (call) => {
        calls.push(call);
        call.on('data', () => call.write(WRITTEN));
      },
      { onFault: ({ message, error }) => faults.push(`${message}: ${String(error)}`) },
    );
    for (const code of [status.UNAVAILABLE, status.PERMISSION_DENIED]) {
      await warehouse.upsert(THINGS, [thing('a')]);
      calls.at(-1)?.emit('error', { code, details: 'Told to.' });
      await vi.waitFor(() => expect(server.open()).toBe(0));
    }
    await vi.waitFor(() => expect(faults).toHaveLength(1));
    expect(faults[0]).toMatch(/things ended: Unauthorized: .*dataEditor/);
  });
});

describe('requests', () => {
  it('are split under the limit, only the first of a connection says how rows are written, and a row beyond it is refused', async () => {
    const requests: { readonly rows: number; readonly hasSchema: boolean; readonly bytes: number }[] = [];
    const { warehouse } = await against((call) => {
      call.on('data', (request: AppendRequest) => {
        const rows = request.protoRows?.rows?.serializedRows ?? [];
        const bytes = rows.reduce((sum, row) => sum + row.length, 0);
        const hasSchema = request.writeStream !== '' && request.protoRows?.writerSchema?.protoDescriptor !== undefined;
        requests.push({ rows: rows.length, bytes, hasSchema });
        call.write(WRITTEN);
      });
    });
    const rows = Array.from({ length: 25 }, (_, n) =>
      thing(String(n), { values: { ...EMPTY, label: 'é'.repeat(n === 7 ? 4_600_000 : 500_000) } }),
    );
    const refused = await warehouse.upsert(THINGS, rows);
    expect(refused).toEqual([
      { index: 7, code: 'row_oversize', reason: expect.stringMatching(/9000000 at most/) as string },
    ]);
    expect(requests.map(({ rows: count }) => count)).toEqual([8, 8, 8]);
    expect(requests.map(({ hasSchema }) => hasSchema)).toEqual([true, false, false]);
    expect(Math.max(...requests.map(({ bytes }) => bytes))).toBeLessThan(9_000_000);
  });

  it('that are done leave no memory behind, however long the connection lives', async () => {
    setFlagsFromString('--expose_gc');
    const collect = runInNewContext('gc') as () => void;
    const call = Object.assign(new EventEmitter(), {
      write: () => queueMicrotask(() => call.emit('data', WRITTEN)),
      cancel: () => undefined,
    });
    const options = { table: 'things', descriptor: descriptorOf(THINGS), clock: systemClock, timeoutMs: 60_000 };
    const connection = new Connection({ ...options, client: undefined as never }, call as never);
    const append = async (times: number): Promise<number> => {
      for (let n = 0; n < times; n += 1) await connection.append([]);
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = await append(2_000);
    const after = await append(40_000);
    expect((after - before) / 40_000, 'bytes an append').toBeLessThan(50);
    connection.close();
  });
});
