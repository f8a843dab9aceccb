import { describe, expect, it } from 'vitest';
import { createPhoneParser } from '#core/identifiers/phone.ts';
import { TelemetryHub, type TelemetryEvents } from '#core/telemetry.ts';
import { WorldIndex } from '#services/resolver/index/index.ts';
import { Compaction } from '#services/resolver/log/compaction.ts';
import { EntryCodec, type Entry } from '#services/resolver/log/entries.ts';
import { Fence } from '#services/resolver/log/fence.ts';
import { load } from '#services/resolver/log/load.ts';
import { manifestName, segmentName } from '#services/resolver/log/names.ts';
import { openSegment, SegmentWriter } from '#services/resolver/log/segment.ts';
import { takeSnapshot } from '#services/resolver/log/snapshot.ts';
import { LINK, type ParticipantState, type RecordState } from '#services/resolver/state.ts';
import { memoryObjects, version, type MemoryObjects } from './kit.ts';

const codec = new EntryCodec();
const HEADER = { isSettled: true, rules: 'r1' };

function person(n: number, v = 1): RecordState {
  return {
    source: 'salesforce',
    instance: 'org',
    kind: 'contact',
    id: `003${n}`,
    version: version(v),
    deleted: false,
    country: '',
    internal: false,
    links: [
      { kind: LINK.account, text: '001A' },
      { kind: LINK.email, text: `zoë.${n}@company.example` },
      { kind: LINK.phone, text: `+1213555${1000 + n}` },
    ],
  };
}

function participant(n: number): ParticipantState {
  return {
    activity: { source: 'dialpad', instance: 'team', object: 'call', id: String(n) },
    role: 'external',
    version: version(1),
    deleted: false,
    occurredAtMicros: n % 2 === 0 ? null : 1_750_000_000_000_000,
    absence: n % 3 === 0 ? 'withheld' : '',
    links: [{ kind: LINK.phone, text: `+1213555${1000 + n}` }],
  };
}

function newIndex(): WorldIndex {
  return new WorldIndex(createPhoneParser({ defaultCountry: null, cacheEntries: 10 }));
}

async function putSegment(
  objects: MemoryObjects,
  epoch: number,
  number: number,
  entries: readonly Entry[],
): Promise<void> {
  const writer = new SegmentWriter(codec);
  for (const entry of entries) writer.add(entry);
  await objects.put(segmentName({ epoch, number }), await writer.seal(HEADER));
}

function snapshotOptions(objects: MemoryObjects, index: WorldIndex, epoch = 1) {
  return {
    objects,
    codec,
    fence: new Fence(objects, epoch),
    index,
    rules: 'r1',
    partBytes: 2_000,
    signal: new AbortController().signal,
  };
}

describe('a segment', () => {
  it('gives back what was put in, in order, with its header', async () => {
    const entries: Entry[] = [
      { kind: 'record', state: person(1) },
      { kind: 'participant', state: participant(1) },
      {
        kind: 'outcome',
        state: { activity: participant(1).activity, role: 'external', fingerprint: 2 ** 52, epoch: 3 },
      },
      ...Array.from({ length: 2_000 }, (_, n): Entry => ({ kind: 'record', state: person(n) })),
    ];
    const writer = new SegmentWriter(codec);
    for (const entry of entries) writer.add(entry);
    const segment = await openSegment(codec, await writer.seal(HEADER));
    expect(segment.header).toMatchObject(HEADER);
    expect(JSON.parse(JSON.stringify([...segment.entries]))).toEqual(entries);
    expect(writer.entries).toBe(0);
  });

  it('that is cut off is an error, not a shorter segment', async () => {
    const writer = new SegmentWriter(codec);
    writer.add({ kind: 'record', state: person(1) });
    const bytes = await writer.seal(HEADER);
    await expect(openSegment(codec, bytes.subarray(0, bytes.length - 4))).rejects.toThrow();
  });
});

describe('loading', () => {
  it('answers nothing where there is no log', async () => {
    const index = newIndex();
    expect(await load({ objects: memoryObjects(), codec, index })).toEqual({ header: undefined, bytes: 0 });
  });

  it('lets the newest state win, whatever the segments say first', async () => {
    const objects = memoryObjects();
    await putSegment(objects, 1, 1, [{ kind: 'record', state: person(1, 5) }]);
    await putSegment(objects, 2, 1, [{ kind: 'record', state: { ...person(1, 4), links: [] } }]);
    const index = newIndex();
    await load({ objects, codec, index });
    expect(index.recordState(0)).toEqual(person(1, 5));
  });

  it('reads segments in the order of epochs and numbers, beyond nine', async () => {
    const objects = memoryObjects();
    const outcome = (fingerprint: number, epoch: number): Entry => ({
      kind: 'outcome',
      state: { activity: participant(1).activity, role: 'external', fingerprint, epoch },
    });
    await putSegment(objects, 1, 2, [{ kind: 'participant', state: participant(1) }, outcome(20, 1)]);
    await putSegment(objects, 1, 10, [outcome(100, 1)]);
    const index = newIndex();
    await load({ objects, codec, index });
    expect(index.participants.fingerprint(0)).toBe(100);
  });
});

