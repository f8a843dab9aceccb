/**
 * Everything the index holds, written in parts beside the running work, so that the log stays short and a start quick. It may
 * hold newer states than its position says: the segments that follow are read over it, and the newest state wins.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { WorldIndex } from '../index/index.ts';
import type { Entry, EntryCodec } from './entries.ts';
import type { Fence } from './fence.ts';
import { manifestName, MANIFESTS, partName, positionText, SEGMENTS, SNAPSHOTS, type Position } from './names.ts';
import { SegmentWriter } from './segment.ts';

export interface Manifest {
  readonly parts: number;
}

export interface SnapshotOptions {
  readonly objects: ObjectsPort;
  readonly codec: EntryCodec;
  readonly fence: Fence;
  readonly index: WorldIndex;
  readonly rules: string;
  readonly partBytes: number;
  /** Aborted: gives up before the manifest, and throws. */
  readonly signal: AbortSignal;
}

/** So many entries are encoded between two turns of the event loop: about 3 ms. */
const PER_TURN = 1_000;

/** Writes a snapshot that stands for all segments up to `position`, then deletes those. Answers its compressed bytes. */
export async function takeSnapshot(options: SnapshotOptions, position: Position): Promise<number> {
  const { objects, fence, signal } = options;
  let parts = 0;
  let bytes = 0;
  for await (const part of partsOf(options)) {
    signal.throwIfAborted();
    parts += 1;
    bytes += part.length;
    await objects.put(partName(position, parts), part);
  }
  await fence.check();
  const manifest: Manifest = { parts };
  await objects.put(manifestName(position), Buffer.from(JSON.stringify(manifest)));
  await fence.check();
  await tidy(objects, position);
  return bytes;
}

async function* partsOf({ codec, index, rules, partBytes }: SnapshotOptions): AsyncGenerator<Uint8Array> {
  const writer = new SegmentWriter(codec);
  let sinceTurn = 0;
  for (const entry of entriesOf(index)) {
    writer.add(entry);
    if (writer.bytes >= partBytes) yield await writer.seal({ isSettled: false, rules });
    if ((sinceTurn += 1) < PER_TURN) continue;
    sinceTurn = 0;
    await nextTurn();
  }
  if (writer.entries > 0) yield await writer.seal({ isSettled: false, rules });
}

/** The index may grow meanwhile: what is added then is in later segments, too. */
function* entriesOf(index: WorldIndex): Generator<Entry> {
  for (let record = 0; record < index.records.size; record += 1) {
    const state = index.recordState(record);
    if (state !== undefined) yield { kind: 'record', state };
  }
  const { participants } = index;
  for (let participant = 0; participant < participants.size; participant += 1) {
    const state = index.participantState(participant);
    if (state === undefined) continue;
    yield { kind: 'participant', state };
    const fingerprint = participants.fingerprint(participant);
    const epoch = participants.publishedIn(participant);
    if (epoch !== 0) yield { kind: 'outcome', state: { ...participants.key(participant), fingerprint, epoch } };
  }
}

/** Deletes what the snapshot at `position` stands for: manifests first, so that none is without its parts. */
export async function tidy(objects: ObjectsPort, position: Position): Promise<void> {
  const here = positionText(position);
  for (const prefix of [MANIFESTS, SNAPSHOTS, SEGMENTS]) {
    const limit = prefix + (prefix === SEGMENTS ? `${here}\uffff` : here);
    for await (const name of objects.list(prefix)) {
      if (name >= limit) break;
      await objects.delete(name);
    }
  }
}
