import type { ConfigSpec } from '#core/config.ts';

export const CONFIG = {
  'dialpad.companyId': { kind: 'text', doc: 'Names the Dialpad company in every key and row.' },
  'dialpad.baseUrl': { kind: 'url', default: 'https://dialpad.com', doc: 'Where the REST API is, without /api/v2.' },
  'dialpad.apiKey': { kind: 'text', secret: true, doc: "A company admin's API key with scope calls:list." },
  'dialpad.webhookSecrets': {
    kind: 'list',
    default: [],
    secret: true,
    doc: 'Secrets that may sign webhooks: one, or two while they are changed. Empty: webhooks come unsigned, and anybody can send them.',
  },
  'dialpad.epoch': {
    kind: 'integer',
    unit: 'raises',
    default: 0,
    maximum: 1_000_000,
    doc: 'To be raised when the company itself went back in time; asks for a full backfill.',
  },
  'dialpad.pollEverySeconds': {
    kind: 'integer',
    unit: 'seconds',
    default: 300,
    minimum: 1,
    doc: 'How often the list of calls is read for what webhooks missed.',
  },
  'dialpad.lookBackHours': {
    kind: 'integer',
    unit: 'hours',
    default: 24,
    minimum: 1,
    doc: 'How far a poll looks back; must be longer than the longest call, since a call is listed by its start once it has ended.',
  },
  'dialpad.requestsPerSecond': {
    kind: 'integer',
    unit: 'requests',
    default: 16,
    minimum: 1,
    maximum: 20,
    doc: "Our share of the company's 1,200 list requests a minute.",
  },
} as const satisfies ConfigSpec;
