/** Events of a replay on their way out: counted by object, and published in batches to the topic of their source. */
import type { Message } from '#core/ports/broker.ts';
import { rawTopic } from '#core/topics.ts';
import type { RawSource } from '#schemas/generated/types.ts';
import type { Publisher } from './publisher.ts';

export interface ReplayedObject {
  readonly source: RawSource;
  /** The source's own name. */
  readonly object: string;
  readonly events: number;
  /** Of the messages' bodies. */
  readonly bytes: number;
}

const BATCH_MESSAGES = 1_000;
const BATCH_BYTES = 4_000_000;

interface Waiting {
  messages: Message[];
  bytes: number;
}

export class ReplayOutbox {
  readonly #publisher: Publisher | undefined;
  readonly #waiting = new Map<RawSource, Waiting>();
  readonly #counts = new Map<string, { source: RawSource; object: string; events: number; bytes: number }>();

  /** Without a publisher it only counts. */
  constructor(publisher: Publisher | undefined) {
    this.#publisher = publisher;
  }

  async add(source: RawSource, object: string, message: Message): Promise<void> {
    const { byteLength } = message.body;
    this.#count(source, object, byteLength);
    if (this.#publisher === undefined) return;
    const waiting = this.#waiting.get(source) ?? { messages: [], bytes: 0 };
    this.#waiting.set(source, waiting);
    waiting.messages.push(message);
    waiting.bytes += byteLength;
    if (waiting.messages.length >= BATCH_MESSAGES || waiting.bytes >= BATCH_BYTES) await this.#send(source, waiting);
  }

  /** Resolves when all that was added is the broker's. */
  async flush(): Promise<void> {
    for (const [source, waiting] of this.#waiting) await this.#send(source, waiting);
  }

  get events(): number {
    return this.of.reduce((sum, { events }) => sum + events, 0);
  }

  get bytes(): number {
    return this.of.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** In order of source and object. */
  get of(): readonly ReplayedObject[] {
    return [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => ({ ...count }));
  }

  #count(source: RawSource, object: string, bytes: number): void {
    const key = `${source}/${object}`;
    const count = this.#counts.get(key) ?? { source, object, events: 0, bytes: 0 };
    count.events += 1;
    count.bytes += bytes;
    this.#counts.set(key, count);
  }

  async #send(source: RawSource, waiting: Waiting): Promise<void> {
    const { messages } = waiting;
    [waiting.messages, waiting.bytes] = [[], 0];
    await this.#publisher?.publish(rawTopic(source), messages, 'kill');
  }
}
