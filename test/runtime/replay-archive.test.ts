import { describe, expect, it } from 'vitest';
import { DependencyDown } from '#core/errors.ts';
import type { Delivered, Message } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { archivedFiles } from '#runtime/archived-files.ts';
import { replayArchive, type ArchiveReplayRequest } from '#runtime/replay-archive.ts';
import { selectionOf } from '#runtime/replay-selection.ts';
import { memoryObjects, memoryStore } from '#test/kit/context.ts';
import { archive, codec, namesOf, rawMessage } from '#test/kit/raw-events.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const ALL = { from: new Date('2025-01-01T00:00:00Z'), to: new Date('2025-12-31T00:00:00Z'), dryRun: false };
const at = (hour: number, minute = 30): string => `2025-11-25T${String(hour).padStart(2, '0')}:${minute}:00.000Z`;

function setUp(objects: ObjectsPort = memoryObjects()) {
  const sent: { readonly topic: string; readonly message: Message }[] = [];
  let failing: Error | undefined;
  const progress: string[] = [];
  const options = {
    objects,
    store: memoryStore(),
    codec,
    clock: virtualClock(),
    publisher: {
      async publish(topic: string, messages: readonly Message[]) {
        if (failing !== undefined) throw failing;
        sent.push(...messages.map((message) => ({ topic, message })));
      },
    },
  };
  const io = { progress: (_done: number, _total: number | null, what: string) => void progress.push(what) };
  return {
    objects,
    sent,
    progress,
    fail: (error: Error | undefined) => void (failing = error),
    replay: (request: Partial<ArchiveReplayRequest> = {}, signal = new AbortController().signal) =>
      replayArchive(options, { ...ALL, ...request }, { ...io, signal }),
    ids: () => sent.map(({ message }) => message.attributes['key']?.split('/').at(-1)),
  };
}

const contact = (id: string, time = at(10)): Delivered => rawMessage({ id, at: time });
const call = (id: string, time = at(10)): Delivered => rawMessage({ id, at: time, source: 'dialpad', object: 'call' });

async function damage(objects: ObjectsPort, name: string): Promise<void> {
  const bytes = (await objects.get(name)) as Uint8Array;
  await objects.put(name, bytes.subarray(0, bytes.length - 5));
}

