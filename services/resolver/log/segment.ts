/**
 * A segment: entries in one object, compressed, with a header that says how to read them and what state the resolver was in.
 * Bytes: zstd of (length of the header, header as JSON, entries).
 */
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import type { Entry, EntryCodec } from './entries.ts';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export interface SegmentHeader {
  /** Nothing waited to be decided: what is published is what the entries up to here say. */
  readonly isSettled: boolean;
  /** The version of the rules that decided. */
  readonly rules: string;
}

interface StoredHeader extends SegmentHeader {
  readonly format: 1;
  readonly schemas: Readonly<Record<string, unknown>>;
}

const GROWTH = 64 * 1024;

/** Collects entries. */
export class SegmentWriter {
  readonly #codec: EntryCodec;
  #buffer = Buffer.allocUnsafe(GROWTH);
  #length = 0;
  #entries = 0;

  constructor(codec: EntryCodec) {
    this.#codec = codec;
  }

  get bytes(): number {
    return this.#length;
  }

  get entries(): number {
    return this.#entries;
  }

  add(entry: Entry): void {
    for (let end = this.#codec.write(entry, this.#buffer, this.#length); ;) {
      if (end >= 0) {
        this.#length = end;
        this.#entries += 1;
        return;
      }
      const larger = Buffer.allocUnsafe(this.#buffer.length * 2);
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
      end = this.#codec.write(entry, this.#buffer, this.#length);
    }
  }

  /** Compresses outside the main thread; the writer may be used for the next segment meanwhile. */
  seal(header: SegmentHeader): Promise<Uint8Array> {
    const stored: StoredHeader = { format: 1, ...header, schemas: this.#codec.schemas };
    const json = Buffer.from(JSON.stringify(stored));
    const head = Buffer.allocUnsafe(4);
    head.writeUInt32LE(json.length);
    const whole = Buffer.concat([head, json, this.#buffer.subarray(0, this.#length)]);
    this.#length = 0;
    this.#entries = 0;
    return compress(whole, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  }
}

export interface Segment {
  readonly header: SegmentHeader;
  readonly entries: Iterable<Entry>;
}

export async function openSegment(codec: EntryCodec, bytes: Uint8Array): Promise<Segment> {
  const whole = await decompress(bytes);
  const end = 4 + whole.readUInt32LE(0);
  const { schemas, ...header } = JSON.parse(whole.toString('utf8', 4, end)) as StoredHeader;
  return { header, entries: codec.read(whole, end, schemas) };
}
