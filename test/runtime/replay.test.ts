import { expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { Codec } from '#core/codec.ts';
import type { BatchHandler, BrokerPort, Delivered, Message } from '#core/ports/broker.ts';
import type { StorePort } from '#core/ports/store.ts';
import { replayRaw } from '#runtime/replay.ts';
import { memoryObjects } from '#test/kit/context.ts';

const codec = new Codec();

function raw(id: string, publishedAt: Date): Delivered {
  const message = codec.encodeRaw('dialpad', {
    envelope: {
      source: 'dialpad', instance: 'acme', object: 'call', id, operation: 'upsert', lane: 'live', runId: null, observedAtMicros: 1, changedAtMicros: null, trace: 't', hint: null,
      version: { epoch: 0, sourceSequence: 1, issuedMicros: 1, generation: 0 },
    },
    record: '{}',
  }); // prettier-ignore
  return { ...message, messageId: id, publishedAt, deliveryAttempts: 1 };
}

/** Delivers `old` at once and then, for as long as it is consumed, a message that was just published. */
function restlessBroker(old: readonly Delivered[]): BrokerPort {
  return {
    ensure: async () => undefined,
    seek: async () => undefined,
    publish: async () => undefined,
    consume: (_, handler: BatchHandler) => {
      const { signal } = new AbortController();
      void handler(old, signal);
      const timer = setInterval(() => void handler([raw('new', new Date())], signal), 20);
      return {
        pause: async () => undefined,
        resume: () => undefined,
        drain: async () => clearInterval(timer),
        started: Promise.resolve(),
        ended: Promise.resolve(),
      };
    },
  };
}

it('a replay ends at what was published before it began, though the river never rests', async () => {
  const published: Message[] = [];
  const result = await replayRaw(
    {
      broker: restlessBroker([raw('1', new Date(Date.now() - 60_000)), raw('2', new Date(Date.now() - 30_000))]),
      publisher: { publish: async (_, messages) => void published.push(...messages) },
      store: { get: async () => undefined, put: async () => '1' } as unknown as StorePort,
      objects: memoryObjects(),
      codec,
      clock: systemClock,
    },
    { source: 'dialpad', since: new Date(Date.now() - 45_000) },
  );
  expect(result).toEqual({ replayed: 1, generation: 1 });
  expect(published.map(({ attributes }) => attributes['to'])).toEqual(['normalizer']);
});
