import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { compactVerify } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import type { CallScript } from '#tools/simulators/dialpad/life.ts';
import { startDialpad, type Dialpad, type DialpadOptions } from '#tools/simulators/dialpad/simulator.ts';

const KEY = 'key-1';
const START = Date.parse('2026-01-05T09:00:00Z');
const USER = { id: '2001', type: 'user', email: 'sam@acme.example', phone: '+12135550111', name: 'Sam Seller' };
const DEPARTMENT = { id: '3001', type: 'department', email: '', phone: '+12135550190', name: 'Sales' };
const FAST = { timeoutMs: 300, serverErrorRetriesMs: [4, 8, 16], connectionRetriesMs: [1, 2] };

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

async function start(options: Partial<DialpadOptions> = {}): Promise<Dialpad> {
  const dialpad = await startDialpad({ apiKeys: [KEY], pace: 0, timing: FAST, ...options });
  open.push(() => dialpad.close());
  return dialpad;
}

function script(index: number, more: Partial<CallScript> = {}): CallScript {
  return {
    callId: String(9_007_199_254_740_993_000n + BigInt(index) * 10n),
    course: 'answered',
    direction: 'inbound',
    externalNumber: '+12135550100',
    contact: null,
    user: USER,
    startMs: START + index * 60_000,
    ringMs: 2_000,
    talkMs: 30_000,
    ...more,
  };
}

interface Answer {
  readonly status: number;
  readonly json: Readonly<Record<string, unknown>>;
}

async function ask(dialpad: Dialpad, path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json', ...init.headers };
  const response = await fetch(`${dialpad.url}${path}`, { ...init, headers });
  return { status: response.status, json: (await response.json()) as Answer['json'] };
}

const post = (dialpad: Dialpad, path: string, body: unknown): Promise<Answer> =>
  ask(dialpad, path, { method: 'POST', body: JSON.stringify(body) });

/** A receiver of nobody's: plain node:http, which answers with the given statuses in turn (0 cuts, -1 never answers). */
async function receiver(statuses: readonly number[]): Promise<{ readonly url: string; readonly bodies: string[] }> {
  const bodies: string[] = [];
  const left = [...statuses];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      bodies.push(Buffer.concat(chunks).toString());
      const status = left.shift() ?? 200;
      if (status === 0) request.socket.destroy();
      else if (status > 0) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, bodies };
}

async function subscribe(
  dialpad: Dialpad,
  url: string,
  states: readonly string[],
  secret: string | null,
): Promise<void> {
  const webhook = await post(dialpad, '/api/v2/webhooks', { hook_url: url, ...(secret === null ? {} : { secret }) });
  await post(dialpad, '/api/v2/subscriptions/call', { endpoint_id: webhook.json['id'], call_states: states });
}

