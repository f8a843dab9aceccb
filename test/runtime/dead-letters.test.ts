import { describe, expect, it } from 'vitest';
import { Codec } from '#core/codec.ts';
import { toDeadLetter, deadLetterName, encodeDeadLetter } from '#core/dead-letter.ts';
import type { Delivered, Message } from '#core/ports/broker.ts';
import type { ObjectsPort } from '#core/ports/objects.ts';
import { DeadLetters } from '#runtime/dead-letters.ts';
import { createParking } from '#runtime/park.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

function memoryObjects(): ObjectsPort & { readonly names: () => string[] } {
  const stored = new Map<string, Uint8Array>();
  return {
    put: async (name, bytes) => void stored.set(name, bytes),
    get: async (name) => stored.get(name),
    delete: async (name) => void stored.delete(name),
    async *list(prefix) {
      yield* [...stored.keys()].filter((name) => name.startsWith(prefix)).sort();
    },
    names: () => [...stored.keys()].sort(),
  };
}

function world() {
  const published: { readonly topic: string; readonly message: Message }[] = [];
  const objects = memoryObjects();
  const publisher = {
    publish: async (topic: string, messages: readonly Message[]) =>
      void messages.forEach((message) => published.push({ topic, message })),
  };
  const shared = { objects, publisher, codec: new Codec(), installation: 'test' };
  return {
    published,
    objects,
    parking: createParking(shared),
    deadLetters: new DeadLetters({ ...shared, clock: virtualClock() }),
  };
}

function message(id: string, attributes: Record<string, string> = {}): Delivered {
  return {
    messageId: id,
    body: Buffer.from([0xff, 0x00, 0xfe]),
    attributes: { 'ce-id': id, lane: 'live', ...attributes },
    publishedAt: new Date(0),
    deliveryAttempts: 4,
  };
}

const FAILURE = {
  service: 'normalizer',
  subscription: 'normalizer.salesforce.live',
  topic: 'raw.salesforce',
  code: 'no_mapper',
  reason: 'No mapper knows it.',
  firstFailedAtMicros: 1,
  parkedAtMicros: 2,
};

describe('a parked message', () => {
  it('keeps its bytes exactly, valid text or not', async () => {
    const { parking, deadLetters, published } = world();
    await parking.park(message('a'), FAILURE);
    await deadLetters.replay({}, false);
    const sent = published.find(({ topic }) => topic === 'raw.salesforce');
    expect([...(sent?.message.body ?? [])]).toEqual([0xff, 0x00, 0xfe]);
  });

  it('is replayed on the bulk lane, addressed to the one service that failed', async () => {
    const { parking, deadLetters, published } = world();
    await parking.park(message('a'), FAILURE);
    await deadLetters.replay({}, false);
    expect(published.find(({ topic }) => topic === 'raw.salesforce')?.message.attributes).toMatchObject({
      lane: 'bulk',
      to: 'normalizer',
      replays: '1',
      'ce-id': 'a',
    });
  });

  it('parked twice after a crash is one dead letter', async () => {
    const { parking, objects } = world();
    await parking.park(message('a'), FAILURE);
    await parking.park(message('a'), { ...FAILURE, parkedAtMicros: 99 });
    expect(objects.names()).toHaveLength(1);
  });

  it('is alerted on the service’s dead-letter topic with its id and code', async () => {
    const { parking, published } = world();
    await parking.park(message('a'), FAILURE);
    const alert = published.find(({ topic }) => topic === 'dead-letter.normalizer');
    expect(alert?.message.attributes).toMatchObject({ 'dead-letter-code': 'no_mapper', 'ce-id': 'a' });
  });

  it('is not replayed a fourth time', async () => {
    const { objects, deadLetters } = world();
    const letter = toDeadLetter(message('a', { replays: '3' }), FAILURE);
    await objects.put(deadLetterName(letter), encodeDeadLetter(letter));
    expect(await deadLetters.replay({}, false)).toMatchObject({ matched: 1, replayed: 0, refused: 1 });
    expect(objects.names()).toHaveLength(1);
  });
});

describe('the counts', () => {
  it('reconcile to zero after a replay', async () => {
    const { parking, deadLetters } = world();
    for (const id of ['a', 'b', 'c']) await parking.park(message(id), FAILURE);
    expect((await deadLetters.list({})).map(({ code, letters }) => [code, letters])).toEqual([['no_mapper', 3]]);
    await deadLetters.replay({ code: 'no_mapper' }, false);
    expect(await deadLetters.list({})).toEqual([]);
  });

  it('do not change by a dry run', async () => {
    const { parking, deadLetters, published } = world();
    await parking.park(message('a'), FAILURE);
    const before = published.length;
    expect(await deadLetters.replay({}, true)).toMatchObject({ matched: 1, replayed: 0, dryRun: true });
    expect(published).toHaveLength(before);
    expect(await deadLetters.list({})).toHaveLength(1);
  });

  it.each([
    [{ code: 'other' }, 0],
    [{ service: 'resolver' }, 0],
    [{ service: 'normalizer', code: 'no_mapper' }, 1],
  ])('of the filter %j is %i', async (filter, matched) => {
    const { parking, deadLetters } = world();
    await parking.park(message('a'), FAILURE);
    expect((await deadLetters.drop(filter, true)).matched).toBe(matched);
  });

  it('each state of a dead letter is a fact of a greater version', async () => {
    const { parking, deadLetters, published } = world();
    await parking.park(message('a'), FAILURE);
    await deadLetters.drop({}, false);
    const codec = new Codec();
    const facts = published
      .filter(({ topic }) => topic === 'ops.event')
      .map(({ message: fact }) => codec.decodeCanonical('dead_letter', fact));
    expect(facts.map(({ record }) => record?.state)).toEqual(['parked', 'dropped']);
    expect(facts[1]?.envelope.version.sourceSequence).toBeGreaterThan(
      facts[0]?.envelope.version.sourceSequence ?? Infinity,
    );
  });
});
