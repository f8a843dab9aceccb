/**
 * A frame is what one publish stored for one partition: many messages in one row. Layout before compression, in the
 * machine's byte order (a broker file stays on the machine that wrote it):
 *
 *     integers (32 bit)   count of integers, messages, text units, text kind, then shapes, columns and body lengths
 *     text                attribute keys and values, joined; a column with one value throughout is stored once
 *     bodies              joined
 *
 * Messages with the same attribute keys share a shape, and each key of a shape is a column. One text for the whole frame
 * means one native call to read it; the values are cut from it without copying.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { Message } from '#core/ports/broker.ts';

/** As stored. `crc` covers `data` as it lies on the disk. */
export interface StoredFrame {
  readonly data: Uint8Array;
  readonly crc: number;
  readonly isCompressed: boolean;
}

export interface DecodedFrame {
  readonly bodies: readonly Buffer[];
  readonly attributes: readonly Message['attributes'][];
}

interface Shape {
  readonly keys: readonly string[];
  readonly columns: string[][];
}

const HEADER_INTEGERS = 4;
const LATIN1 = 0;
const UTF16 = 1;
/** Below this a zstd call costs more time (25 µs) than the saved bytes are worth. */
const COMPRESS_FROM_BYTES = 1_024;
/** A decompressed frame can be no larger than one 10 MB message and its attributes. */
const LONGEST_FRAME_BYTES = 32 * 1024 * 1024;

/** Packs the bytes of a frame for storage. */
export function store(raw: Buffer, compress = true): StoredFrame {
  const isCompressed = compress && raw.length >= COMPRESS_FROM_BYTES;
  const data = isCompressed ? zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }) : raw;
  return { data, crc: crc32(data), isCompressed };
}

/** The bytes of a stored frame; throws when they are not what was stored. */
export function unstore(frame: StoredFrame): Buffer {
  const data = Buffer.from(frame.data.buffer, frame.data.byteOffset, frame.data.byteLength);
  if (crc32(data) !== frame.crc) throw new Error('The checksum of a stored frame is wrong.');
  return frame.isCompressed ? zstdDecompressSync(data, { maxOutputLength: LONGEST_FRAME_BYTES }) : data;
}

export function encode(messages: readonly Message[]): Buffer {
  const shapes: Shape[] = [];
  const shapeOf: number[] = [];
  let bodyBytes = 0;
  for (const message of messages) {
    shapeOf.push(addToShape(shapes, message.attributes, shapeOf.at(-1) ?? 0));
    bodyBytes += message.body.byteLength;
  }
  const integers = [0, messages.length, 0, LATIN1, shapes.length];
  const texts: string[] = [];
  if (shapes.length > 1) for (const shape of shapeOf) integers.push(shape);
  for (const shape of shapes) writeShape(shape, integers, texts);
  for (const message of messages) integers.push(message.body.byteLength);
  return assemble(integers, texts.join(''), messages, bodyBytes);
}

function assemble(integers: number[], text: string, messages: readonly Message[], bodyBytes: number): Buffer {
  const isAscii = Buffer.byteLength(text) === text.length;
  integers[0] = integers.length;
  integers[2] = text.length;
  integers[3] = isAscii ? LATIN1 : UTF16;
  const textAt = integers.length * 4;
  let at = textAt + text.length * (isAscii ? 1 : 2);
  const raw = Buffer.from(new ArrayBuffer(at + bodyBytes));
  new Uint32Array(raw.buffer, 0, integers.length).set(integers);
  raw.write(text, textAt, isAscii ? 'latin1' : 'utf16le');
  for (const { body } of messages) {
    raw.set(body, at);
    at += body.byteLength;
  }
  return raw;
}

/** Adds a message's values to the shape with its keys, trying the last message's shape first. Answers which. */
function addToShape(shapes: Shape[], attributes: Message['attributes'], guess: number): number {
  const guessed = shapes[guess];
  if (guessed && addIfSame(guessed, attributes)) return guess;
  const keys = Object.keys(attributes);
  const known = shapes.findIndex(
    (shape) => shape.keys.length === keys.length && keys.every((key, at) => shape.keys[at] === key),
  );
  const shape = known < 0 ? { keys, columns: keys.map(() => []) } : (shapes[known] as Shape);
  keys.forEach((key, at) => (shape.columns[at] as string[]).push(attributes[key] as string));
  return known < 0 ? shapes.push(shape) - 1 : known;
}

