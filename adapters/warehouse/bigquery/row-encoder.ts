/**
 * Rows as protobuf, the form in which the Storage Write API takes them. The descriptor is made from the table, the bytes
 * by hand: one growing buffer a batch, no object a row. Wire format: https://protobuf.dev/programming-guides/encoding/
 */
import { changeSequenceNumber } from '#core/version.ts';
import type { Row, Table } from '#core/ports/warehouse.ts';
import { COLUMN_KINDS, columnsOf, isRequired, WIRE_TYPES, type WireType, type WireValue } from './columns.ts';

interface FieldDescriptor {
  readonly name: string;
  readonly number: number;
  readonly type: number;
  /** 1: optional, 2: required. */
  readonly label: 1 | 2;
}

export interface RowDescriptor {
  readonly name: string;
  readonly field: readonly FieldDescriptor[];
}

/** The numbers that Google's own writer gives the two pseudo-columns. */
const SEQUENCE_FIELD = 991;
const CHANGE_TYPE_FIELD = 992;
/** Of the buffer; a row that made it larger than this does not keep the memory. */
const USUAL_BYTES = 256 * 1024;
const OPTIONAL = 1;
const REQUIRED = 2;

export function descriptorOf(table: Table): RowDescriptor {
  const columns = columnsOf(table).map((column, at): FieldDescriptor => {
    const label = isRequired(column) ? REQUIRED : OPTIONAL;
    return { name: column.name, number: at + 1, type: WIRE_TYPES[COLUMN_KINDS[column.type].wire], label };
  });
  const pseudo = (name: string, number: number): FieldDescriptor => {
    return { name, number, type: WIRE_TYPES.string, label: REQUIRED };
  };
  return {
    name: 'Row',
    field: [...columns, pseudo('_CHANGE_SEQUENCE_NUMBER', SEQUENCE_FIELD), pseudo('_CHANGE_TYPE', CHANGE_TYPE_FIELD)],
  };
}

/** Encodes rows of one table, one after the other. Every row is an upsert; a tombstone too, since BigQuery forgets deletes after two days. */
export class RowEncoder {
  readonly #wires: readonly WireType[];
  #bytes = Buffer.allocUnsafe(USUAL_BYTES);
  #at = 0;

  constructor(table: Table) {
    this.#wires = columnsOf(table).map(({ type }) => COLUMN_KINDS[type].wire);
  }

  /** `columns[c][index]` is the row's value of column c. The bytes are the caller's to keep. */
  encode(row: Row, columns: readonly (readonly (WireValue | null)[])[], index: number): Buffer {
    this.#at = 0;
    for (let c = 0; c < columns.length; c++) {
      const value = (columns[c] as readonly (WireValue | null)[])[index] as WireValue | null;
      if (value !== null) this.#field(c + 1, this.#wires[c] as WireType, value);
    }
    this.#string(SEQUENCE_FIELD, changeSequenceNumber(row.version));
    this.#string(CHANGE_TYPE_FIELD, 'UPSERT');
    const encoded = Buffer.from(this.#bytes.subarray(0, this.#at));
    if (this.#bytes.length > USUAL_BYTES) this.#bytes = Buffer.allocUnsafe(USUAL_BYTES);
    return encoded;
  }

  #field(number: number, wire: WireType, value: WireValue): void {
    if (typeof value === 'string') return this.#string(number, value);
    this.#room(24);
    if (wire === 'double') {
      this.#varint(number * 8 + 1);
      this.#at = this.#bytes.writeDoubleLE(value as number, this.#at);
      return;
    }
    this.#varint(number * 8);
    if (typeof value === 'bigint' || (typeof value === 'number' && value < 0)) this.#long(BigInt(value));
    else this.#varint(Number(value));
  }

  #string(number: number, value: string): void {
    // UTF-8 takes at most three bytes for each UTF-16 unit.
    this.#room(value.length * 3 + 16);
    this.#varint(number * 8 + 2);
    const length = value.length < 64 ? this.#short(value) : Buffer.byteLength(value);
    if (length < 0) return;
    this.#varint(length);
    this.#at += this.#bytes.write(value, this.#at, 'utf8');
  }

  /** Most texts are short and plain: written without a call out of V8. Answers -1 when done, else the length still to write. */
  #short(value: string): number {
    const { length } = value;
    for (let at = 0; at < length; at++) if (value.charCodeAt(at) > 127) return Buffer.byteLength(value);
    this.#bytes[this.#at++] = length;
    for (let at = 0; at < length; at++) this.#bytes[this.#at++] = value.charCodeAt(at);
    return -1;
  }

  /** Of a whole number from 0 to 2^53. */
  #varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#at++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }

  /** Any of 64 bits; a negative one in two's complement, ten bytes. */
  #long(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest >= 128n) {
      this.#bytes[this.#at++] = Number(rest & 127n) + 128;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes));
    this.#bytes.copy(larger, 0, 0, this.#at);
    this.#bytes = larger;
  }
}
