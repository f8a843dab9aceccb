/** The dead letters that are parked: listed, shown, replayed to the one service that failed, or dropped. */
import { Codec } from '#core/codec.ts';
import {
  DEAD_LETTERS_PREFIX,
  deadLetterFact,
  deadLetterName,
  decodeDeadLetter,
  MAXIMUM_REPLAYS,
  parseDeadLetterName,
  replayMessage,
  type DeadLetter,
} from '#core/dead-letter.ts';
import type { Clock } from '#core/clock.ts';
import { InvalidMessage } from '#core/errors.ts';
import { factMessage } from '#core/facts.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { Publisher } from './publisher.ts';

export interface DeadLetterFilter {
  readonly service?: string;
  readonly code?: string;
  readonly id?: string;
  /** Of these records, as `keyText` writes a key; each letter is read to see. Not for `list`. */
  readonly keys?: readonly string[];
}

export interface DeadLetterGroup {
  readonly service: string;
  readonly code: string;
  readonly letters: number;
  readonly examples: readonly string[];
}

export interface ReplayResult {
  readonly matched: number;
  readonly replayed: number;
  /** Replayed as often as is allowed before: fix the cause, then drop it or read the source again. */
  readonly refused: number;
  readonly dryRun: boolean;
}

export interface DeadLettersOptions {
  readonly objects: ObjectsPort;
  readonly publisher: Publisher;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly installation: string;
}

const EXAMPLES = 3;

export class DeadLetters {
  readonly #options: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  /** Grouped by service and code, the most frequent first. */
  async list(filter: DeadLetterFilter): Promise<readonly DeadLetterGroup[]> {
    const groups = new Map<string, { service: string; code: string; letters: number; examples: string[] }>();
    for await (const { service, code, id } of this.#names(filter)) {
      const group = groups.get(`${service}/${code}`) ?? { service, code, letters: 0, examples: [] };
      group.letters += 1;
      if (group.examples.length < EXAMPLES) group.examples.push(id);
      groups.set(`${service}/${code}`, group);
    }
    return [...groups.values()].sort((a, b) => b.letters - a.letters);
  }

  /** One letter with its message decoded as far as it can be. */
  async show(id: string): Promise<Readonly<Record<string, unknown>>> {
    for await (const name of this.#names({ id })) {
      const letter = await this.#read(deadLetterName(name));
      if (letter !== undefined)
        return {
          ...withoutBody(letter),
          bodyBytes: Buffer.byteLength(letter.bodyBase64, 'base64'),
          decoded: this.#decode(letter),
        };
    }
    throw new InvalidMessage('no_such_dead_letter', `No dead letter has the id ${id}: see dead-letters list.`);
  }

  async replay(filter: DeadLetterFilter, dryRun: boolean): Promise<ReplayResult> {
    let [matched, replayed, refused] = [0, 0, 0];
    for await (const name of this.#names(filter)) {
      const letter = await this.#read(deadLetterName(name));
      if (letter === undefined || !isOf(letter, filter)) continue;
      matched += 1;
      if (letter.replays >= MAXIMUM_REPLAYS) refused += 1;
      else if (!dryRun) {
        await this.#options.publisher.publish(letter.topic, [replayMessage(letter)], 'power');
        await this.#finish(letter, 'replayed');
        replayed += 1;
      }
    }
    return { matched, replayed, refused, dryRun };
  }

  async drop(
    filter: DeadLetterFilter,
    dryRun: boolean,
  ): Promise<{ readonly matched: number; readonly dropped: number; readonly dryRun: boolean }> {
    let [matched, dropped] = [0, 0];
    for await (const name of this.#names(filter)) {
      const letter = await this.#read(deadLetterName(name));
      if (letter === undefined || !isOf(letter, filter)) continue;
      matched += 1;
      if (dryRun) continue;
      await this.#finish(letter, 'dropped');
      dropped += 1;
    }
    return { matched, dropped, dryRun };
  }

  /** The publish is durable before the parked bytes go: a kill between leaves both, and the version decides. */
  async #finish(letter: DeadLetter, state: 'replayed' | 'dropped'): Promise<void> {
    const { objects, publisher, codec, clock, installation } = this.#options;
    const fact = deadLetterFact(letter, state, clock.nowMicros());
    await publisher.publish('ops.event', [factMessage(codec, installation, fact)], 'kill');
    await objects.delete(deadLetterName(letter));
  }

  async *#names(filter: DeadLetterFilter): AsyncIterable<Pick<DeadLetter, 'service' | 'code' | 'id'>> {
    const prefix = filter.service === undefined ? DEAD_LETTERS_PREFIX : `${DEAD_LETTERS_PREFIX}${filter.service}/`;
    for await (const name of this.#options.objects.list(prefix)) {
      const parts = parseDeadLetterName(name);
      if (parts === undefined) continue;
      if (filter.code !== undefined && parts.code !== filter.code) continue;
      if (filter.id !== undefined && parts.id !== filter.id) continue;
      yield parts;
    }
  }

  async #read(name: string): Promise<DeadLetter | undefined> {
    const bytes = await this.#options.objects.get(name);
    return bytes === undefined ? undefined : decodeDeadLetter(bytes);
  }

  #decode(letter: DeadLetter): unknown {
    const message = { body: Buffer.from(letter.bodyBase64, 'base64'), attributes: letter.attributes };
    try {
      const [, source] = letter.topic.split('.') as [string, 'salesforce'];
      return /^(raw|hint)\./.test(letter.topic)
        ? this.#options.codec.decodeRaw(source, message)
        : this.#options.codec.decodeAny(message).event;
    } catch (error) {
      return { undecodable: error instanceof Error ? error.message : String(error) };
    }
  }
}

function isOf({ attributes }: DeadLetter, { keys }: DeadLetterFilter): boolean {
  return keys === undefined || keys.includes(attributes['key'] ?? '');
}

function withoutBody(letter: DeadLetter): Omit<DeadLetter, 'bodyBase64'> {
  const { bodyBase64: _bodyBase64, ...rest } = letter;
  return rest;
}
