import { describe, expect, it } from 'vitest';
import { DependencyDown, Transient } from '#core/errors.ts';
import type { Delivered } from '#core/ports/broker.ts';
import { parseConfig } from '#core/config.ts';
import { TelemetryHub, type TelemetryEvents } from '#core/telemetry.ts';
import service from '#services/bq-writer/service.ts';
import { decodeOne, Writer } from '#services/bq-writer/write.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';
import { codec, CONTACT, contactMessage, memoryWarehouse } from './kit.ts';

const LIMITS = {
  live: { rows: 100, bytes: 1_000_000, lingerMs: 25 },
  bulk: { rows: 1_000, bytes: 1_000_000, lingerMs: 250 },
};

function setUp(limits = LIMITS) {
  const clock = virtualClock();
  const warehouse = memoryWarehouse();
  const telemetry = new TelemetryHub();
  const written: TelemetryEvents['rowsWritten'][] = [];
  telemetry.listen((name, fields) => {
    if (name === 'rowsWritten') written.push(fields as TelemetryEvents['rowsWritten']);
  });
  const writer = new Writer({ warehouse, codec, clock, telemetry, limits, bulkWritesAtOnce: 1 });
  const handle = writer.handler(decodeOne(codec, 'contact'));
  const abort = new AbortController();
  const send = (batch: readonly Delivered[]) => {
    const answer = handle(batch, abort.signal);
    answer.catch(() => undefined);
    return answer;
  };
  return { clock, warehouse, writer, send, abort, written };
}

/** A warehouse call that waits until the test lets it go. */
function held(): { wait: () => Promise<void>; release: () => void } {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  return { wait: () => gate, release: () => release() };
}

