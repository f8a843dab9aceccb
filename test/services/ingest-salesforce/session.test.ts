import { generateKeyPair, exportPKCS8, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { longId } from '#services/ingest-salesforce/org/session.ts';
import { ORG_ID, streamOf } from './fake-org.ts';
import { setUp, type World } from './set-up.ts';

function form(world: World): Record<string, string> {
  const request = world.fake.requests.find(({ url }) => url.endsWith('/services/oauth2/token'));
  return Object.fromEntries(new URLSearchParams(Buffer.from(request?.body ?? []).toString()));
}

describe('a session', () => {
  it('asks with client credentials', async () => {
    const world = setUp();
    expect(await world.org.session.token()).toEqual({ accessToken: '00D000000000001!t1', orgId: ORG_ID });
    expect(form(world)).toEqual({
      grant_type: 'client_credentials',
      client_id: 'consumer',
      client_secret: 'not-a-secret',
    });
  });

  it('asks with a refresh token', async () => {
    const world = setUp({ config: { 'salesforce.refreshToken': 'refresh' } });
    await world.org.session.token();
    expect(form(world)).toMatchObject({ grant_type: 'refresh_token', refresh_token: 'refresh' });
  });

  it('asks with a signed assertion that is soon over', async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
    const world = setUp({
      config: {
        'salesforce.privateKey': await exportPKCS8(privateKey),
        'salesforce.username': 'integration@acme.example',
        'salesforce.loginUrl': 'https://acme.my.salesforce.example',
      },
    });
    await world.org.session.token();
    const { assertion = '', grant_type } = form(world);
    expect(grant_type).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const nowMs = world.clock.nowMicros() / 1_000;
    const { payload } = await jwtVerify(assertion, publicKey, { currentDate: new Date(nowMs), algorithms: ['RS256'] });
    expect(payload).toMatchObject({
      iss: 'consumer',
      sub: 'integration@acme.example',
      aud: 'https://acme.my.salesforce.example',
    });
    expect((payload.exp ?? 0) * 1_000 - nowMs).toBeLessThanOrEqual(300_000);
  });

  it('asks once, however many wait', async () => {
    const world = setUp();
    await Promise.all(Array.from({ length: 10 }, () => world.org.session.token()));
    expect(world.fake.requests).toHaveLength(1);
  });

  it('says what to check when the credentials are refused, and neither tries again nor tells the secret', async () => {
    const world = setUp();
    world.fake.faults.push(() => ({
      status: 400,
      headers: {},
      body: streamOf('{"error":"invalid_client","error_description":"not-a-secret"}'),
      issuedMicros: 0,
    }));
    await expect(world.org.session.token()).rejects.toMatchObject({
      code: 'token_invalid_client',
      actor: 'the operator',
      message: expect.not.stringContaining('not-a-secret') as string,
    });
    expect(world.fake.requests).toHaveLength(1);
  });

  it('is given up where a token just issued is refused: a loop would lock the user out', async () => {
    const world = setUp();
    for (let n = 0; n < 9; n += 1)
      world.fake.faults.push(({ url }) =>
        url.endsWith('/limits') ? { status: 401, headers: {}, body: streamOf('[]'), issuedMicros: 0 } : undefined,
      );
    const { client } = world.org;
    const asked = client.json(
      { path: client.data('limits'), purpose: 'prompt', signal: world.context.signal },
      () => null,
    );
    await expect(asked).rejects.toMatchObject({ code: 'unauthorized' });
    expect(world.fake.calls().filter((call) => call.endsWith('token'))).toHaveLength(2);
  });

  it.each([
    ['00D000000000001', '00D000000000001EAA'],
    ['003D000000QV9n2', '003D000000QV9n2IAD'],
    ['003D000000QV9n2IAD', '003D000000QV9n2IAD'],
  ])('knows the long form of %s', (short, long) => {
    expect(longId(short)).toBe(long);
  });
});
