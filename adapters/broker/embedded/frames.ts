/**
 * Reading frames, in order of their number. What this thread has just published is still at hand as bytes; what one
 * subscription has just decoded is shared with the others. Both caches are bounded by bytes and forget the oldest.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { decode, unstore, type DecodedFrame } from './frame.ts';
import { frameId, frameNumber } from './partitions.ts';

export interface FrameFacts {
  readonly publishedMs: number;
  readonly count: number;
  /** Of all bodies. */
  readonly bytes: number;
}

export interface LoadedFrame extends FrameFacts {
  readonly number: number;
  /** Missing when the frame is damaged: that was reported, and its messages are lost. */
  readonly decoded: DecodedFrame | undefined;
}

interface RawFrame extends FrameFacts {
  readonly raw: Buffer;
}

export class Frames {
  readonly #select: StatementSync;
  readonly #raw: ByteCache<RawFrame>;
  readonly #decoded: ByteCache<LoadedFrame>;
  readonly #report: (message: string, error: unknown) => void;

  constructor(database: DatabaseSync, cacheBytes: number, report: (message: string, error: unknown) => void) {
    this.#select = database.prepare(
      'SELECT id, published_ms, count, bytes, compressed, crc, data FROM frames WHERE id >= ? AND id < ? ORDER BY id LIMIT 1',
    );
    this.#raw = new ByteCache(cacheBytes);
    this.#decoded = new ByteCache(cacheBytes / 4);
    this.#report = report;
  }

  keep(id: number, facts: FrameFacts, raw: Buffer): void {
    this.#raw.set(id, { ...facts, raw }, raw.length);
  }

  /** The first frame of the partition with at least this number, below `before`. */
  read(partition: number, from: number, before: number): LoadedFrame | undefined {
    const id = frameId(partition, from);
    const known = this.#decoded.get(id);
    if (known) return known;
    const kept = this.#raw.get(id);
    if (kept) return this.#remember(id, { ...kept, number: from, decoded: decode(kept.raw) }, kept.raw.length);
    return this.#readStored(id, frameId(partition, before));
  }

  #readStored(from: number, before: number): LoadedFrame | undefined {
    const row = this.#select.get(from, before);
    if (!row) return undefined;
    const id = Number(row.id);
    const facts = {
      number: frameNumber(id),
      publishedMs: Number(row.published_ms),
      count: Number(row.count),
      bytes: Number(row.bytes),
    };
    try {
      const stored = { data: row.data as Uint8Array, crc: Number(row.crc), isCompressed: row.compressed === 1 };
      const raw = unstore(stored);
      const decoded = decode(raw);
      if (decoded.bodies.length !== facts.count) throw new Error('A stored frame has another count than it says.');
      return this.#remember(id, { ...facts, decoded }, raw.length);
    } catch (error) {
      this.#report(`Frame ${id} of the broker's file is damaged: ${facts.count} messages are lost.`, error);
      return this.#remember(id, { ...facts, decoded: undefined }, 0);
    }
  }

  #remember(id: number, frame: LoadedFrame, bytes: number): LoadedFrame {
    this.#decoded.set(id, frame, bytes);
    return frame;
  }
}

const ENTRY_BYTES = 256;

class ByteCache<T> {
  readonly #items = new Map<number, { readonly value: T; readonly bytes: number }>();
  readonly #limitBytes: number;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get(id: number): T | undefined {
    return this.#items.get(id)?.value;
  }

  set(id: number, value: T, valueBytes: number): void {
    const bytes = valueBytes + ENTRY_BYTES;
    this.#drop(id);
    this.#items.set(id, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#items.keys()) {
      if (this.#bytes <= this.#limitBytes || oldest === id) break;
      this.#drop(oldest);
    }
  }

  #drop(id: number): void {
    const item = this.#items.get(id);
    if (!item) return;
    this.#items.delete(id);
    this.#bytes -= item.bytes;
  }
}
