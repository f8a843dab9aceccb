/**
 * Texts to small numbers and back, outside the JavaScript heap: the bytes in chunks, a hash table of numbers over them. A
 * `Map` of strings would cost 100 bytes and more a text and ends at 16.7 million entries. Texts are never forgotten; what is
 * interned again has its old number. The table is in shards, so that growing one stops nothing for long.
 */
import { unsigned } from './column.ts';

const CHUNK_BITS = 20;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const SHARDS = 64;
const LONG = 255;
/** A slot holds an ordinal + 1 in 27 bits and 5 bits of the hash, which spare most looks at texts that are not it. */
const ORDINAL_MASK = 2 ** 27 - 1;
const TAG_MASK = ~ORDINAL_MASK >>> 0;

interface Shard {
  /** 0 where free. Linear probing. */
  slots: Uint32Array;
  used: number;
}

export class Interner {
  readonly #chunks: Buffer[] = [];
  readonly #offsets = unsigned();
  readonly #shards: Shard[] = Array.from({ length: SHARDS }, () => ({ slots: new Uint32Array(16), used: 0 }));
  #end = 0;
  #size = 0;
  #scratch = Buffer.allocUnsafe(512);
  #length = 0;

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    const slots = this.#shards.reduce((sum, shard) => sum + shard.slots.byteLength, 0);
    return this.#chunks.length * CHUNK_BYTES + this.#offsets.bytes + slots;
  }

  /** Of `prefix` and `text` as one text. */
  intern(text: string, prefix = ''): number {
    return this.#probe(prefix, text);
  }

  text(ordinal: number): string {
    const offset = this.#offsets.get(ordinal);
    const chunk = this.#chunks[offset >>> CHUNK_BITS] as Buffer;
    const at = offset & (CHUNK_BYTES - 1);
    const start = at + headBytes(chunk, at);
    return chunk.toString('utf8', start, start + lengthAt(chunk, at));
  }

  #probe(prefix: string, text: string): number {
    this.#length = 0;
    this.#load(prefix);
    this.#load(text);
    const hash = hashOf(this.#scratch, 0, this.#length);
    const shard = this.#shards[hash & (SHARDS - 1)] as Shard;
    const { slots } = shard;
    const mask = slots.length - 1;
    const tag = (hash & TAG_MASK) >>> 0;
    for (let slot = (hash >>> 6) & mask; ; slot = (slot + 1) & mask) {
      const held = slots[slot] as number;
      if (held === 0) return this.#add(shard, slot, tag);
      const ordinal = (held & ORDINAL_MASK) - 1;
      if ((held & TAG_MASK) >>> 0 === tag && this.#equals(ordinal)) return ordinal;
    }
  }

  /** Puts the text's UTF-8 behind what is in the scratch buffer. */
  #load(text: string): void {
    const { length } = text;
    const start = this.#length;
    if (start + length > this.#scratch.length) this.#enlarge(start + length);
    const scratch = this.#scratch;
    for (let at = 0; at < length; at += 1) {
      const code = text.charCodeAt(at);
      if (code > 127) return this.#loadSlowly(text);
      scratch[start + at] = code;
    }
    this.#length = start + length;
  }

  #loadSlowly(text: string): void {
    const encoded = Buffer.from(text, 'utf8');
    const end = this.#length + encoded.length;
    if (end > this.#scratch.length) this.#enlarge(end);
    encoded.copy(this.#scratch, this.#length);
    this.#length = end;
  }

  #enlarge(length: number): void {
    const larger = Buffer.allocUnsafe(length * 2);
    this.#scratch.copy(larger, 0, 0, this.#length);
    this.#scratch = larger;
  }

  #equals(ordinal: number): boolean {
    const offset = this.#offsets.get(ordinal);
    const chunk = this.#chunks[offset >>> CHUNK_BITS] as Buffer;
    const at = offset & (CHUNK_BYTES - 1);
    const length = this.#length;
    if (lengthAt(chunk, at) !== length) return false;
    const start = at + headBytes(chunk, at);
    const scratch = this.#scratch;
    for (let index = length - 1; index >= 0; index -= 1) if (chunk[start + index] !== scratch[index]) return false;
    return true;
  }

  #add(shard: Shard, slot: number, tag: number): number {
    const ordinal = this.#size;
    if (ordinal >= ORDINAL_MASK) throw new RangeError('The index is full: it holds at most 134 million texts.');
    this.#offsets.set(ordinal, this.#store());
    this.#size += 1;
    shard.slots[slot] = (tag | (ordinal + 1)) >>> 0;
    shard.used += 1;
    if (shard.used * 4 > shard.slots.length * 3) this.#grow(shard);
    return ordinal;
  }

  #store(): number {
    const length = this.#length;
    const needed = length + (length < LONG ? 1 : 5);
    if (needed > CHUNK_BYTES) throw new RangeError('A text of more than a megabyte cannot be an identifier.');
    const left = this.#chunks.length * CHUNK_BYTES - this.#end;
    if (left < needed) {
      this.#end = this.#chunks.length * CHUNK_BYTES;
      this.#chunks.push(Buffer.allocUnsafeSlow(CHUNK_BYTES));
    }
    const offset = this.#end;
    const chunk = this.#chunks[offset >>> CHUNK_BITS] as Buffer;
    const at = offset & (CHUNK_BYTES - 1);
    chunk[at] = length < LONG ? length : LONG;
    if (length >= LONG) chunk.writeUInt32LE(length, at + 1);
    this.#scratch.copy(chunk, at + headBytes(chunk, at), 0, length);
    this.#end += needed;
    return offset;
  }

  #grow(shard: Shard): void {
    const slots = new Uint32Array(shard.slots.length * 2);
    const mask = slots.length - 1;
    for (const held of shard.slots) {
      if (held === 0) continue;
      const offset = this.#offsets.get((held & ORDINAL_MASK) - 1);
      const chunk = this.#chunks[offset >>> CHUNK_BITS] as Buffer;
      const at = offset & (CHUNK_BYTES - 1);
      const start = at + headBytes(chunk, at);
      let slot = (hashOf(chunk, start, start + lengthAt(chunk, at)) >>> 6) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = held;
    }
    shard.slots = slots;
  }
}

function headBytes(chunk: Buffer, at: number): number {
  return chunk[at] === LONG ? 5 : 1;
}

function lengthAt(chunk: Buffer, at: number): number {
  const length = chunk[at] as number;
  return length === LONG ? chunk.readUInt32LE(at + 1) : length;
}

/** FNV-1a with a finish that spreads the lower bits. */
function hashOf(bytes: Buffer, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
