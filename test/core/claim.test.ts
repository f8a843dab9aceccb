import { describe, expect, it } from 'vitest';
import { checkIn, CLAIM_ABOVE_BYTES, claimOf, needsClaim, redeem } from '#core/claim.ts';
import { Codec } from '#core/codec.ts';
import type { Envelope } from '#core/envelope.ts';
import { MESSAGE_LIMITS, type Message } from '#core/ports/broker.ts';
import { BODIES } from '#schemas/generated/bodies.ts';

const codec = new Codec();
const AT = Date.UTC(2026, 10, 25, 23, 59) * 1_000;
const ENVELOPE: Envelope = {
  source: 'salesforce', instance: '00D', object: 'Task', id: '00T1', operation: 'upsert', lane: 'bulk', runId: null, observedAtMicros: 5, changedAtMicros: null, trace: 't',
  version: { epoch: 0, sourceSequence: 7, issuedMicros: 8, generation: 0 },
  hint: { kind: 'UPDATE', changedFields: ['Description'], user: null, origin: null, transaction: null },
}; // prettier-ignore

const raw = (record: string | null): Message => codec.encodeRaw('salesforce', { envelope: ENVELOPE, record });

describe('a claim', () => {
  it('is made above the limit, with room for all attributes a message may have', () => {
    const small = raw('');
    expect(needsClaim({ ...small, body: Buffer.alloc(CLAIM_ABOVE_BYTES) })).toBe(false);
    expect(needsClaim({ ...small, body: Buffer.alloc(CLAIM_ABOVE_BYTES + 1) })).toBe(true);
    const { attributes, attributeKeyBytes, attributeValueBytes, bodyBytes } = MESSAGE_LIMITS;
    expect(CLAIM_ABOVE_BYTES + attributes * (attributeKeyBytes + attributeValueBytes)).toBeLessThan(bodyBytes);
  });

  it('is a message that its topic takes and anyone can decode: the same envelope, no record', () => {
    const { message } = checkIn('raw.salesforce', raw('x'.repeat(10_000)), AT);
    expect(message.body.byteLength).toBeLessThan(200);
    expect(codec.decodeRaw('salesforce', message)).toEqual({ envelope: ENVELOPE, record: null });
    expect(message.attributes).toMatchObject(raw('x'.repeat(10_000)).attributes);
  });

  it.each(Object.keys(BODIES))('of %s fits its schema', (name) => {
    const { attributes, body } = raw(null);
    const ce = {
      'ce-type': `tributary.${name}`,
      'ce-dataschema': `tributary:schema/${name}/${BODIES[name]?.fingerprint ?? ''}`,
    };
    const { message } = checkIn(name, { body, attributes: { ...attributes, ...ce } }, AT);
    expect(Buffer.from(message.body).equals(Buffer.from(body))).toBe(true);
  });

  it.each([
    ['bytes of no schema', { body: Buffer.from('not Avro'), attributes: {} }],
    ['a body that is cut', { ...raw(null), body: raw(null).body.subarray(0, 9) }],
    ['an unknown schema', { ...raw(null), attributes: { ...raw(null).attributes, 'ce-dataschema': 'tributary:schema/raw.salesforce/0' } }],
  ])('of %s is not empty, since a broker takes no empty message', (_, message) => {
    const checked = checkIn('dead-letter.normalizer', message, AT);
    expect(checked.message.body.byteLength).toBe(1);
    expect(redeem(checked.message, checked.claim, message.body)).toEqual(message);
  }); // prettier-ignore

  it('names its object by topic, day of the publish and content', () => {
    const [one, again] = [checkIn('raw.salesforce', raw('one'), AT), checkIn('raw.salesforce', raw('one'), AT)];
    expect(one.claim.name).toMatch(/^claims\/raw\.salesforce\/2026-11-25\/[0-9a-f]{64}$/);
    expect(again.claim).toEqual(one.claim);
    expect(checkIn('raw.salesforce', raw('two'), AT).claim.name).not.toBe(one.claim.name);
    expect(claimOf(one.message)).toEqual(one.claim);
    expect(claimOf(raw('one'))).toBeUndefined();
  });

  it('gives the message back as it was', () => {
    const message = raw('one');
    const checked = checkIn('raw.salesforce', message, AT);
    expect(redeem(checked.message, checked.claim, message.body)).toEqual(message);
  });

  it.each([
    ['claim_missing', undefined],
    ['claim_damaged', raw('ona').body],
    ['claim_damaged', raw('one').body.subarray(1)],
  ])('that cannot be redeemed says so: %s', (code, body) => {
    const { claim, message } = checkIn('raw.salesforce', raw('one'), AT);
    expect(() => redeem(message, claim, body)).toThrow(expect.objectContaining({ code }));
  });
});
