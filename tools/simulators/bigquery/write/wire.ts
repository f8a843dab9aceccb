/** The protobuf wire format, as far as rows need it: a cursor over one message. Throws `BadValue` where bytes are not a message. */
import { BadValue } from '../store/values.ts';

const LOST = 'The row is not a valid protocol buffer message';

export class Wire {
  readonly bytes: Buffer;
  at: number;
  end: number;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.at = 0;
    this.end = bytes.length;
  }

  /** A varint below 2^53 exactly; beyond it the value is rounded: for tags, lengths and the like. */
  number(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (this.at >= this.end) throw new BadValue(LOST);
      const byte = this.bytes[this.at++] as number;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  /** A varint of 64 bits, unsigned. */
  unsigned(): bigint {
    const start = this.at;
    const value = this.number();
    if (this.at - start > 10) throw new BadValue(LOST);
    if (value <= Number.MAX_SAFE_INTEGER) return BigInt(value);
    let exact = 0n;
    for (let at = this.at - 1; at >= start; at--) exact = (exact << 7n) | BigInt((this.bytes[at] as number) & 0x7f);
    return BigInt.asUintN(64, exact);
  }

  signed(): bigint {
    return BigInt.asIntN(64, this.unsigned());
  }

  zigzag(): bigint {
    const value = this.unsigned();
    return (value >> 1n) ^ -(value & 1n);
  }

  /** Steps over `size` bytes and says where they began. */
  take(size: number): number {
    const from = this.at;
    if (from + size > this.end) throw new BadValue(LOST);
    this.at += size;
    return from;
  }

  double(): number {
    return this.bytes.readDoubleLE(this.take(8));
  }

  float(): number {
    return this.bytes.readFloatLE(this.take(4));
  }

  fixed64(): bigint {
    return this.bytes.readBigUInt64LE(this.take(8));
  }

  sfixed64(): bigint {
    return this.bytes.readBigInt64LE(this.take(8));
  }

  fixed32(): bigint {
    return BigInt(this.bytes.readUInt32LE(this.take(4)));
  }

  sfixed32(): bigint {
    return BigInt(this.bytes.readInt32LE(this.take(4)));
  }

  text(): string {
    const size = this.number();
    const from = this.take(size);
    return this.bytes.toString('utf8', from, this.at);
  }

  blob(): Buffer {
    const size = this.number();
    const from = this.take(size);
    return this.bytes.subarray(from, this.at);
  }

  skip(wireType: number): void {
    if (wireType === 0) this.number();
    else if (wireType === 1) this.take(8);
    else if (wireType === 2) this.take(this.number());
    else if (wireType === 5) this.take(4);
    else throw new BadValue(LOST);
  }
}
