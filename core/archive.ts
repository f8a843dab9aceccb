/**
 * The raw archive: every raw event as Avro files, so that rows can be made again without asking a source.
 *
 *     archive/raw/<source>/<yyyy>/<mm>/<dd>/<hh>/<first>-<content>.avro
 *
 * Day and hour are those of the *publish*, in UTC: the broker's own time, the same for every delivery of a message, and
 * what `replay --since` means too. A batch that spans hours is several files. The name ends with a hash of what is in it:
 * stored again it replaces itself, and one that lacks rows is found out. A message delivered again in other company is
 * stored twice, and has the same version both times: replayed twice, it counts once.
 */
import { createHash } from 'node:crypto';
import { BODIES } from '#schemas/generated/bodies.ts';
import type { RawSource } from '#schemas/generated/types.ts';
import { damaged, decodeAvroFile, encodeAvroFile, syncOf } from './avro-file.ts';
import { MICROS_PER_MS } from './clock.ts';
import type { Codec, RawEvent } from './codec.ts';
import type { Envelope } from './envelope.ts';
import { InvalidMessage } from './errors.ts';
import type { Delivered } from './ports/broker.ts';

export const ARCHIVE_PREFIX = 'archive/raw/';

export const RAW_SOURCES = Object.keys(BODIES)
  .filter((name) => name.startsWith('raw.'))
  .map((name) => name.slice('raw.'.length)) as readonly RawSource[];

export interface ArchivedRow {
  readonly messageId: string;
  readonly publishedAt: number;
  readonly attributes: Readonly<Record<string, string>>;
  /** Null for a message that cannot be decoded. */
  readonly envelope: Envelope | null;
  readonly record: string | null;
  /** The body of a message that cannot be decoded. */
  readonly undecoded: Buffer | null;
}

/** The envelope as the source's own topic has it, so that what is added there is archived too. */
function schemaOf(source: RawSource): object {
  const body = BODIES[`raw.${source}`]?.schema as { readonly fields: readonly [{ readonly type: object }] };
  return {
    type: 'record',
    name: 'Archived',
    namespace: 'tributary.archive',
    doc: `A message of raw.${source} as it was published.`,
    fields: [
      { name: 'messageId', type: 'string', doc: "The broker's id of it." },
      { name: 'publishedAt', type: { type: 'long', logicalType: 'timestamp-micros' }, doc: 'When the broker took it.' },
      { name: 'attributes', type: { type: 'map', values: 'string' }, doc: 'As published.' },
      { name: 'envelope', type: ['null', body.fields[0].type], doc: 'Null where the body cannot be decoded.' },
      {
        name: 'record',
        type: ['null', 'string'],
        doc: "The vendor's record as JSON text; null on a delete without one.",
      },
      { name: 'undecoded', type: ['null', 'bytes'], doc: 'The body, where it cannot be decoded.' },
    ],
  };
}

export function rowOf(codec: Codec, source: RawSource, message: Delivered): ArchivedRow {
  const { messageId, attributes } = message;
  const publishedAt = message.publishedAt.getTime() * MICROS_PER_MS;
  try {
    const { envelope, record } = codec.decodeRaw(source, message);
    return { messageId, publishedAt, attributes, envelope, record, undecoded: null };
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return { messageId, publishedAt, attributes, envelope: null, record: null, undecoded: Buffer.from(message.body) };
  }
}

/** Throws `InvalidMessage` for a body that is still not decodable, as no other version of its schema is known. */
export function eventOf(codec: Codec, source: RawSource, row: ArchivedRow): RawEvent {
  const { envelope, record, undecoded, attributes } = row;
  if (envelope === null) return codec.decodeRaw(source, { body: undecoded ?? Buffer.of(), attributes });
  return { envelope, record };
}

export interface ArchiveFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Files of the rows, one an hour. Rows given twice are kept once; their order does not matter. */
export async function archiveFiles(source: RawSource, rows: readonly ArchivedRow[]): Promise<readonly ArchiveFile[]> {
  const unique = [...new Map(rows.map((row) => [row.messageId, row])).values()].sort(byTime);
  const hours = Map.groupBy(unique, ({ publishedAt }) => hourPath(publishedAt));
  return Promise.all(Array.from(hours, ([hour, part]) => archiveFile(source, hour, part)));
}

async function archiveFile(source: RawSource, hour: string, rows: readonly ArchivedRow[]): Promise<ArchiveFile> {
  const content = new Content();
  content.add(rows);
  const sync = content.digest();
  const first = new Date((rows[0]?.publishedAt ?? 0) / MICROS_PER_MS).toISOString().replaceAll(/[-:]/g, '');
  return {
    name: `${ARCHIVE_PREFIX}${source}/${hour}/${first}-${sync.toString('hex')}.avro`,
    bytes: await encodeAvroFile(schemaOf(source), rows, sync),
  };
}

/**
 * Rows a block at a time. Throws `InvalidMessage` (`avro_damaged`), also at the end of a file that lacks rows. What another
 * tool wrote under that name, e.g. without somebody's records, has another mark than its name says, and is not held to it.
 */
export function* archivedRows(source: RawSource, { name, bytes }: ArchiveFile): Generator<readonly ArchivedRow[]> {
  const content = new Content();
  for (const rows of decodeAvroFile<ArchivedRow>(schemaOf(source), bytes)) {
    content.add(rows);
    yield rows;
  }
  const sync = syncOf(bytes);
  const isOurs = name.endsWith(`-${sync.toString('hex')}.avro`);
  if (isOurs && !content.digest().equals(sync)) throw damaged('rows that it was written with are missing');
}

/** A hash of which messages a file holds, and of what is in them. */
class Content {
  readonly #hash = createHash('md5');

  add(rows: readonly ArchivedRow[]): void {
    for (const { messageId, attributes } of rows)
      this.#hash.update(`${messageId} ${attributes['content-hash'] ?? ''}\n`);
  }

  digest(): Buffer {
    return this.#hash.digest();
  }
}

/** `yyyy/mm/dd/hh`: ascending as text is ascending in time. */
export function hourPath(micros: number): string {
  return new Date(micros / MICROS_PER_MS).toISOString().slice(0, 13).replaceAll(/[-T]/g, '/');
}

/** The hour in a file's name as `yyyy/mm/dd/hh`; undefined where it is no file of the archive. */
export function hourOfName(source: RawSource, name: string): string | undefined {
  const pattern = /^(\d{4}\/\d\d\/\d\d\/\d\d)\/[^/]+\.avro$/;
  return name.startsWith(archivePrefix(source))
    ? pattern.exec(name.slice(archivePrefix(source).length))?.[1]
    : undefined;
}

export function archivePrefix(source: RawSource): string {
  return `${ARCHIVE_PREFIX}${source}/`;
}

function byTime(a: ArchivedRow, b: ArchivedRow): number {
  return a.publishedAt - b.publishedAt || (a.messageId < b.messageId ? -1 : a.messageId > b.messageId ? 1 : 0);
}
