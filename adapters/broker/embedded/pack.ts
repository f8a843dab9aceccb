/** From publishes to frames: what several callers publish to one partition in one turn is stored together. */
import type { Message, Survives } from '#core/ports/broker.ts';
import { encode, store, type StoredFrame } from './frame.ts';
import type { Partition } from './partitions.ts';

export interface PublishJob {
  readonly parts: ReadonlyMap<Partition, readonly Message[]>;
  readonly bytes: number;
  readonly isBulk: boolean;
  readonly survives: Survives;
  resolve(): void;
  reject(error: Error): void;
}

export interface PackedFrame {
  readonly count: number;
  readonly bodyBytes: number;
  readonly raw: Buffer;
  readonly stored: StoredFrame;
}

/** A frame is read as a whole, so it is bounded: some 5 ms to decode. A larger message has one of its own. */
const FRAME_MESSAGES = 4_096;
const FRAME_BYTES = 1024 * 1024;

export function pack(jobs: readonly PublishJob[], compress: boolean): ReadonlyMap<Partition, readonly PackedFrame[]> {
  const chunks = new Map<Partition, Chunks>();
  for (const job of jobs) {
    for (const [partition, messages] of job.parts) {
      let own = chunks.get(partition);
      if (!own) chunks.set(partition, (own = new Chunks()));
      for (const message of messages) own.add(message);
    }
  }
  const packed = new Map<Partition, readonly PackedFrame[]>();
  for (const [partition, own] of chunks) packed.set(partition, own.frames(compress));
  return packed;
}

class Chunks {
  readonly #done: { readonly messages: readonly Message[]; readonly bytes: number }[] = [];
  #messages: Message[] = [];
  #bytes = 0;

  add(message: Message): void {
    const isFull = this.#messages.length >= FRAME_MESSAGES || this.#bytes + message.body.byteLength > FRAME_BYTES;
    if (isFull && this.#messages.length > 0) this.#cut();
    this.#messages.push(message);
    this.#bytes += message.body.byteLength;
  }

  #cut(): void {
    this.#done.push({ messages: this.#messages, bytes: this.#bytes });
    this.#messages = [];
    this.#bytes = 0;
  }

  frames(compress: boolean): readonly PackedFrame[] {
    this.#cut();
    return this.#done.map(({ messages, bytes }) => {
      const raw = encode(messages);
      return { count: messages.length, bodyBytes: bytes, raw, stored: store(raw, compress) };
    });
  }
}

/** Messages by partition; those of one publish are nearly always of one. */
export function splitByPartition(
  messages: readonly Message[],
  partitionOf: (lane: string, addressee: string) => Partition,
): Pick<PublishJob, 'parts' | 'bytes'> {
  const parts = new Map<Partition, Message[]>();
  let bytes = 0;
  let part: Message[] | undefined;
  let lane: string | undefined;
  let addressee: string | undefined;
  for (const message of messages) {
    const { attributes } = message;
    if (!part || attributes.lane !== lane || attributes.to !== addressee) {
      ({ lane, to: addressee } = attributes);
      const partition = partitionOf(lane ?? '', addressee ?? '');
      part = parts.get(partition);
      if (!part) parts.set(partition, (part = []));
    }
    part.push(message);
    bytes += message.body.byteLength;
  }
  return { parts, bytes };
}