describe('a replay from the archive', () => {
  it('names and counts a damaged file, and the rest goes on', async () => {
    const { objects, replay, ids } = setUp();
    const [name = ''] = await archive(objects, 'salesforce', [contact('1')]);
    await archive(objects, 'salesforce', [contact('2', at(11))]);
    await archive(objects, 'dialpad', [call('3')]);
    await damage(objects, name);
    const result = await replay();
    expect(result).toMatchObject({ files: 3, events: 2, damaged: [{ name, reason: expect.stringContaining('cut') as string }] }); // prettier-ignore
    expect(ids()).toEqual(['3', '2']);
  });

  it('sends what is whole of a damaged file', async () => {
    const { objects, replay, ids } = setUp();
    const many = ['1', '2', '3'].map((id) => rawMessage({ id, at: at(10), record: `"${'x'.repeat(300_000)}"` }));
    const [name = ''] = await archive(objects, 'salesforce', many);
    await damage(objects, name);
    expect((await replay()).damaged).toHaveLength(1);
    expect(ids()).toEqual(['1', '2']);
  });

  it('names a file that went away after it was listed', async () => {
    const objects = memoryObjects();
    const { replay, ids } = setUp({
      ...objects,
      get: async (name) => (name.includes('/25/11/') ? undefined : objects.get(name)),
    });
    for (const hour of [10, 11, 12]) await archive(objects, 'salesforce', [contact(String(hour), at(hour))]);
    const gone = expect.stringContaining('/2025/11/25/11/') as string;
    expect(await replay()).toMatchObject({ files: 2, damaged: [{ name: gone }] });
    expect(ids()).toEqual(['10', '12']);
  });

  it('leaves out what no schema reads and what no mapper knows, and counts it', async () => {
    const { objects, replay, ids } = setUp();
    const garbage = { ...contact('1'), body: Buffer.from('no Avro') };
    await archive(objects, 'salesforce', [
      garbage,
      rawMessage({ id: '2', object: 'Unicorn', at: at(10) }),
      contact('3'),
    ]);
    expect(await replay()).toMatchObject({ events: 1, unmapped: 1, undecodable: 1, damaged: [] });
    expect(ids()).toEqual(['3']);
  });

  it('that is stopped says from which hour to go on, and going on sends the rest', async () => {
    const { objects, replay, ids, fail } = setUp();
    for (const hour of [10, 11, 12]) await archive(objects, 'salesforce', [contact(String(hour), at(hour))]);
    let puts = 0;
    const flaky = { ...objects, get: async (name: string) => ((puts += 1) === 3 ? Promise.reject(new DependencyDown('objects', 'It is down.')) : objects.get(name)) }; // prettier-ignore
    const { replay: replayFlaky, ids: idsFlaky } = setUp(flaky);
    await expect(replayFlaky()).rejects.toMatchObject({ code: 'replay_stopped', message: expect.stringContaining('--from 2025-11-25T11:00Z') as string }); // prettier-ignore
    expect(idsFlaky()).toEqual(['10']);
    fail(new DependencyDown('broker', 'It is down.'));
    await expect(replay()).rejects.toMatchObject({ code: 'replay_stopped' });
    fail(undefined);
    await replay({ from: new Date('2025-11-25T11:00Z') });
    expect(ids()).toEqual(['11', '12']);
  });

  it('ends with its caller', async () => {
    const { objects, replay, sent } = setUp();
    await archive(objects, 'salesforce', [contact('1')]);
    await expect(replay({}, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone');
    expect(sent).toEqual([]);
  });

  it('of a range that is none says so', async () => {
    const { replay } = setUp();
    await expect(replay({ from: ALL.to, to: ALL.from })).rejects.toMatchObject({ code: 'bad_time' });
    await expect(replay({ from: new Date('2999-01-01'), to: new Date('2999-01-02') })).rejects.toMatchObject({ code: 'bad_time' }); // prettier-ignore
  });

  it('of nothing takes no number and says where the archive begins', async () => {
    const { objects, replay } = setUp();
    expect(await replay()).toMatchObject({ files: 0, events: 0, generation: null, begins: null });
    await archive(objects, 'salesforce', [contact('1')]);
    const before = { from: new Date('2025-11-01'), to: new Date('2025-11-02') };
    expect(await replay(before)).toMatchObject({ files: 0, generation: null, begins: '2025-11-25T10:00Z' });
  });

  it('dry is a count: nothing is sent, and no number taken', async () => {
    const { objects, replay, sent } = setUp();
    await archive(objects, 'salesforce', [
      contact('1'),
      contact('2'),
      rawMessage({ id: '3', object: 'Task', at: at(10) }),
    ]);
    await archive(objects, 'dialpad', [call('4')]);
    const result = await replay({ dryRun: true });
    expect(result).toMatchObject({ dryRun: true, generation: null, files: 2, events: 4 });
    expect(result.of.map(({ source, object, events }) => [source, object, events])).toEqual([
      ['dialpad', 'call', 1],
      ['salesforce', 'Contact', 2],
      ['salesforce', 'Task', 1],
    ]);
    expect(result.bytes).toBe(result.of.reduce((sum, { bytes }) => sum + bytes, 0));
    expect(sent).toEqual([]);
    expect(await replay()).toMatchObject({ generation: 1, events: 4 });
  });

  it('is of the time asked for, to the millisecond: from it, until before it', async () => {
    const { objects, replay, ids } = setUp();
    const times = ['09:59:59.999', '10:00:00.000', '10:59:59.999', '11:00:00.000', '11:00:00.001'];
    await archive(
      objects,
      'salesforce',
      times.map((time, index) => contact(String(index), `2025-11-25T${time}Z`)),
    );
    await replay({ from: new Date('2025-11-25T10:00:00Z'), to: new Date('2025-11-25T11:00:00.001Z') });
    expect(ids()).toEqual(['1', '2', '3']);
  });

  it('sends each to its raw topic, to the normalizer alone, in the bulk lane, otherwise as it was', async () => {
    const { objects, replay, sent } = setUp();
    await archive(objects, 'dialpad', [call('1')]);
    await replay();
    const { topic, message } = sent[0] as (typeof sent)[number];
    expect(topic).toBe('raw.dialpad');
    expect(message.attributes).toMatchObject({ to: 'normalizer', lane: 'bulk' });
    const before = codec.decodeRaw('dialpad', call('1'));
    const version = { ...before.envelope.version, generation: 1 };
    expect(codec.decodeRaw('dialpad', message)).toEqual({ ...before, envelope: { ...before.envelope, lane: 'bulk', version } }); // prettier-ignore
  });

  it('has a greater generation each time', async () => {
    const { objects, replay } = setUp();
    await archive(objects, 'salesforce', [contact('1')]);
    expect([(await replay()).generation, (await replay()).generation]).toEqual([1, 2]);
  });

  it('sends a body again that was too large for its message', async () => {
    const { objects, replay, sent } = setUp();
    const record = `"${'x'.repeat(11_000_000)}"`;
    await archive(objects, 'salesforce', [rawMessage({ id: '1', at: at(10), record }), contact('2')]);
    expect((await replay()).events).toBe(2);
    const large = sent.find(({ message }) => message.body.byteLength > 10_000_000);
    expect(codec.decodeRaw('salesforce', large?.message as Message).record).toBe(record);
  });

  it('goes hour by hour through all sources, and tells where it is', async () => {
    const { objects, replay, ids, progress } = setUp();
    for (const hour of [9, 11, 13]) await archive(objects, 'salesforce', [contact(`s${hour}`, at(hour))]);
    for (const hour of [8, 11, 12]) await archive(objects, 'dialpad', [call(`d${hour}`, at(hour))]);
    await replay();
    expect(ids()).toEqual(['d8', 's9', 'd11', 's11', 'd12', 's13']);
    expect(progress.at(-1)).toBe('Replaying 2025-11-25T13:00Z');
  });
});

describe('the files of a range', () => {
  it.each([
    ['some files ahead', 0, 16],
    ['few that are large', 12_000_000, 4],
  ])('are read %s, however many there are', async (_, size, expected) => {
    const objects = memoryObjects();
    for (let minute = 10; minute < 60; minute += 1) await archive(objects, 'salesforce', [contact(String(minute), at(10, minute))]); // prettier-ignore
    let [asked, taken, most] = [0, 0, 0];
    const padded = { ...objects, get: async (name: string) => { asked += 1; return size === 0 ? objects.get(name) : new Uint8Array(size); } }; // prettier-ignore
    for await (const _file of archivedFiles(padded, ['salesforce'], ALL)) {
      taken += 1;
      most = Math.max(most, asked - taken);
    }
    expect(taken).toBe(50);
    expect(most).toBeLessThanOrEqual(expected);
  });

  it('are not what somebody else put between them', async () => {
    const objects = memoryObjects();
    await archive(objects, 'salesforce', [contact('1')]);
    for (const name of ['README.txt', '2025/11/25/10/notes.txt', '2025/11/25/x.avro'])
      await objects.put(`archive/raw/salesforce/${name}`, Buffer.of(1));
    let count = 0;
    for await (const _file of archivedFiles(objects, ['salesforce'], ALL)) count += 1;
    expect([count, (await namesOf(objects)).length]).toEqual([1, 4]);
  });
});

describe('what a replay is of', () => {
  const plain = (given: Parameters<typeof selectionOf>[0]): Record<string, string[]> =>
    Object.fromEntries(Array.from(selectionOf(given), ([source, objects]) => [source, [...objects].sort()]));

  it.each([
    [{ entity: 'unicorn' }],
    [{ source: 'dialpad', entity: 'contact' }],
    [{ source: 'salesforce', entity: 'call' }],
  ] as const)('%j is nothing, and says what there is', (given) => {
    expect(() => selectionOf(given)).toThrow(expect.objectContaining({ code: 'unknown_object' }));
  });

  it.each([
    [{ entity: 'contact' }, { salesforce: ['Contact'] }],
    [{ entity: 'activity' }, { salesforce: ['Event', 'Task'] }],
    [{ entity: 'Task' }, { salesforce: ['Task'] }],
    [{ entity: 'call' }, { dialpad: ['call'] }],
  ] as const)('%j is %j', (given, expected) => {
    expect(plain(given)).toEqual(expected);
  });

  it('without an entity is all that mappers know', () => {
    expect(Object.keys(plain({})).sort()).toEqual(['dialpad', 'salesforce']);
    expect(plain({ source: 'dialpad' })['dialpad']?.length).toBeGreaterThan(4);
  });
});
