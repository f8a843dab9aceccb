/**
 * The index from the log, at a start: the newest whole snapshot, then the segments after it, in order. The owner before us may
 * still be tidying, having noticed nothing: what is gone between listing and reading is in a newer snapshot, so we list again.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { Transient } from '#core/errors.ts';
import type { WorldIndex } from '../index/index.ts';
import type { Entry, EntryCodec } from './entries.ts';
import { MANIFESTS, SEGMENTS, SNAPSHOTS } from './names.ts';
import type { Manifest } from './snapshot.ts';
import { openSegment, type SegmentHeader } from './segment.ts';

export interface LoadOptions {
  readonly objects: ObjectsPort;
  readonly codec: EntryCodec;
  readonly index: WorldIndex;
}

export interface Loaded {
  /** Of the last segment; undefined if there is none. */
  readonly header: SegmentHeader | undefined;
  readonly bytes: number;
}

const TRIES = 10;
const PER_TURN = 5_000;

/** Throws `Transient` if the log does not hold still. */
export async function load(options: LoadOptions): Promise<Loaded> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const loaded = await loadOnce(options);
    if (loaded !== undefined) return loaded;
  }
  throw new Transient('log_unstable', 'Parts of the resolver log vanish while it is read; the start is tried again.');
}

/** Entries read twice do no harm: the newest state wins. */
async function loadOnce({ objects, codec, index }: LoadOptions): Promise<Loaded | undefined> {
  const toDerive = new Set<number>();
  let header: SegmentHeader | undefined;
  let bytes = 0;
  const names = await namesToRead(objects);
  for (const name of names ?? []) {
    const stored = await objects.get(name);
    if (stored === undefined) return undefined;
    bytes += stored.length;
    const segment = await openSegment(codec, stored);
    header = segment.header;
    let sinceTurn = 0;
    for (const entry of segment.entries) {
      restore(index, entry, toDerive);
      if ((sinceTurn += 1) % PER_TURN === 0) await nextTurn();
    }
  }
  for (const record of toDerive) index.derive(record);
  return names === undefined ? undefined : { header, bytes };
}

/**
 * Segments are listed before manifests: so a segment that was tidied away meanwhile is either missed when it is read, or was
 * already stood for by a manifest we see. Undefined if parts of the snapshot are gone.
 */
async function namesToRead(objects: ObjectsPort): Promise<string[] | undefined> {
  const segments = await namesIn(objects, SEGMENTS);
  const manifest = (await namesIn(objects, MANIFESTS)).at(-1);
  if (manifest === undefined) return segments;
  const at = manifest.slice(MANIFESTS.length);
  const stored = await objects.get(manifest);
  if (stored === undefined) return undefined;
  const { parts } = JSON.parse(Buffer.from(stored).toString()) as Manifest;
  const names = await namesIn(objects, `${SNAPSHOTS}${at}/`);
  if (names.length < parts) return undefined;
  return [...names.slice(0, parts), ...segments.filter((name) => name > SEGMENTS + at)];
}

async function namesIn(objects: ObjectsPort, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of objects.list(prefix)) names.push(name);
  return names;
}

function restore(index: WorldIndex, entry: Entry, toDerive: Set<number>): void {
  switch (entry.kind) {
    case 'record':
      for (const record of index.putRecord(entry.state).toDerive) toDerive.add(record);
      return;
    case 'participant':
      index.putParticipant(entry.state);
      return;
    case 'outcome': {
      const { activity, role, fingerprint, epoch } = entry.state;
      const participant = index.participants.intern(activity, role);
      if (epoch >= index.participants.publishedIn(participant))
        index.participants.published(participant, fingerprint, epoch);
    }
  }
}