describe('the writer', () => {
  it('parks what it cannot decode and writes the rest', async () => {
    const { clock, send, warehouse } = setUp();
    const garbage = { ...contactMessage({ id: '003A' }), body: new Uint8Array([255, 255, 255]) };
    const answer = send([garbage, contactMessage({ id: '003B' })]);
    await clock.advance(25);
    expect(await answer).toEqual([
      expect.objectContaining({ kind: 'deadLetter', code: 'not_decodable' }),
      { kind: 'ack' },
    ]);
    expect(warehouse.rows.size).toBe(1);
  });

  it('parks a row the warehouse refuses, with its code, and acks the rest after the commit', async () => {
    const { clock, send, warehouse } = setUp();
    warehouse.refuse = (row) =>
      row.key.id === '003B' ? { index: 0, code: 'value_out_of_range', reason: 'employees is too large' } : undefined;
    const answer = send(['003A', '003B', '003C'].map((id) => contactMessage({ id })));
    await clock.advance(25);
    expect((await answer).map(({ kind }) => kind)).toEqual(['ack', 'deadLetter', 'ack']);
    expect((await answer)[1]).toMatchObject({ code: 'value_out_of_range' });
  });

  it('writes an older state after all when the newer one was refused', async () => {
    const { clock, send, warehouse } = setUp();
    warehouse.refuse = (row) =>
      row.version.sourceSequence === 2 ? { index: 0, code: 'bad', reason: 'bad' } : undefined;
    const answer = send([1, 2].map((sequence) => contactMessage({ id: '003A', sequence })));
    await clock.advance(100);
    expect((await answer).map(({ kind }) => kind)).toEqual(['ack', 'deadLetter']);
    expect([...warehouse.rows.values()].map((row) => row.version.sourceSequence)).toEqual([1]);
  });

  it('throws DependencyDown through, to every call that waits, and keeps nothing', async () => {
    const { clock, send, warehouse, writer } = setUp();
    warehouse.before = async () => {
      throw new DependencyDown('warehouse', 'The warehouse does not answer.');
    };
    const live = send([contactMessage({ id: '003A' })]);
    const bulk = send([contactMessage({ id: '003B', lane: 'bulk' })]);
    await clock.advance(25);
    await expect(live).rejects.toThrow(DependencyDown);
    await expect(bulk).rejects.toThrow(DependencyDown);
    expect(writer.isBusy).toBe(false);
  });

  it('counts a fault that names no row against the message that carries the row, and writes the others', async () => {
    const { clock, send, warehouse } = setUp();
    warehouse.before = async (_table, rows) => {
      if (rows.some((row) => row.key.id === '003POISON')) throw new Error('an internal error of the warehouse');
    };
    const ids = Array.from({ length: 40 }, (_, n) => `003${n}`);
    const answer = send([...ids, '003POISON'].map((id) => contactMessage({ id })));
    await clock.advance(25);
    expect((await answer).map(({ kind }) => kind)).toEqual([...ids.map(() => 'ack'), 'retry']);
    expect(warehouse.rows.size).toBe(40);
  });

  it('gives up narrowing when the warehouse fails on everything, and releases all', async () => {
    const { clock, send, warehouse } = setUp();
    let calls = 0;
    warehouse.before = async () => {
      calls += 1;
      throw new Error('an internal error of the warehouse');
    };
    const answer = send(Array.from({ length: 100 }, (_, n) => contactMessage({ id: `003${n}` })));
    await clock.advance(25);
    await expect(answer).rejects.toThrow('internal error');
    expect(calls).toBeLessThan(100);
  });

  it('takes what will pass for an outage', async () => {
    const { clock, send, warehouse } = setUp();
    warehouse.before = async () => {
      throw new Transient('busy', 'The warehouse is busy.');
    };
    const answer = send([contactMessage({ id: '003A' })]);
    await clock.advance(25);
    await expect(answer).rejects.toThrow(DependencyDown);
  });

  it('does not write what the consumer released', async () => {
    const { clock, send, abort, warehouse } = setUp();
    const answer = send([contactMessage({ id: '003A' })]);
    abort.abort(new Error('paused'));
    await clock.advance(25);
    await expect(answer).rejects.toThrow('paused');
    expect(warehouse.calls).toHaveLength(0);
  });

  it('acks only after the commit', async () => {
    const { clock, send, warehouse } = setUp();
    const call = held();
    warehouse.before = call.wait;
    let answered = false;
    const answer = send([contactMessage({ id: '003A' })]).then(() => (answered = true));
    await clock.advance(1_000);
    expect(answered).toBe(false);
    call.release();
    await answer;
  });

  it('forms one upsert of several calls, one row a key, the newest', async () => {
    const { clock, send, warehouse } = setUp();
    const answers = [
      send([contactMessage({ id: '003A', sequence: 2 }), contactMessage({ id: '003B' })]),
      send([contactMessage({ id: '003A', sequence: 1 }), contactMessage({ id: '003A', sequence: 2 })]),
    ];
    await clock.advance(25);
    expect(await Promise.all(answers)).toEqual([
      [{ kind: 'ack' }, { kind: 'ack' }],
      [{ kind: 'ack' }, { kind: 'ack' }],
    ]);
    expect(warehouse.calls.map(({ rows }) => rows.length)).toEqual([2]);
    expect([...warehouse.rows.values()].map((row) => row.version.sourceSequence)).toEqual([2, 1]);
  });

  it('writes a live change within the linger, a bulk row only when the batch is full or its linger is over', async () => {
    const { clock, send, warehouse } = setUp();
    void send([contactMessage({ id: '003A' })]);
    void send([contactMessage({ id: '003B', lane: 'bulk' })]);
    await clock.advance(25);
    expect(warehouse.calls).toHaveLength(1);
    void send(Array.from({ length: 999 }, (_, n) => contactMessage({ id: `004${n}`, lane: 'bulk' })));
    await clock.settle();
    expect(warehouse.calls.map(({ rows }) => rows.length)).toEqual([1, 1_000]);
    void send([contactMessage({ id: '003C', lane: 'bulk' })]);
    await clock.advance(250);
    expect(warehouse.calls.map(({ rows }) => rows.length)).toEqual([1, 1_000, 1]);
  });

  it('does not let a message that was delivered often linger for others', async () => {
    const { clock, send, warehouse } = setUp();
    void send([contactMessage({ id: '003A', lane: 'bulk' })]);
    void send([{ ...contactMessage({ id: '003B', lane: 'bulk' }), deliveryAttempts: 5 }]);
    await clock.advance(25);
    expect(warehouse.rows.size).toBe(2);
  });

  it('bounds a batch by bytes', async () => {
    const { clock, send, warehouse } = setUp({ ...LIMITS, live: { rows: 100, bytes: 1_000, lingerMs: 25 } });
    void send(Array.from({ length: 10 }, (_, n) => contactMessage({ id: `003${n}` })));
    await clock.settle();
    expect(Math.max(...warehouse.calls.map(({ rows }) => rows.length))).toBeLessThan(8);
    await clock.advance(25);
    expect(warehouse.rows.size).toBe(10);
  });

  it('lets a live write wait for at most one bulk write, whatever waits in bulk', async () => {
    const { clock, warehouse, writer, send } = setUp();
    const matches = writer.handler(decodeOne(codec, 'contact'));
    const call = held();
    let underWay = 0;
    let most = 0;
    warehouse.before = async (_table, rows) => {
      most = Math.max(most, (underWay += 1));
      if (rows.length > 1) await call.wait();
      underWay -= 1;
    };
    void send(Array.from({ length: 3_000 }, (_, n) => contactMessage({ id: `003${n}`, lane: 'bulk' })));
    void matches([contactMessage({ id: '003LIVE' })], new AbortController().signal);
    await clock.advance(25);
    expect(warehouse.calls.map(({ rows }) => rows.length)).toEqual([1]);
    expect(most).toBe(2);
    call.release();
    await clock.advance(25);
    expect(warehouse.rows.size).toBe(3_001);
  });

  it('reports rows by table and lane, with the delay from the change to the row for live rows alone', async () => {
    const { clock, send, written } = setUp();
    const changedAtMicros = clock.nowMicros() - 100_000;
    void send([contactMessage({ id: '003A', changedAtMicros }), contactMessage({ id: '003B' })]);
    void send([contactMessage({ id: '003C', lane: 'bulk', changedAtMicros })]);
    await clock.advance(250);
    expect(written).toEqual([
      expect.objectContaining({ table: 'contacts', lane: 'live', rows: 2, refused: 0, changeToRowMs: [125] }),
      expect.objectContaining({ table: 'contacts', lane: 'bulk', rows: 1, changeToRowMs: [] }),
    ]);
  });

  it('ends with the newest state of every record, whatever the order, the batches and the repetitions', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seededRandom(seed);
      const { clock, send, warehouse } = setUp();
      const messages = Array.from({ length: 60 }, () => {
        const sequence = random.below(30);
        const record = { ...CONTACT, title: `state ${sequence}` };
        return contactMessage({
          id: `003${random.below(8)}`,
          sequence,
          record,
          lane: random.chance(0.5) ? 'live' : 'bulk',
        });
      });
      const newest = new Map<string, number>();
      for (const message of messages) {
        const { id, version } = codec.decodeCanonical('contact', message).envelope;
        newest.set(id, Math.max(newest.get(id) ?? 0, version.sourceSequence));
      }
      const answers = [];
      for (const all = random.shuffled([...messages, ...messages.slice(0, 20)]); all.length > 0;) {
        answers.push(send(all.splice(0, 1 + random.below(10))));
        await clock.advance(random.below(40));
      }
      await clock.advance(1_000);
      await Promise.all(answers);
      const rows = [...warehouse.rows.values()];
      expect(new Map(rows.map((row) => [row.key.id, row.version.sourceSequence])), `seed ${seed}`).toEqual(newest);
      for (const row of rows) expect(row.values['title']).toBe(`state ${row.version.sourceSequence}`);
    }
  });
});