describe('a snapshot', () => {
  async function filled(objects: MemoryObjects): Promise<WorldIndex> {
    const index = newIndex();
    for (let n = 0; n < 200; n++) index.putRecord(person(n));
    for (let n = 0; n < 50; n++)
      index.participants.published(index.putParticipant(participant(n)).participant, n + 1, 1);
    await putSegment(objects, 1, 1, [{ kind: 'record', state: { ...person(1), links: [] } }]);
    return index;
  }

  function everything(index: WorldIndex) {
    const records = Array.from({ length: index.records.size }, (_, n) => index.recordState(n)).filter(Boolean);
    const participants = Array.from({ length: index.participants.size }, (_, n) => ({
      state: index.participantState(n),
      fingerprint: index.participants.fingerprint(n),
    }));
    return { records, participants };
  }

  it('gives back the whole index, in parts, and makes the segments before it unnecessary', async () => {
    const objects = memoryObjects();
    const index = await filled(objects);
    await takeSnapshot(snapshotOptions(objects, index), { epoch: 1, number: 1 });
    expect([...objects.stored.keys()].filter((name) => name.includes('/segments/'))).toEqual([]);
    expect([...objects.stored.keys()].filter((name) => name.includes('/snapshots/')).length).toBeGreaterThan(3);
    const restored = newIndex();
    await load({ objects, codec, index: restored });
    expect(everything(restored)).toEqual(everything(index));
  });

  it('keeps segments after it, and replaces the snapshot before it', async () => {
    const objects = memoryObjects();
    const index = await filled(objects);
    await takeSnapshot(snapshotOptions(objects, index), { epoch: 1, number: 1 });
    await putSegment(objects, 1, 2, [{ kind: 'record', state: person(1, 9) }]);
    await takeSnapshot(snapshotOptions(objects, index, 2), { epoch: 2, number: 0 });
    await putSegment(objects, 2, 1, [{ kind: 'record', state: person(2, 9) }]);
    const manifests = [...objects.stored.keys()].filter((name) => name.includes('/manifests/'));
    expect(manifests).toEqual([manifestName({ epoch: 2, number: 0 })]);
    const restored = newIndex();
    await load({ objects, codec, index: restored });
    const of = (id: string) => everything(restored).records.find((state) => state?.id === id);
    expect(of('0032')?.version.sourceSequence).toBe(9);
    expect(of('0033')?.version.sourceSequence).toBe(1);
  });

  it('that was not finished is as if it had not begun', async () => {
    const objects = memoryObjects();
    const index = await filled(objects);
    objects.beforePut = async (name) => {
      if (name.includes('/manifests/')) throw new Error('killed');
    };
    await expect(takeSnapshot(snapshotOptions(objects, index), { epoch: 1, number: 1 })).rejects.toThrow('killed');
    const restored = newIndex();
    await load({ objects, codec, index: restored });
    expect(restored.records.size).toBe(1);
  });

  it('taken while somebody reads the log leaves no hole in what they read', async () => {
    const objects = memoryObjects();
    const index = await filled(objects);
    await putSegment(objects, 1, 1, [{ kind: 'record', state: person(1) }]);
    let isFirst = true;
    const slow: MemoryObjects = {
      ...objects,
      async get(name) {
        if (isFirst) await takeSnapshot(snapshotOptions(objects, index), { epoch: 1, number: 1 });
        isFirst = false;
        return objects.get(name);
      },
    };
    const restored = newIndex();
    await load({ objects: slow, codec, index: restored });
    expect(everything(restored)).toEqual(everything(index));
  });

  it('of an owner who was replaced deletes nothing', async () => {
    const objects = memoryObjects();
    const index = await filled(objects);
    await new Fence(objects, 2).raise();
    await expect(takeSnapshot(snapshotOptions(objects, index), { epoch: 1, number: 1 })).rejects.toThrow('taken over');
    expect(objects.stored.has(segmentName({ epoch: 1, number: 1 }))).toBe(true);
  });
});

describe('compaction', () => {
  function setUp(log: { position: { epoch: number; number: number }; storedBytes: number }) {
    const objects = memoryObjects();
    const index = newIndex();
    index.putRecord(person(1));
    const telemetry = new TelemetryHub();
    const faults: string[] = [];
    telemetry.listen((name, fields) => {
      if (name === 'faultSeen') faults.push((fields as TelemetryEvents['faultSeen']).message);
    });
    const fence = new Fence(objects, 1);
    const compaction = new Compaction({ objects, codec, fence, index, log, telemetry, loadedBytes: 0 });
    const manifests = () => [...objects.stored.keys()].filter((name) => name.includes('/manifests/'));
    return { objects, compaction, manifests, faults };
  }

  it('takes a snapshot when segments are many or large, and not again until they are so again', async () => {
    const log = { position: { epoch: 1, number: 2_000 }, storedBytes: 0 };
    const { compaction, manifests } = setUp(log);
    compaction.consider();
    await compaction.settled();
    expect(manifests()).toEqual([]);
    log.position = { epoch: 1, number: 2_001 };
    compaction.consider();
    await compaction.settled();
    expect(manifests()).toEqual([manifestName(log.position)]);
    log.position = { epoch: 1, number: 2_100 };
    compaction.consider();
    await compaction.settled();
    expect(manifests()).toHaveLength(1);
    log.storedBytes = 8_000_001;
    compaction.consider();
    await compaction.settled();
    expect(manifests()).toEqual([manifestName(log.position)]);
  });

  it('that fails is told and harms nobody', async () => {
    const { compaction, manifests, objects, faults } = setUp({ position: { epoch: 1, number: 5_000 }, storedBytes: 0 });
    objects.beforePut = async () => {
      throw new Error('No space is left.');
    };
    compaction.consider();
    await compaction.settled();
    expect(faults).toEqual(['No space is left.']);
    expect(manifests()).toEqual([]);
  });

  it('is given up when the service stops', async () => {
    const { compaction, manifests, faults } = setUp({ position: { epoch: 1, number: 5_000 }, storedBytes: 0 });
    compaction.consider();
    await compaction.stop();
    compaction.consider();
    await compaction.settled();
    expect(manifests()).toEqual([]);
    expect(faults).toEqual([]);
  });
});
