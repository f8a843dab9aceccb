import { describe, expect, it } from 'vitest';
import { Codec } from '#core/codec.ts';
import { parseConfig } from '#core/config.ts';
import { Misconfigured, Transient } from '#core/errors.ts';
import type { Delivered, Message } from '#core/ports/broker.ts';
import type { Context } from '#core/service.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { normalizer } from '#services/normalizer/service.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';
import { envelopeOf } from './kit.ts';

type NormalizerContext = Context<typeof normalizer.declared>;

const codec = new Codec();
const signal = new AbortController().signal;

function context(
  publish: NormalizerContext['publish'],
  values: Readonly<Record<string, string>> = {},
): NormalizerContext {
  const parsed = parseConfig(normalizer.declared.config, values);
  if (!parsed.ok) throw new Error(parsed.faults.join('\n'));
  return {
    ports: {},
    config: parsed.config,
    codec,
    clock: virtualClock(),
    random: seededRandom(1),
    telemetry: new TelemetryHub(),
    installation: 'test',
    leaseEpoch: 0,
    signal,
    publish,
    record: async () => undefined,
    exclusively: (_name, signal, work) => work(signal),
  };
}

function delivered(object: string, record: string): Delivered {
  const message = codec.encodeRaw('salesforce', { envelope: envelopeOf('salesforce', object, '1'), record });
  return { ...message, messageId: `${object}-1`, publishedAt: new Date(0), deliveryAttempts: 1 };
}

describe('the normalizer', () => {
  it('refuses to start with a default country that is none', async () => {
    const values = { 'normalizer.defaultCountry': 'Narnia' };
    await expect(normalizer.start(context(async () => undefined, values))).rejects.toThrow(Misconfigured);
  });

  it('acks nothing of a batch that could not be published', async () => {
    const living = await normalizer.start(context(() => Promise.reject(new Transient('broker_full', 'Later.'))));
    await expect(living.handlers.salesforce([delivered('Contact', '{}')], signal)).rejects.toThrow(Transient);
  });

  it('publishes each entity to its topic before it answers', async () => {
    const published: (readonly [string, number])[] = [];
    const publish = async (topic: string, messages: readonly Message[]): Promise<void> => {
      await Promise.resolve();
      published.push([topic, messages.length]);
    };
    const living = await normalizer.start(context(publish));
    const batch = [
      delivered('Contact', '{}'),
      delivered('Account', '{}'),
      delivered('Contact', '{}'),
      delivered('Nothing', '{}'),
    ];
    const answers = await living.handlers.salesforce(batch, signal);
    expect(answers.map(({ kind }) => kind)).toEqual(['ack', 'ack', 'ack', 'deadLetter']);
    expect(published.sort()).toEqual([
      ['canonical.account', 1],
      ['canonical.contact', 2],
    ]);
  });
});