describe('the simulated Dialpad refuses', () => {
  const wrong: readonly [string, number, string, RequestInit?][] = [
    ['a request without a key', 401, '/api/v2/call', { headers: { authorization: '' } }],
    ['a wrong key', 401, '/api/v2/call', { headers: { authorization: 'Bearer nobody' } }],
    ['a key in the wrong scheme', 401, '/api/v2/call', { headers: { authorization: `Basic ${KEY}` } }],
    ['a time in words', 400, '/api/v2/call?started_after=yesterday'],
    ['a cursor it did not give', 400, '/api/v2/call?cursor=abc'],
    ['a kind of target it does not know', 400, '/api/v2/call?target_id=1&target_type=team'],
    ['a call id in words', 400, '/api/v2/call/abc'],
    ['a call nobody made', 404, '/api/v2/call/1'],
    ['a transcript of a call nobody made', 404, '/api/v2/transcripts/1'],
    ['an endpoint that is not there', 404, '/api/v2/calls'],
    ['a webhook without a URL', 400, '/api/v2/webhooks', { method: 'POST', body: '{}' }],
    ['a body that is not JSON', 400, '/api/v2/webhooks', { method: 'POST', body: '{"hook' }],
    ['a subscription without an endpoint', 400, '/api/v2/subscriptions/call', { method: 'POST', body: '{}' }],
    [
      'a subscription to an endpoint not there',
      404,
      '/api/v2/subscriptions/call',
      { method: 'POST', body: '{"endpoint_id":"1"}' },
    ],
  ];

  it.each(wrong)('%s (%i)', async (_what, status, path, init) => {
    const answer = await ask(await start(), path, init);
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error: { code: status } });
  });

  it('an unknown state in a subscription', async () => {
    const dialpad = await start();
    const { json } = await post(dialpad, '/api/v2/webhooks', { hook_url: 'http://127.0.0.1:1/' });
    const answer = await post(dialpad, '/api/v2/subscriptions/call', {
      endpoint_id: json['id'],
      call_states: ['talking'],
    });
    expect(answer.status).toBe(400);
  });

  it('the eleventh read of a single call in a minute, while the list goes on', async () => {
    const dialpad = await start();
    dialpad.player.history(script(0));
    const statuses: number[] = [];
    for (let i = 0; i < 11; i++) statuses.push((await ask(dialpad, `/api/v2/call/${script(0).callId}`)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(200), 429]);
    expect((await ask(dialpad, '/api/v2/call')).status).toBe(200);
  });

  it('a cursor made for another query', async () => {
    const dialpad = await start({ pageSize: 1 });
    for (let i = 0; i < 3; i++) dialpad.player.history(script(i));
    const { json } = await ask(dialpad, '/api/v2/call');
    expect((await ask(dialpad, `/api/v2/call?cursor=${String(json['cursor'])}&started_after=1`)).status).toBe(400);
  });
});

describe('the list of calls', () => {
  async function listed(dialpad: Dialpad, query = ''): Promise<string[]> {
    const ids: string[] = [];
    let cursor = '';
    do {
      const { json } = await ask(dialpad, `/api/v2/call?${query}${cursor}`);
      ids.push(...(json['items'] as { call_id: string }[]).map(({ call_id: id }) => id));
      cursor = json['cursor'] === undefined ? '' : `&cursor=${json['cursor'] as string}`;
    } while (cursor !== '');
    return ids;
  }

  it('gives concluded calls only, newest start first, each once, with ids as text of all their digits', async () => {
    const dialpad = await start({ pageSize: 3 });
    for (let i = 0; i < 10; i++) dialpad.player.history(script(i));
    expect(await listed(dialpad)).toEqual(Array.from({ length: 10 }, (_, i) => script(9 - i).callId));
    const before = `started_after=${START}&started_before=${START + 5 * 60_000}`;
    expect(await listed(dialpad, before)).toEqual([4, 3, 2, 1].map((i) => script(i).callId));
  });

  it('does not lose or repeat a call when another concludes between two pages', async () => {
    const dialpad = await start({ pageSize: 2 });
    for (const i of [0, 1, 3, 4]) dialpad.player.history(script(i));
    const first = await ask(dialpad, '/api/v2/call');
    dialpad.player.history(script(2));
    dialpad.player.history(script(5));
    const second = await ask(dialpad, `/api/v2/call?cursor=${String(first.json['cursor'])}`);
    const ids = [first, second].flatMap(({ json }) =>
      (json['items'] as { call_id: string }[]).map((call) => call.call_id),
    );
    expect(ids).toEqual([4, 3, 2, 1].map((i) => script(i).callId));
  });

  it('filters by target, and gives each leg of a conversation as a call of its own', async () => {
    const dialpad = await start();
    dialpad.player.history(script(0));
    dialpad.player.history(script(1, { department: DEPARTMENT, transferTo: { ...USER, id: '2002' } }));
    expect(await listed(dialpad)).toHaveLength(4);
    expect(await listed(dialpad, 'target_id=2002&target_type=user')).toEqual([String(BigInt(script(1).callId) + 2n)]);
  });

  it('has a transcript only once that is produced', async () => {
    const dialpad = await start({ pace: 1 });
    dialpad.player.history(script(0, { lines: ['Hello', 'Hi'] }));
    dialpad.player.history(script(1));
    expect((await ask(dialpad, `/api/v2/transcripts/${script(1).callId}`)).status).toBe(404);
    const { json } = await ask(dialpad, `/api/v2/transcripts/${script(0).callId}`);
    expect(json).toMatchObject({
      call_id: script(0).callId,
      lines: [{ content: 'Hello', user_id: '2001' }, { content: 'Hi' }],
    });
  });
});

