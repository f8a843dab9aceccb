/** Raw records of every source to canonical entities: stateless, one message in, one message out. */
import type { RawSource } from '#schemas/generated/types.ts';
import { Misconfigured } from '#core/errors.ts';
import { countryCode } from '#core/identifiers/countries.ts';
import { createPhoneParser } from '#core/identifiers/phone.ts';
import type { BatchHandler } from '#core/ports/broker.ts';
import { COMPUTE_FLOW, defineService, type Declared, type Subscribes } from '#core/service.ts';
import { entityTopic, type Topic } from '#core/topics.ts';
import { MAPPERS } from './mappers/index.ts';
import { createNormalizer } from './normalize.ts';

const DECLARED = {
  name: 'normalizer',
  doc: 'Maps raw records to canonical entities, with phones in E.164 and e-mail addresses in one form.',
  source: null,
  uses: [],
  publishes: MAPPERS.map(({ entity }): Topic => entityTopic(entity)),
  subscribes: { salesforce: subscription('raw.salesforce'), dialpad: subscription('raw.dialpad') },
  routes: {},
  schedules: {},
  singletons: {},
  underLease: false,
  commands: {},
  config: {
    'normalizer.defaultCountry': {
      kind: 'text',
      default: null,
      doc: 'Country (ISO code) of phone numbers that say none, where neither the record nor its account names one.',
    },
    'normalizer.phoneCacheEntries': {
      kind: 'integer',
      unit: 'phones',
      default: 50_000,
      maximum: 5_000_000,
      doc: 'Parsed phones kept in memory, about 250 bytes each.',
    },
  },
} as const satisfies Declared;

export const normalizer = defineService(DECLARED, async (context) => {
  const { config } = context;
  const phones = createPhoneParser({
    defaultCountry: defaultCountry(config['normalizer.defaultCountry']),
    cacheEntries: config['normalizer.phoneCacheEntries'],
  });
  const { normalize } = createNormalizer(context.codec, MAPPERS, phones);

  function handler(source: RawSource): BatchHandler {
    return async (batch) => {
      const { outputs, dispositions } = normalize(source, batch);
      await Promise.all(Array.from(outputs, ([topic, messages]) => context.publish(topic, messages, 'kill')));
      return dispositions;
    };
  }

  return {
    handlers: { salesforce: handler('salesforce'), dialpad: handler('dialpad') },
    routes: {},
    schedules: {},
    singletons: {},
    commands: {},
  };
});

function subscription<T extends 'raw.salesforce' | 'raw.dialpad'>(topic: T): Subscribes & { readonly topic: T } {
  return { topic, sharing: 'shared', ackDeadlineSeconds: 60, flow: COMPUTE_FLOW };
}

function defaultCountry(text: string | null): string | null {
  if (text === null) return null;
  const code = countryCode(text);
  if (code === null)
    throw new Misconfigured('unknown_country', `normalizer.defaultCountry must be an ISO country code such as GB.`);
  return code;
}
