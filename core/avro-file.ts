/**
 * Avro Object Container Files: what every Avro tool and BigQuery's load jobs read. Written by the library's encoder. Read
 * here, because its decoder ends quietly where a file is cut, and an archive that is short must say so.
 */
import { inflateRawSync } from 'node:zlib';
import avsc from 'avsc';
import { typeFor } from './codec.ts';
import { InvalidMessage, messageOf } from './errors.ts';

/** Uncompressed bytes of a block: small enough that a reader holds little, large enough to compress well. */
const BLOCK_BYTES = 256 * 1024;
const SYNC_BYTES = 16;

const HEADER = {
  type: 'record',
  name: 'Header',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 'Sync', size: SYNC_BYTES } },
  ],
};

interface Header {
  readonly magic: Buffer;
  readonly meta: Readonly<Record<string, Buffer>>;
  readonly sync: Buffer;
}

/** `sync` separates the blocks: 16 bytes that do not otherwise occur, e.g. of a hash. The same rows and sync give the same bytes. */
export async function encodeAvroFile(schema: object, rows: Iterable<unknown>, sync: Buffer): Promise<Buffer> {
  const type = typeFor(schema);
  // The schema is passed as it is: of a built type the library would write it without its logical types and docs.
  const encoder = new avsc.streams.BlockEncoder(schema as avsc.Schema, {
    codec: 'deflate',
    blockSize: BLOCK_BYTES,
    syncMarker: sync,
    writeHeader: 'always',
  });
  const parts: Buffer[] = [];
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  encoder.on('data', (part: Buffer) => parts.push(part));
  encoder.once('end', resolve);
  encoder.once('error', reject);
  for (const row of rows) {
    if (!type.isValid(row))
      throw new InvalidMessage('not_encodable', 'A row does not fit the schema of its Avro file.');
    encoder.write(row);
  }
  encoder.end();
  await ended;
  return Buffer.concat(parts);
}

/**
 * The rows of a file, read as `schema`, a block at a time. Throws `InvalidMessage` (`avro_damaged`) for what is no such
 * file, is cut, or was written with a schema that cannot be read as this one; what was read before that has been given.
 * One that ends after a whole block looks complete: see `syncOf`.
 */
export function* decodeAvroFile<R>(schema: object, bytes: Uint8Array): Generator<readonly R[]> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = typeFor('long');
  const { header, end } = headerOf(file);
  const readRows = rowReader(schema, header);
  for (let at = end; at < file.length;) {
    const count = next(long, file, at) as { value: number; offset: number };
    const size = next(long, file, count.offset) as { value: number; offset: number };
    const stop = size.offset + size.value;
    if (size.value < 0 || stop + SYNC_BYTES > file.length) throw damaged('it is cut');
    if (!file.subarray(stop, stop + SYNC_BYTES).equals(header.sync))
      throw damaged('a block does not end where it says');
    yield readRows(file.subarray(size.offset, stop), count.value) as R[];
    at = stop + SYNC_BYTES;
  }
}

/** What the file was written with as `sync`. Throws `InvalidMessage` (`avro_damaged`). */
export function syncOf(bytes: Uint8Array): Buffer {
  return headerOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)).header.sync;
}

function headerOf(file: Buffer): { readonly header: Header; readonly end: number } {
  const { value, offset } = next(typeFor(HEADER), file, 0);
  const header = value as Header;
  if (!header.magic.equals(Buffer.from('Obj\u0001'))) throw damaged('it does not begin as one');
  return { header, end: offset };
}

function rowReader(schema: object, { meta }: Header): (block: Buffer, count: number) => readonly unknown[] {
  const codec = meta['avro.codec']?.toString() ?? 'null';
  if (codec !== 'null' && codec !== 'deflate') throw damaged(`its codec is ${codec}, not deflate`);
  const { reader, writer, resolver } = resolved(schema, meta);
  return (block, count) => {
    try {
      const data = codec === 'null' ? block : inflateRawSync(block);
      const rows: unknown[] = [];
      let at = 0;
      for (let row = 0; row < count; row += 1) {
        const decoded: Decoded = resolver === undefined ? writer.decode(data, at) : reader.decode(data, at, resolver);
        if (decoded.offset < 0) throw new Error('a block holds fewer rows than it says');
        rows.push(decoded.value);
        at = decoded.offset;
      }
      return rows;
    } catch (error) {
      throw damaged(messageOf(error), error);
    }
  };
}

function resolved(schema: object, meta: Header['meta']) {
  try {
    const reader = typeFor(schema);
    const writer = typeFor(JSON.parse(meta['avro.schema']?.toString() ?? 'null'));
    return { reader, writer, resolver: reader.equals(writer) ? undefined : reader.createResolver(writer) };
  } catch (error) {
    throw damaged(`its schema cannot be read: ${messageOf(error)}`, error);
  }
}

interface Decoded {
  readonly value: unknown;
  readonly offset: number;
}

function next(type: avsc.Type, file: Buffer, at: number): Decoded {
  try {
    const decoded: Decoded = type.decode(file, at);
    if (decoded.offset >= 0) return decoded;
  } catch (error) {
    throw damaged(messageOf(error), error);
  }
  throw damaged('it is cut');
}

/** The error for a file that is not what it should be. */
export function damaged(fault: string, cause?: unknown): InvalidMessage {
  return new InvalidMessage('avro_damaged', `It is no whole Avro file: ${fault}.`, { cause });
}
