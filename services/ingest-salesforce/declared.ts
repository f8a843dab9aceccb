/** What the service is: from this the runtime wires it and the map is drawn. */
import type { Context, Declared } from '#core/service.ts';
import { CONFIG } from './config.ts';

export const DECLARED = {
  name: 'ingest-salesforce',
  doc: 'Turns change events into hints, reads the records they speak of, polls for what they missed, and reads all by Bulk API.',
  source: 'salesforce',
  uses: ['store', 'objects', 'vendor', 'warehouse'],
  publishes: ['hint.salesforce', 'raw.salesforce'],
  subscribes: {
    hints: {
      topic: 'hint.salesforce',
      sharing: 'shared',
      ackDeadlineSeconds: 60,
      // A hint is held until its settled read: with few outstanding, a burst would wait in the queue instead.
      flow: {
        batchMessages: 500,
        batchBytes: 2_000_000,
        lingerMs: 0,
        outstandingMessages: 20_000,
        outstandingBytes: 64_000_000,
      },
    },
  },
  routes: {},
  schedules: {
    poll: { everySeconds: 1, doc: 'Reads what changed or was deleted, once salesforce.pollEverySeconds have passed.' },
  },
  singletons: {
    changes: { doc: 'Holds the stream of change events, and does what it owes: the first backfill, and reconciles.' },
  },
  underLease: false,
  commands: {
    backfill: {
      doc: 'Reads all records again by Bulk API, and finds what was deleted for good.',
      arguments: { object: { doc: 'One object, e.g. Contact; all without it.', required: false } },
    },
    reconcile: {
      doc: 'Reads what changed or was deleted since a time, less the look-back.',
      arguments: {
        since: { doc: 'ISO 8601 time.', required: true },
        object: { doc: 'One object, e.g. Contact; all without it.', required: false },
      },
    },
  },
  config: CONFIG,
} as const satisfies Declared;

export type SalesforceContext = Context<typeof DECLARED>;
