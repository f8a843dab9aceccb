/**
 * Keeps every raw event as Avro files, from which `tributary replay --from` fills a warehouse again. What is addressed to
 * another service never comes here, so replays are not archived a second time: their events are in the archive already.
 */
import type { RawSource } from '#schemas/generated/types.ts';
import { archiveFiles, RAW_SOURCES, rowOf } from '#core/archive.ts';
import { DependencyDown, Transient } from '#core/errors.ts';
import type { BatchHandler, Delivered, Flow, Lane } from '#core/ports/broker.ts';
import { defineService, type Subscribes } from '#core/service.ts';
import { rawTopic } from '#core/topics.ts';
import { Shelf } from './shelf.ts';

/** One file fills while another is stored. */
const FILE_BYTES = 8_000_000;
const FILE_MESSAGES = 10_000;
const FLOW: Flow = {
  batchMessages: 2_000,
  batchBytes: 4_000_000,
  lingerMs: 0,
  outstandingMessages: 2 * FILE_MESSAGES,
  outstandingBytes: 2 * FILE_BYTES,
};

export const archiver = defineService(
  {
    name: 'archiver',
    doc: 'Keeps raw events as Avro files by source, day and hour, to be replayed at any later time.',
    source: null,
    uses: ['objects'],
    publishes: [],
    subscribes: Object.fromEntries(RAW_SOURCES.map((source) => [source, subscribes(source)])),
    routes: {},
    schedules: {},
    singletons: {},
    underLease: false,
    commands: {},
    config: {
      'archive.liveLingerMs': {
        kind: 'integer',
        unit: 'milliseconds',
        default: 5_000,
        maximum: 600_000,
        doc: 'How long a live event waits for others, to be in one file with them.',
      },
      'archive.bulkLingerMs': {
        kind: 'integer',
        unit: 'milliseconds',
        default: 10_000,
        maximum: 600_000,
        doc: 'The same for backfills.',
      },
    },
  },
  async ({ ports: { objects }, codec, clock, config, signal }) => {
    const shelves = new Map<string, Shelf>();

    async function store(source: RawSource, messages: readonly Delivered[]): Promise<void> {
      try {
        const files = await archiveFiles(
          source,
          messages.map((message) => rowOf(codec, source, message)),
        );
        for (const { name, bytes } of files) await objects.put(name, bytes);
      } catch (error) {
        throw error instanceof Transient ? new DependencyDown('objects', error.message, { cause: error }) : error;
      }
    }

    function shelf(source: RawSource, lane: Lane): Shelf {
      const lingerMs = config[lane === 'bulk' ? 'archive.bulkLingerMs' : 'archive.liveLingerMs'];
      const limits = { bytes: FILE_BYTES, messages: FILE_MESSAGES, lingerMs };
      return new Shelf({ limits, clock, store: (messages) => store(source, messages) });
    }

    function handler(source: RawSource): BatchHandler {
      const lanes = { live: shelf(source, 'live'), bulk: shelf(source, 'bulk') };
      for (const [lane, one] of Object.entries(lanes)) shelves.set(`${source}/${lane}`, one);
      return (batch, released) => lanes[batch[0]?.attributes['lane'] === 'bulk' ? 'bulk' : 'live'].add(batch, released);
    }

    signal.addEventListener('abort', () => shelves.forEach((one) => one.stop()), { once: true });
    return {
      handlers: Object.fromEntries(RAW_SOURCES.map((source) => [source, handler(source)])),
      routes: {},
      schedules: {},
      singletons: {},
      commands: {},
      busy: () => [...shelves.values()].some(({ isBusy }) => isBusy),
      async probe() {
        await objects.get('archive/probe');
      },
    };
  },
);

function subscribes(source: RawSource): Subscribes {
  return { topic: rawTopic(source), sharing: 'shared', ackDeadlineSeconds: 60, flow: FLOW };
}
