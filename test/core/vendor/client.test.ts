import { describe, expect, it } from 'vitest';
import { Transient } from '#core/errors.ts';
import { RpcError, type VendorPort, type VendorRequest, type VendorResponse } from '#core/ports/vendor.ts';
import { TelemetryHub } from '#core/telemetry.ts';
import { allowList } from '#core/vendor/allow-list.ts';
import { tokenBudget } from '#core/vendor/budget.ts';
import { vendorClient } from '#core/vendor/client.ts';
import { readJson, readText } from '#core/vendor/json.ts';
import { seededRandom } from '#test/kit/random.ts';
import { virtualClock } from '#test/kit/virtual-clock.ts';

const list = allowList({
  headers: [],
  rpcs: [{ endpoint: 'api.example.com:443', rpc: '/a.B/Read' }],
  requests: [{ origin: 'https://api.example.com', method: 'GET', path: '/v1/things/{id}', parameters: { id: /\d+/ } }],
});

const get: VendorRequest = {
  instance: 'x',
  method: 'GET',
  url: 'https://api.example.com/v1/things/7',
  purpose: 'poll',
  timeoutMs: 1_000,
  signal: new AbortController().signal,
};

function answer(status: number, body = '', headers: Record<string, string> = {}): VendorResponse {
  return { status, headers, body: new Blob([body]).stream(), issuedMicros: 1 };
}

function setUp(answers: readonly (VendorResponse | Error)[]) {
  const clock = virtualClock();
  const telemetry = new TelemetryHub();
  const told: string[] = [];
  telemetry.listen((name, fields) => {
    if ('operation' in fields)
      told.push(`${name} ${fields.operation} ${'status' in fields ? fields.status : ''}`.trim());
  });
  const waiting = [...answers];
  const sent: VendorRequest[] = [];
  const next = (): VendorResponse => {
    const first = waiting.shift();
    if (first === undefined || first instanceof Error) throw first ?? new Error('Nothing more is answered.');
    return first;
  };
  const port: VendorPort = {
    async request(request) {
      sent.push(request);
      return next();
    },
    call: async () => next() as never,
    stream: () => {
      throw new Error('unused');
    },
  };
  const client = vendorClient({
    source: 'test',
    port,
    list,
    budget: tokenBudget(clock),
    telemetry,
    clock,
    random: seededRandom(7),
  });
  return { client, clock, told, sent };
}

async function inTime<T>(clock: ReturnType<typeof virtualClock>, work: Promise<T>): Promise<T> {
  let over = false;
  const settled = work.finally(() => (over = true));
  settled.catch(() => undefined);
  await clock.until(() => over, 3_600_000, 1_000);
  return settled;
}

describe('the wrapper around the vendor port', () => {
  it('refuses what is not listed before it is sent, and says so without the path', async () => {
    const { client, told, sent } = setUp([]);
    const refused = client.exchange({ ...get, url: 'https://api.example.com/v1/secret/7' }, readText);
    await expect(refused).rejects.toMatchObject({
      code: 'not_allowed',
      message: expect.not.stringContaining('secret') as string,
    });
    expect(sent).toEqual([]);
    expect(told).toEqual(['vendorRefused GET']);
  });

  it.each([[429], [500], [502], [503], [504], [408]])('tries again after %i', async (status) => {
    const { client, clock, told } = setUp([answer(status), answer(200, 'here')]);
    expect(
      await inTime(
        clock,
        client.exchange(get, (response) => readText(response)),
      ),
    ).toBe('here');
    expect(told).toEqual([
      `vendorCalled GET /v1/things/{id} ${status}`,
      'vendorRetried GET /v1/things/{id}',
      'vendorCalled GET /v1/things/{id} 200',
    ]);
  });

  it.each([[400], [401], [403], [404], [501]])('leaves %i to the caller', async (status) => {
    const { client } = setUp([answer(status, 'why')]);
    expect(await client.exchange(get, async (response) => response.status)).toBe(status);
  });

  it('waits as long as it is asked to', async () => {
    const { client, clock } = setUp([answer(503, '', { 'retry-after': '120' }), answer(200, 'here')]);
    const before = clock.monotonicMs();
    await inTime(
      clock,
      client.exchange(get, (response) => readText(response)),
    );
    expect(clock.monotonicMs() - before).toBeGreaterThanOrEqual(120_000);
  });

  it('reads again what was cut while it was read', async () => {
    const cut = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from('{"a":'));
        controller.error(new Transient('cut', 'The connection was cut.'));
      },
    });
    const { client, clock } = setUp([{ ...answer(200), body: cut }, answer(200, '{"a":1}')]);
    expect(
      await inTime(
        clock,
        client.exchange(get, (response) => readJson(response)),
      ),
    ).toEqual({ a: '1' });
  });

  it('takes a proxy’s page for no answer', async () => {
    const { client, clock } = setUp([answer(200, '<html>Sign in</html>'), answer(200, '[]')]);
    expect(
      await inTime(
        clock,
        client.exchange(get, (response) => readJson(response)),
      ),
    ).toEqual([]);
  });

  it('gives up after its budget of attempts, with the last reason', async () => {
    const { client, clock } = setUp(Array.from({ length: 6 }, () => answer(503)));
    await expect(
      inTime(
        clock,
        client.exchange(get, (response) => readText(response)),
      ),
    ).rejects.toMatchObject({ code: 'http_503' });
  });

  it('does not read a body beyond its bound', async () => {
    const { client } = setUp([answer(200, 'x'.repeat(100))]);
    await expect(client.exchange(get, (response) => readText(response, 10))).rejects.toMatchObject({
      code: 'too_large',
    });
  });

  it('tries an RPC again when the server was away, and leaves an expired token to the caller', async () => {
    const rpc = {
      rpc: '/a.B/Read',
      endpoint: 'api.example.com:443',
      instance: 'x',
      metadata: {},
      purpose: 'prompt',
      signal: get.signal,
    } as const;
    const away = new RpcError({ status: 'UNAVAILABLE', errorCode: null }, 'away');
    const expired = new RpcError({ status: 'UNAUTHENTICATED', errorCode: null }, 'expired');
    const { client, clock, told } = setUp([away, expired]);
    await expect(inTime(clock, client.call(rpc, {}))).rejects.toBe(expired);
    expect(told).toEqual(['vendorCalled /a.B/Read 503', 'vendorRetried /a.B/Read', 'vendorCalled /a.B/Read 401']);
  });
});