it('a simulator started again knows the calls that were live before, as they were', async () => {
  const live = await start({ pace: 0.0001 });
  const again = await start({ pace: 0.0001 });
  const call = script(0, { department: DEPARTMENT, transferTo: USER, recorded: true, lines: ['Hello'] });
  await live.player.live(call);
  again.player.history(call, again.pace);
  expect(await ask(again, '/api/v2/call')).toEqual(await ask(live, '/api/v2/call'));
});

describe('a webhook', () => {
  it('is a JWT that a plain verification takes, with ids as numbers of all their digits', async () => {
    const [dialpad, { url, bodies }] = [await start(), await receiver([])];
    await subscribe(dialpad, url, ['hangup'], 'a-secret');
    await dialpad.player.live(script(0));
    await dialpad.player.idle();
    expect(bodies).toHaveLength(1);
    const { payload, protectedHeader } = await compactVerify(bodies[0] ?? '', new TextEncoder().encode('a-secret'));
    expect(protectedHeader).toEqual({ alg: 'HS256', typ: 'JWT' });
    expect(new TextDecoder().decode(payload)).toContain(`"call_id":${script(0).callId},"state":"hangup"`);
  });

  it('is plain JSON where it has no secret, and comes for each state asked for, in their order', async () => {
    const [dialpad, { url, bodies }] = [await start(), await receiver([])];
    await subscribe(dialpad, url, ['all'], null);
    await dialpad.player.live(script(0, { recorded: true, lines: ['Hello'], disposition: 'Sold' }));
    await dialpad.player.idle();
    const events = bodies.map((body) => JSON.parse(body) as { state: string; event_timestamp: number });
    const inTime = events.toSorted((a, b) => a.event_timestamp - b.event_timestamp).map(({ state }) => state);
    expect(inTime.slice(0, 6)).toEqual([
      'calling',
      'ringing',
      'connected',
      'hangup',
      'recording',
      'call_transcription',
    ]);
    expect(new Set(inTime.slice(6))).toEqual(new Set(['recap_summary', 'recap_action_items', 'dispositions']));
  });

  const rules: readonly [string, readonly number[], readonly number[]][] = [
    ['three times more after a 5xx, then never', [500, 502, 503, 504, 200], [500, 502, 503, 504]],
    ['until it is taken', [503, 204], [503, 204]],
    ['never after a 4xx', [400, 200], [400]],
    ['never after a 429', [429, 200], [429]],
    ['at most twice more after a cut connection', [0, 0, 0, 200], [0, 0, 0]],
    ['after no answer in time, as after a 5xx', [-1, 200], [504, 200]],
  ];

  it.each(rules)('is sent again %s', async (_when, statuses, seen) => {
    const [dialpad, { url }] = [await start(), await receiver(statuses)];
    await subscribe(dialpad, url, ['hangup'], null);
    await dialpad.player.live(script(0));
    await dialpad.player.idle();
    expect(dialpad.deliveries.map(({ status }) => status)).toEqual(seen);
  });

  it('is not sent, or sent twice, as the faults say; the list has the call all the same', async () => {
    const [dialpad, { url, bodies }] = [await start(), await receiver([])];
    await subscribe(dialpad, url, ['hangup'], null);
    dialpad.faults.dropRate = 1;
    await dialpad.player.live(script(0));
    Object.assign(dialpad.faults, { dropRate: 0, duplicateRate: 1 });
    await dialpad.player.live(script(1));
    await dialpad.player.idle();
    expect(bodies).toHaveLength(2);
    expect(bodies[0]).toBe(bodies[1]);
    expect(dialpad.company.concludedCalls).toHaveLength(2);
  });
});
