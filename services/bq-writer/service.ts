/** Writes every canonical record, match and fact to the warehouse. What it may ask there is whether the warehouse is up. */
import { defineService, type Subscribes } from '#core/service.ts';
import { entityTopic, type Topic } from '#core/topics.ts';
import type { BatchHandler, Flow } from '#core/ports/broker.ts';
import { OPS_ENTITIES, TABLES } from '#schemas/generated/tables.ts';
import type { EntityName } from '#schemas/generated/types.ts';
import { decodeAny, decodeOne, Writer } from './write.ts';

/** A batch costs at most some 20 ms to decode; enough is outstanding for the next bulk write to fill while one is under way. */
const WRITER_FLOW: Flow = {
  batchMessages: 2_000,
  batchBytes: 4_000_000,
  lingerMs: 0,
  outstandingMessages: 24_000,
  outstandingBytes: 48_000_000,
};

const OPS: readonly string[] = OPS_ENTITIES;
const WRITTEN = (Object.keys(TABLES) as EntityName[]).filter((entity) => !OPS.includes(entity));

export default defineService(
  {
    name: 'bq-writer',
    doc: 'Writes canonical records, matches and facts to the warehouse, newest version first.',
    source: null,
    uses: ['warehouse'],
    publishes: [],
    subscribes: {
      ...Object.fromEntries(WRITTEN.map((entity) => [entity, subscribes(entityTopic(entity))])),
      ops: subscribes('ops.event'),
    },
    routes: {},
    schedules: {},
    singletons: {},
    underLease: false,
    commands: {},
    config: {
      'writer.bulkRows': {
        kind: 'integer',
        unit: 'rows',
        default: 10_000,
        minimum: 1,
        maximum: 50_000,
        doc: 'Rows of one write in a backfill. A live change waits for at most one such write.',
      },
      'writer.liveLingerMs': {
        kind: 'integer',
        unit: 'milliseconds',
        default: 25,
        maximum: 10_000,
        doc: 'How long a live change waits for others, to be written together.',
      },
      'writer.bulkWritesAtOnce': {
        kind: 'integer',
        unit: 'writes',
        default: 1,
        minimum: 1,
        maximum: 64,
        doc: 'Writes of backfills under way at once, over all tables.',
      },
    },
  },
  async ({ ports, codec, clock, telemetry, config }) => {
    const writer = new Writer({
      warehouse: ports.warehouse,
      codec,
      clock,
      telemetry,
      limits: {
        live: { rows: 2_000, bytes: 4_000_000, lingerMs: config['writer.liveLingerMs'] },
        bulk: { rows: config['writer.bulkRows'], bytes: 24_000_000, lingerMs: 500 },
      },
      bulkWritesAtOnce: config['writer.bulkWritesAtOnce'],
    });
    const entities = WRITTEN.map((entity): [string, BatchHandler] => [
      entity,
      writer.handler(decodeOne(codec, entity)),
    ]);
    return {
      handlers: { ...Object.fromEntries(entities), ops: writer.handler(decodeAny(codec)) },
      routes: {},
      schedules: {},
      singletons: {},
      commands: {},
      busy: () => writer.isBusy,
      async probe() {
        for await (const _rows of ports.warehouse.query('SELECT 1', { rows: 1, timeoutMs: 5_000 })) return;
      },
    };
  },
);

function subscribes(topic: Topic): Subscribes {
  return { topic, sharing: 'shared', ackDeadlineSeconds: 60, flow: WRITER_FLOW };
}