describe('the service', () => {
  it('subscribes every canonical topic, matches and facts, publishes nothing, and probes with a trivial query', async () => {
    const topics = Object.values(service.declared.subscribes).map(({ topic }) => topic);
    expect(topics).toEqual(
      expect.arrayContaining(['canonical.contact', 'canonical.call', 'resolved.match', 'ops.event']),
    );
    expect(new Set(topics).size).toBe(topics.length);
    expect(service.declared.publishes).toEqual([]);
    const parsed = parseConfig(service.declared.config, {});
    if (!parsed.ok) throw new Error(parsed.faults.join());
    const warehouse = memoryWarehouse();
    const living = await service.start({
      ports: { warehouse },
      config: parsed.config,
      codec,
      clock: virtualClock(),
      random: seededRandom(1),
      telemetry: new TelemetryHub(),
      installation: 'test',
      leaseEpoch: 0,
      signal: new AbortController().signal,
      publish: async () => undefined,
      record: async () => undefined,
    } as never);
    expect(Object.keys(living.handlers).sort()).toEqual(Object.keys(service.declared.subscribes).sort());
    await living.probe?.();
    warehouse.before = async () => {
      throw new DependencyDown('warehouse', 'The warehouse does not answer.');
    };
    await expect(living.probe?.()).rejects.toThrow(DependencyDown);
  });
});