function addIfSame(shape: Shape, attributes: Message['attributes']): boolean {
  const { keys, columns } = shape;
  let at = 0;
  for (const key in attributes) if (keys[at++] !== key) return false;
  if (at !== keys.length) return false;
  for (at = 0; at < keys.length; at++) (columns[at] as string[]).push(attributes[keys[at] as string] as string);
  return true;
}

/** Integers: keys, and per key its length, the number of values stored (1 if all are equal), their lengths. */
function writeShape(shape: Shape, integers: number[], texts: string[]): void {
  integers.push(shape.keys.length);
  shape.keys.forEach((key, at) => {
    const values = shape.columns[at] as string[];
    const first = values[0] as string;
    const isConstant = values.every((value) => value === first);
    const stored = isConstant ? [first] : values;
    integers.push(key.length, stored.length);
    texts.push(key);
    for (const value of stored) {
      integers.push(value.length);
      texts.push(value);
    }
  });
}

export function decode(raw: Buffer): DecodedFrame {
  const integers = integersOf(raw);
  const count = integers[1] as number;
  const units = integers[2] as number;
  const textAt = (integers[0] as number) * 4;
  const bodyAt = textAt + units * (integers[3] === UTF16 ? 2 : 1);
  const text = raw.toString(integers[3] === UTF16 ? 'utf16le' : 'latin1', textAt, bodyAt);
  const shapeCount = integers[HEADER_INTEGERS] as number;
  let at = HEADER_INTEGERS + 1;
  const shapeOf = shapeCount > 1 ? integers.subarray(at, at + count) : undefined;
  if (shapeOf) at += count;
  const reader = { integers, text, at, textAt: 0 };
  const shapes: Shape[] = [];
  for (let shape = 0; shape < shapeCount; shape++) shapes.push(readShape(reader));
  return { attributes: readAttributes(shapes, shapeOf, count), bodies: readBodies(raw, reader, count, bodyAt) };
}

function integersOf(raw: Buffer): Uint32Array {
  const length = raw.readUInt32LE(0);
  if (length * 4 > raw.length) throw new Error('A stored frame is shorter than it says.');
  if (raw.byteOffset % 4 === 0) return new Uint32Array(raw.buffer, raw.byteOffset, length);
  return new Uint32Array(Uint8Array.from(raw.subarray(0, length * 4)).buffer);
}

interface Reader {
  readonly integers: Uint32Array;
  readonly text: string;
  at: number;
  textAt: number;
}

function readShape(reader: Reader): Shape {
  const keys: string[] = [];
  const columns: string[][] = [];
  for (let left = reader.integers[reader.at++] as number; left > 0; left--) {
    const keyLength = reader.integers[reader.at++] as number;
    const stored = reader.integers[reader.at++] as number;
    keys.push(cut(reader, keyLength));
    const values: string[] = new Array<string>(stored);
    for (let value = 0; value < stored; value++) values[value] = cut(reader, reader.integers[reader.at++] as number);
    columns.push(values);
  }
  return { keys, columns };
}

function cut(reader: Reader, units: number): string {
  const from = reader.textAt;
  reader.textAt += units;
  return reader.text.substring(from, reader.textAt);
}

function readAttributes(
  shapes: readonly Shape[],
  shapeOf: Uint32Array | undefined,
  count: number,
): Message['attributes'][] {
  const rows = new Uint32Array(shapes.length);
  const all = new Array<Message['attributes']>(count);
  for (let message = 0; message < count; message++) {
    const index = shapeOf ? (shapeOf[message] as number) : 0;
    const { keys, columns } = shapes[index] as Shape;
    const row = rows[index] as number;
    rows[index] = row + 1;
    const attributes: Record<string, string> = {};
    for (let key = 0; key < keys.length; key++) {
      const values = columns[key] as string[];
      attributes[keys[key] as string] = values.length === 1 ? (values[0] as string) : (values[row] as string);
    }
    all[message] = attributes;
  }
  return all;
}

function readBodies(raw: Buffer, reader: Reader, count: number, bodyAt: number): Buffer[] {
  const bodies = new Array<Buffer>(count);
  let from = bodyAt;
  for (let message = 0; message < count; message++) {
    const to = from + (reader.integers[reader.at++] as number);
    bodies[message] = raw.subarray(from, to);
    from = to;
  }
  if (from !== raw.length) throw new Error('A stored frame has another length than it says.');
  return bodies;
}
