/**
 * The verb: messages to rows, rows to the warehouse, and an answer for each message once its row is committed. Messages of
 * one table and lane share a queue, so batches form across calls. Bulk writes go one at a time over all tables, so a live
 * write waits for at most one of them.
 */
import type { Clock } from '#core/clock.ts';
import type { CanonicalEvent, Codec } from '#core/codec.ts';
import { deadLetter } from '#core/disposition.ts';
import { InvalidMessage, type DependencyDown } from '#core/errors.ts';
import type { BatchHandler, Delivered, Lane } from '#core/ports/broker.ts';
import type { WarehousePort } from '#core/ports/warehouse.ts';
import type { Telemetry } from '#core/telemetry.ts';
import type { EntityName } from '#schemas/generated/types.ts';
import { Delivery } from './delivery.ts';
import { Gate } from './gate.ts';
import { TableQueue, type BatchLimits, type Pending } from './queue.ts';
import { rowMaker, type RowMaker } from './rows.ts';
import { upsert } from './upsert.ts';

export interface WriterOptions {
  readonly warehouse: WarehousePort;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly limits: Readonly<Record<Lane, BatchLimits>>;
  readonly bulkWritesAtOnce: number;
}

interface Decoded {
  readonly entity: EntityName;
  readonly event: CanonicalEvent<EntityName>;
}

/** A message delivered so often comes alone, and its like wait behind it: it does not linger for others. */
const OFTEN = 4;

/** Throws `InvalidMessage`. */
export type Decode = (message: Delivered) => Decoded;

export class Writer {
  readonly #options: WriterOptions;
  readonly #bulkGate: Gate;
  readonly #makers = new Map<EntityName, RowMaker>();
  readonly #queues = new Map<string, TableQueue>();

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#bulkGate = new Gate(options.bulkWritesAtOnce);
  }

  get isBusy(): boolean {
    return [...this.#queues.values()].some((queue) => queue.isBusy);
  }

  /** Takes what a topic carries; each message settles with its own row. */
  handler(decode: Decode): BatchHandler {
    return (batch, signal) => {
      const delivery = new Delivery(batch.length, signal);
      batch.forEach((message, index) => this.#take(message, index, delivery, decode));
      return delivery.answer;
    };
  }

  #take(message: Delivered, index: number, delivery: Delivery, decode: Decode): void {
    let decoded: Decoded;
    try {
      decoded = decode(message);
    } catch (error) {
      if (!(error instanceof InvalidMessage)) throw error;
      return delivery.settle(index, deadLetter(error.code, error.message));
    }
    const { entity, event } = decoded;
    const lane: Lane = event.envelope.lane === 'bulk' || message.attributes['lane'] === 'bulk' ? 'bulk' : 'live';
    const { limits } = this.#options;
    const isAlone = message.deliveryAttempts >= OFTEN;
    const pending = {
      row: this.#maker(entity).rowOf(event),
      bytes: message.body.byteLength,
      changedAtMicros: event.envelope.changedAtMicros,
      delivery,
      index,
    };
    this.#queue(entity, lane).add(pending, limits[isAlone ? 'live' : lane].lingerMs);
  }

  #maker(entity: EntityName): RowMaker {
    let maker = this.#makers.get(entity);
    if (maker === undefined) this.#makers.set(entity, (maker = rowMaker(entity)));
    return maker;
  }

  #queue(entity: EntityName, lane: Lane): TableQueue {
    const name = `${entity}/${lane}`;
    let queue = this.#queues.get(name);
    if (queue === undefined) this.#queues.set(name, (queue = this.#newQueue(entity, lane)));
    return queue;
  }

  #newQueue(entity: EntityName, lane: Lane): TableQueue {
    const { warehouse, clock, telemetry, limits } = this.#options;
    const { table } = this.#maker(entity);
    const onDown = (part: readonly Pending[], error: DependencyDown): void => this.#fail(part, error);
    const options = { table, lane, warehouse, clock, telemetry, onDown };
    return new TableQueue({
      limits: limits[lane],
      clock,
      write: (batch) => (lane === 'live' ? upsert(options, batch) : this.#bulkGate.run(() => upsert(options, batch))),
    });
  }

  /** The warehouse is down: nothing is kept here, the broker keeps it. */
  #fail(part: readonly Pending[], error: DependencyDown): void {
    for (const { delivery } of part) delivery.fail(error);
    for (const queue of this.#queues.values()) queue.fail(error);
  }
}

/** What `canonical.<entity>` and `resolved.match` carry. */
export function decodeOne(codec: Codec, entity: EntityName): Decode {
  return (message) => ({ entity, event: codec.decodeCanonical(entity, message) });
}

/** What `ops.event` carries: several entities, each message says which. */
export function decodeAny(codec: Codec): Decode {
  return (message) => codec.decodeAny(message);
}
