/** The archive's files of a stretch of time, hour by hour through all sources, read a few ahead. */
import { archivePrefix, hourOfName, type ArchiveFile } from '#core/archive.ts';
import { hourPrefixes, type TimeRange } from '#core/archive-range.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { RawSource } from '#schemas/generated/types.ts';

export interface ArchivedName {
  readonly source: RawSource;
  readonly name: string;
  /** `yyyy/mm/dd/hh` */
  readonly hour: string;
}

export interface ArchivedFile extends ArchivedName {
  /** Undefined where it went away after it was listed. */
  readonly bytes: ArchiveFile['bytes'] | undefined;
}

/** Asking a bucket takes longer than sending what a small file holds: quiet traffic makes one every few seconds. */
const READ_AHEAD_FILES = 16;
/** No more is asked for while this much waits. */
const READ_AHEAD_BYTES = 32_000_000;

/** What no source's names say is not of the archive, and left alone. */
export async function* archivedFiles(
  objects: ObjectsPort,
  sources: readonly RawSource[],
  range: TimeRange,
): AsyncGenerator<ArchivedFile> {
  const waiting: Promise<ArchivedFile>[] = [];
  let heldBytes = 0;
  const read = async (file: ArchivedName): Promise<ArchivedFile> => {
    const bytes = await objects.get(file.name);
    heldBytes += bytes?.byteLength ?? 0;
    return { ...file, bytes };
  };
  const taken = (file: ArchivedFile): ArchivedFile => {
    heldBytes -= file.bytes?.byteLength ?? 0;
    return file;
  };
  for await (const file of byHour(sources.map((source) => namesOf(objects, source, range)))) {
    const reading = read(file);
    // Thrown when its turn comes.
    reading.catch(() => undefined);
    waiting.push(reading);
    while (waiting.length > READ_AHEAD_FILES || (heldBytes > READ_AHEAD_BYTES && waiting.length > 0))
      yield taken(await (waiting.shift() as Promise<ArchivedFile>));
  }
  for (const reading of waiting) yield taken(await reading);
}

/** The first hour that is archived of any of them; undefined where nothing is. */
export async function firstHour(objects: ObjectsPort, sources: readonly RawSource[]): Promise<string | undefined> {
  const firsts: string[] = [];
  for (const source of sources) {
    for await (const name of objects.list(archivePrefix(source))) {
      const hour = hourOfName(source, name);
      if (hour === undefined) continue;
      firsts.push(hour);
      break;
    }
  }
  return firsts.sort()[0];
}

async function* namesOf(objects: ObjectsPort, source: RawSource, range: TimeRange): AsyncGenerator<ArchivedName, void> {
  for (const prefix of hourPrefixes(range)) {
    for await (const name of objects.list(archivePrefix(source) + prefix)) {
      const hour = hourOfName(source, name);
      if (hour !== undefined) yield { source, name, hour };
    }
  }
}

/** Each gives its files in order of hours; so do all together. */
async function* byHour(lists: readonly AsyncGenerator<ArchivedName, void>[]): AsyncGenerator<ArchivedName> {
  const heads = await Promise.all(lists.map(async (list) => ({ list, next: await list.next() })));
  for (;;) {
    let first: { readonly head: (typeof heads)[number]; readonly value: ArchivedName } | undefined;
    for (const head of heads) {
      if (head.next.done === true) continue;
      const { value } = head.next;
      if (first === undefined || value.hour < first.value.hour) first = { head, value };
    }
    if (first === undefined) return;
    yield first.value;
    first.head.next = await first.head.list.next();
  }
}
