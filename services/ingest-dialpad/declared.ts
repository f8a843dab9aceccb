/** What the service is: from this the runtime wires it and the map is drawn. */
import type { Context, Declared } from '#core/service.ts';
import { CONFIG } from './config.ts';

export const DECLARED = {
  name: 'ingest-dialpad',
  doc: 'Takes call webhooks, polls the list of calls for what they missed, and lists all calls once.',
  source: 'dialpad',
  uses: ['store', 'vendor'],
  publishes: ['raw.dialpad'],
  subscribes: {},
  routes: {
    // Dialpad gives up after 5 s: it must have our 503 before that, or its retry overlaps with ours.
    calls: { path: '/webhooks/dialpad', method: 'POST', bodyLimitBytes: 1_048_576, answerWithinMs: 4_000 },
  },
  schedules: {
    poll: { everySeconds: 1, doc: 'Lists recent calls when dialpad.pollEverySeconds have passed since the last time.' },
  },
  singletons: {
    firstSync: { doc: 'Lists all calls when the company, or its epoch, is new; resumes where it stopped.' },
  },
  underLease: false,
  commands: {
    backfill: { doc: 'Lists all calls again.', arguments: {} },
    reconcile: {
      doc: 'Lists the calls that started since a time, less the look-back, and publishes what it finds.',
      arguments: { since: { doc: 'ISO 8601 time.', required: true } },
    },
  },
  config: CONFIG,
} as const satisfies Declared;

export type DialpadContext = Context<typeof DECLARED>;
