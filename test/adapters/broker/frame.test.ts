import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode, store, unstore } from '#adapters/broker/embedded/frame.ts';
import type { Message } from '#core/ports/broker.ts';

const anyText = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constant(''));
const anyKey = fc
  .oneof(fc.constantFrom('lane', 'key', 'ce-id', 'to'), fc.string({ minLength: 1 }))
  .filter((key) => key !== '__proto__');
const anyMessage: fc.Arbitrary<Message> = fc.record({
  body: fc.uint8Array({ maxLength: 300 }),
  attributes: fc.dictionary(anyKey, anyText, { maxKeys: 6, noNullPrototype: true }),
});

function roundTrip(messages: readonly Message[], compress: boolean): Message[] {
  const { bodies, attributes } = decode(unstore(store(encode(messages), compress)));
  return bodies.map((body, at) => ({ body: Uint8Array.from(body), attributes: attributes[at] ?? {} }));
}

describe('a frame', () => {
  it('gives back every message as it was', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 1, maxLength: 60 }), fc.boolean(), (messages, compress) => {
        expect(roundTrip(messages, compress)).toEqual(messages);
      }),
      { numRuns: 300 },
    );
  });

  it('tells any flipped bit', () => {
    const messages = Array.from({ length: 40 }, (_, at) => ({
      body: Buffer.from(`body ${at}`.repeat(10)),
      attributes: { lane: 'live' },
    }));
    for (const compress of [true, false]) {
      const stored = store(encode(messages), compress);
      for (let byte = 0; byte < stored.data.length; byte++) {
        const data = Uint8Array.from(stored.data);
        data[byte] = (data[byte] as number) ^ (1 << (byte % 8));
        expect(() => unstore({ ...stored, data })).toThrow('checksum');
      }
    }
  });

  it('stores a value that all messages share once', () => {
    const messages = (value: (at: number) => string): Message[] =>
      Array.from({ length: 100 }, (_, at) => ({ body: new Uint8Array(), attributes: { source: value(at) } }));
    const constant = encode(messages(() => 'salesforce/00D000000000001')).length;
    const varying = encode(messages((at) => `salesforce/00D0000000000${at + 100}`)).length;
    expect(constant).toBeLessThan(varying / 5);
  });
});
