import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { CompactSign, UnsecuredJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { createExpressWeb } from '#adapters/web/express.ts';
import { DECLARED } from '#services/ingest-dialpad/declared.ts';
import { bench, recordOf, SECRET, signed, type Bench } from './kit.ts';

const HANGUP = JSON.stringify({
  call_id: 5_600_000_000_000_001,
  state: 'hangup',
  event_timestamp: 1_767_600_000_000,
  direction: 'inbound',
  external_number: '+12135550100',
  date_started: 1_767_599_940_000,
  date_ended: 1_767_600_000_000,
});

const key = new TextEncoder().encode(SECRET);
const compact = (alg: string, signer: Parameters<CompactSign['sign']>[0] = key): Promise<string> =>
  new CompactSign(Buffer.from(HANGUP)).setProtectedHeader({ alg }).sign(signer);
const rsaKey = () =>
  createPrivateKey(
    generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );

function answersOf({ emitted }: Bench): unknown[] {
  return emitted.filter(({ name }) => name === 'pushAnswered').map(({ fields }) => fields);
}

describe('a webhook that is not from Dialpad', () => {
  const cases: readonly [string, string, () => Promise<string | Uint8Array>][] = [
    [
      'forged with another secret',
      'signature_refused',
      () => signed(HANGUP, 'another-secret-of-thirty-two-bytes-or-more'),
    ],
    [
      'changed after it was signed',
      'signature_refused',
      async () =>
        (await signed(HANGUP)).replace(/\.[^.]+\./, `.${Buffer.from('{"call_id":1}').toString('base64url')}.`),
    ],
    ['truncated', 'signature_refused', async () => (await signed(HANGUP)).slice(0, -3)],
    ['cut before its signature', 'not_a_jwt', async () => (await signed(HANGUP)).split('.').slice(0, 2).join('.')],
    ['unsigned JSON', 'unsigned', async () => HANGUP],
    ['unsigned JSON after a space', 'unsigned', async () => ` \n${HANGUP}`],
    ['text', 'not_a_jwt', async () => 'hello'],
    ['empty', 'not_a_jwt', async () => ''],
    ['invalid UTF-8', 'not_a_jwt', async () => Uint8Array.of(0xff, 0xfe, 0x80)],
    ['a JWT of algorithm none', 'algorithm_refused', async () => new UnsecuredJWT({ call_id: 1 }).encode()],
    ['a JWT of algorithm RS256', 'algorithm_refused', () => compact('RS256', rsaKey())],
    ['a JWT of algorithm HS512', 'algorithm_refused', () => compact('HS512')],
    ['a JWT of algorithm HS384', 'algorithm_refused', () => compact('HS384')],
    [
      'a JWT whose header is not JSON',
      'not_a_jwt',
      async () => `bm90IGpzb24.${Buffer.from(HANGUP).toString('base64url')}.AAAA`,
    ],
    [
      'a JWT with an unknown critical header',
      'not_a_jwt',
      async () => {
        const header = Buffer.from('{"alg":"HS256","crit":["x"],"x":1}').toString('base64url');
        return `${header}.${Buffer.from(HANGUP).toString('base64url')}.AAAA`;
      },
    ],
  ];

  it.each(cases)('is answered 401 and not published: %s', async (_what, reason, make) => {
    const service = await bench();
    const answer = await service.push(await make());
    expect(answer).toEqual({ status: 401, body: 'unauthorized' });
    expect(service.published).toEqual([]);
    expect(answersOf(service)).toEqual([{ source: 'dialpad', status: 401, reason }]);
  });

  it('is refused when it is signed although no secret is set', async () => {
    const service = await bench({ config: { 'dialpad.webhookSecrets': '' } });
    expect((await service.push(await signed(HANGUP))).status).toBe(401);
  });
});

it.each([
  ['a body over the limit is refused before it is read whole', 1_100_000, 413],
  ['a body under the limit is looked at', 900_000, 401],
])('%s', async (_claim, bytes, status) => {
  const service = await bench();
  const route = { ...DECLARED.routes.calls, handler: service.living.routes.calls };
  const server = await createExpressWeb({ clock: service.clock }).listen({ host: '127.0.0.1', port: 0 }, [route]);
  const response = await fetch(`${server.url}${route.path}`, { method: 'POST', body: 'x'.repeat(bytes) }).catch(
    () => null,
  );
  await server.close(1_000);
  // A sender that goes on sending may see the connection cut before it reads the answer.
  expect([status, undefined]).toContain(response?.status);
  expect(service.published).toEqual([]);
});

describe('a webhook that cannot be made durable', () => {
  it('is answered 503, never 4xx, so that Dialpad sends it again', async () => {
    const service = await bench();
    service.isBrokerDown = true;
    expect((await service.push(await signed(HANGUP))).status).toBe(503);
    service.isBrokerDown = false;
    expect((await service.push(await signed(HANGUP))).status).toBe(204);
    expect(service.rows().size).toBe(2);
  });

  it('is not answered before the publish has ended', async () => {
    const gate = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const service = await bench({
      beforePublish: () => {
        asked.resolve();
        return gate.promise;
      },
    });
    let isAnswered = false;
    const answer = service.push(await signed(HANGUP)).finally(() => (isAnswered = true));
    await asked.promise;
    await service.clock.settle();
    expect(isAnswered).toBe(false);
    gate.resolve();
    expect((await answer).status).toBe(204);
  });
});

describe('a webhook that is from Dialpad', () => {
  it('is published with its event time and state as version, before it is answered', async () => {
    const service = await bench();
    expect(await service.push(await signed(HANGUP))).toEqual({ status: 204 });
    const [call] = service.published;
    expect(call?.envelope).toMatchObject({
      source: 'dialpad',
      instance: 'acme',
      object: 'call',
      id: '5600000000000001',
      operation: 'upsert',
      lane: 'live',
      version: {
        epoch: 0,
        sourceSequence: 1_767_600_000_000_800,
        issuedMicros: service.clock.nowMicros(),
        generation: 0,
      },
      changedAtMicros: 1_767_600_000_000_000,
      hint: { kind: 'hangup' },
    });
  });

  it('may be signed with the second of two secrets, and that is counted', async () => {
    const service = await bench({
      config: { 'dialpad.webhookSecrets': `${SECRET}, the-old-secret-of-thirty-two-bytes-too` },
    });
    expect((await service.push(await signed(HANGUP, 'the-old-secret-of-thirty-two-bytes-too'))).status).toBe(204);
    expect(answersOf(service)).toMatchObject([{ reason: 'signed_with_second_secret' }]);
  });

  it('may have white space around it', async () => {
    const service = await bench();
    expect((await service.push(`${await signed(HANGUP)}\n`)).status).toBe(204);
  });

  it('may be plain JSON where no secret is set, and start-up warns of that', async () => {
    const service = await bench({ config: { 'dialpad.webhookSecrets': '' } });
    expect((await service.push(HANGUP)).status).toBe(204);
    const warned = service.emitted.filter(({ name }) => name === 'configurationWarned');
    expect(warned).toMatchObject([{ fields: { code: 'webhooks_unsigned', field: 'dialpad.webhookSecrets' } }]);
  });

  const unreadable: readonly [string, string, string | Uint8Array][] = [
    ['is not JSON', 'not_json', 'hello'],
    ['is truncated JSON', 'not_json', HANGUP.slice(0, 40)],
    ['is nested deeper than any stack', 'not_json', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['is a list', 'not_an_object', '[]'],
    ['has no call_id', 'no_call_id', '{"state":"hangup","event_timestamp":1767600000000}'],
    ['has a call_id of words', 'no_call_id', '{"call_id":"x/../y","state":"hangup","event_timestamp":1767600000000}'],
    ['has no time', 'no_event_time', '{"call_id":1,"state":"hangup"}'],
    ['has a time beyond all versions', 'no_event_time', '{"call_id":1,"state":"hangup","event_timestamp":1e17}'],
    ['has a time of words', 'no_event_time', '{"call_id":1,"state":"hangup","event_timestamp":"soon"}'],
  ];

  it.each(unreadable)('is accepted and published as it came when its payload %s', async (_what, code, payload) => {
    const service = await bench();
    expect((await service.push(await signed(payload))).status).toBe(204);
    expect(service.published).toHaveLength(1);
    expect(service.published[0]).toMatchObject({
      envelope: { object: 'unreadable', hint: { kind: code } },
      record: payload,
    });
  });

  it('keeps the bytes of a payload that is not UTF-8', async () => {
    const service = await bench();
    const bytes = Uint8Array.of(0x7b, 0xff, 0x7d);
    expect((await service.push(await signed(bytes))).status).toBe(204);
    expect(recordOf(service.published[0])).toEqual({ notUtf8Base64: Buffer.from(bytes).toString('base64') });
  });
});

it('three secrets are refused at the start', async () => {
  await expect(bench({ config: { 'dialpad.webhookSecrets': 'a,b,c' } })).rejects.toThrow('may hold two secrets');
});

it('no telemetry of a push has anything from its body', async () => {
  const service = await bench();
  await service.push(await signed(HANGUP));
  await service.push(HANGUP);
  service.isBrokerDown = true;
  await service.push(await signed(HANGUP));
  const said = JSON.stringify(service.emitted);
  expect(said).not.toContain('+12135550100');
  expect(said).not.toContain(SECRET);
});
