/**
 * Sends retained raw events on a new trip, after a mapper was mended: back to their raw topic, addressed to the normalizer,
 * on the bulk lane, with the next generation, so that the same read mapped rightly wins over the same read mapped wrongly.
 */
import type { RawSource } from '#schemas/generated/types.ts';
import { MICROS_PER_MS, type Clock } from '#core/clock.ts';
import type { Codec } from '#core/codec.ts';
import { ack, discard } from '#core/disposition.ts';
import type { BatchHandler, BrokerPort, Delivered, Message } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import type { StorePort } from '#core/ports/store.ts';
import { rawTopic } from '#core/topics.ts';
import { InvalidMessage } from '#core/errors.ts';
import { COMPUTE_FLOW } from '#core/service.ts';
import { withClaims } from './claims.ts';
import { newTrip, nextGeneration } from './new-trip.ts';
import type { Publisher } from './publisher.ts';

export interface ReplayOptions {
  readonly broker: BrokerPort;
  readonly publisher: Publisher;
  readonly store: StorePort;
  readonly objects: ObjectsPort;
  readonly codec: Codec;
  readonly clock: Clock;
}

export interface ReplayRequest {
  readonly source: RawSource;
  /** Events published at or after this are sent again, as far as the topic retains them. */
  readonly since: Date;
  /** Of this object only. */
  readonly object?: string;
}

const READER = 'replayer';
/** Nothing older than the replay came for this long: the topic has been read to where it began. */
const QUIET_MS = 1_000;

/**
 * Resolves when all that was published before the call was published again; what arrives meanwhile was mapped by the
 * mended mapper, and a river that never rests would otherwise hold the replay for ever. Answers how many, and their generation.
 */
export async function replayRaw(
  options: ReplayOptions,
  request: ReplayRequest,
): Promise<{ readonly replayed: number; readonly generation: number }> {
  const generation = await nextGeneration(options.store);
  const topic = rawTopic(request.source);
  // Events of this replay come back to the reader's topic, but are addressed to another service.
  const subscription = {
    name: `${READER}.${request.source}`,
    service: READER,
    topic,
    lane: 'any',
    sharing: 'broadcast',
    ackDeadlineSeconds: 60,
    flow: COMPUTE_FLOW,
  } as const;
  await options.broker.ensure([topic], [subscription]);
  const reading = new Reading(options, request, generation);
  const consumer = options.broker.consume(subscription, withClaims(reading.handler, options.objects));
  await consumer.started;
  await options.broker.seek(subscription.name, request.since);
  await reading.untilQuiet();
  await consumer.drain(5_000);
  return { replayed: reading.replayed, generation };
}

class Reading {
  readonly #options: ReplayOptions;
  readonly #request: ReplayRequest;
  readonly #generation: number;
  readonly #until: Date;
  #lastMs: number;
  replayed = 0;

  constructor(options: ReplayOptions, request: ReplayRequest, generation: number) {
    this.#options = options;
    this.#request = request;
    this.#generation = generation;
    this.#until = new Date(options.clock.nowMicros() / MICROS_PER_MS);
    this.#lastMs = options.clock.monotonicMs();
  }

  readonly handler: BatchHandler = async (batch) => {
    const messages = batch.map((message) => this.#again(message));
    const published = messages.filter((message) => message !== undefined);
    if (published.length > 0) await this.#options.publisher.publish(rawTopic(this.#request.source), published, 'kill');
    this.replayed += published.length;
    if (batch.some(({ publishedAt }) => publishedAt <= this.#until)) this.#lastMs = this.#options.clock.monotonicMs();
    return messages.map((message) => (message === undefined ? discard('not_replayed') : ack));
  };

  async untilQuiet(): Promise<void> {
    while (this.#options.clock.monotonicMs() - this.#lastMs < QUIET_MS) await this.#options.clock.sleep(50);
  }

  /** Undefined for what was addressed to somebody (itself a replay), for other objects, and for what cannot be read. */
  #again(message: Delivered): Message | undefined {
    const { codec } = this.#options;
    const { source, object, since } = this.#request;
    const { publishedAt } = message;
    if (message.attributes['to'] !== undefined || publishedAt < since || publishedAt > this.#until) return undefined;
    try {
      const event = codec.decodeRaw(source, message);
      if (object !== undefined && event.envelope.object !== object) return undefined;
      return newTrip(codec, source, event, this.#generation);
    } catch (error) {
      if (error instanceof InvalidMessage) return undefined;
      throw error;
    }
  }
}
