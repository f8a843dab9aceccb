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

/** Files are some megabytes each; asking a bucket takes longer than sending what a small one holds. */
const READ_AHEAD = 4;

/** What no source's names say is not of the archive, and left alone. */
export async function* archivedFiles(
  objects: ObjectsPort,
  sources: readonly RawSource[],
  range: TimeRange,
): AsyncGenerator<ArchivedFile> {
  const waiting: Promise<ArchivedFile>[] = [];
  for await (const file of byHour(sources.map((source) => namesOf(objects, source, range)))) {
    const reading = objects.get(file.name).then((bytes) => ({ ...file, bytes }));
    // Thrown when its turn comes.
    reading.catch(() => undefined);
    waiting.push(reading);
    if (waiting.length > READ_AHEAD) yield (await waiting.shift()) as ArchivedFile;
  }
  for (const reading of waiting) yield await reading;
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
