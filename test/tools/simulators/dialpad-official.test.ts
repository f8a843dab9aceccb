/**
 * The simulated Dialpad against what Dialpad itself publishes: its own Python client, and its API description. Both are
 * looked for on the machine (`pip install python-dialpad`; `DIALPAD_PYTHON` names another interpreter, `DIALPAD_SPEC` the
 * description's file) and the test is skipped where they are not.
 */
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { serveWorld } from '#tools/simulators/dialpad/from-world.ts';
import { startDialpad, type Dialpad } from '#tools/simulators/dialpad/simulator.ts';
import { createWorld } from '#tools/simulators/world/index.ts';

const PYTHON = process.env['DIALPAD_PYTHON'] ?? 'python3';
const SPEC = process.env['DIALPAD_SPEC'] ?? '';

let running: Dialpad | undefined;
afterEach(() => running?.close());

async function company(): Promise<Dialpad> {
  running = await startDialpad({ apiKeys: ['key-1'] });
  serveWorld(running, createWorld({ seed: 3, contacts: 2_000 }));
  return running;
}

const SCRIPT = `
import json, sys
from dialpad import DialpadClient
client = DialpadClient('key-1', base_url=sys.argv[1])
calls = list(client.calls.list())
window = list(client.calls.list(started_after=int(calls[20]['date_started']), started_before=int(calls[9]['date_started'])))
webhook = client.webhooks.create({'hook_url': 'http://127.0.0.1:1/', 'secret': 'puppy'})
subscription = client.call_event_subscriptions.create({'endpoint_id': int(webhook['id']), 'call_states': ['hangup']})
changed = client.call_event_subscriptions.partial_update(subscription['id'], {'enabled': False})
transcribed = next(call for call in calls if call.get('transcription_text'))
print(json.dumps({
  'calls': [call['call_id'] for call in calls],
  'window': len(window),
  'one': client.calls.get(int(calls[0]['call_id']))['call_id'],
  'lines': len(client.transcripts.get(int(transcribed['call_id']))['lines']),
  'users': len(list(client.users.list(state='all'))),
  'algo': webhook['signature']['algo'],
  'enabled': changed['enabled'],
  'subscriptions': len(list(client.call_event_subscriptions.list())),
}))
client.webhooks.delete(int(webhook['id']))
`;

describe.skipIf(!hasClient())("Dialpad's own Python client", () => {
  it('lists calls, reads transcripts and users, and sets up webhooks', async () => {
    const dialpad = await company();
    const { stdout } = await promisify(execFile)(PYTHON, ['-c', SCRIPT, dialpad.url], { maxBuffer: 10_000_000 });
    const seen = JSON.parse(stdout) as Record<string, unknown> & { readonly calls: readonly string[] };
    const concluded = dialpad.company.concludedCalls.map(({ id }) => id).toReversed();
    expect(seen.calls).toEqual(concluded);
    expect(seen).toMatchObject({ window: 10, one: concluded[0], algo: 'HS256', enabled: false, subscriptions: 1 });
    expect(seen['lines']).toBeGreaterThan(0);
    expect(seen['users']).toBe(dialpad.company.users.size);
    expect(dialpad.traffic.filter(({ status }) => status !== 200)).toEqual([]);
  });
});

describe.skipIf(!existsSync(SPEC))("Dialpad's API description", () => {
  it('has every field the simulator answers with, in its type', async () => {
    const dialpad = await company();
    // What only webhooks tell.
    expect(faultsOf('schemas.call.CallProto', { talk_time: 1 })).toEqual(['schemas.call.CallProto.talk_time: unknown']);
    const { items } = await ask(dialpad, 'GET', '/api/v2/call');
    expect(items).toHaveLength(25);
    expect(faultsOf('schemas.call.CallCollection', { items })).toEqual([]);
    const call = dialpad.company.concludedCalls.find(({ transcript }) => transcript !== null);
    const transcript = await ask(dialpad, 'GET', `/api/v2/transcripts/${call?.id}`);
    expect(faultsOf('schemas.transcript.TranscriptProto', transcript)).toEqual([]);
    expect(faultsOf('schemas.user.UserCollection', await ask(dialpad, 'GET', '/api/v2/users'))).toEqual([]);
    const webhook = await ask(dialpad, 'POST', '/api/v2/webhooks', {
      hook_url: 'http://127.0.0.1:1/',
      secret: 'puppy',
    });
    expect(faultsOf('schemas.webhook.WebhookProto', webhook)).toEqual([]);
    const body = { endpoint_id: webhook['id'], call_states: ['all'], target_type: 'user', target_id: '1' };
    const subscription = await ask(dialpad, 'POST', '/api/v2/subscriptions/call', body);
    expect(faultsOf('schemas.call_event_subscription.CallEventSubscriptionProto', subscription)).toEqual([]);
  });
});

type Json = Readonly<Record<string, unknown>>;

async function ask(dialpad: Dialpad, method: string, path: string, body?: Json): Promise<Json> {
  const headers = { authorization: 'Bearer key-1', 'content-type': 'application/json' };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return (await (await fetch(`${dialpad.url}${path}`, { method, headers, ...sent })).json()) as Json;
}

interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** Each value that the description does not know, with its path. An int64 is text, as the description's own examples have it. */
function faultsOf(name: string, value: unknown): string[] {
  const spec = JSON.parse(readFileSync(SPEC, 'utf8')) as {
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  };
  const { schemas } = spec.components;
  const check = (schema: Schema, at: unknown, path: string): string[] => {
    const known = schema.$ref === undefined ? schema : schemas[schema.$ref.slice('#/components/schemas/'.length)];
    if (known === undefined) return [`${path}: no such schema`];
    if (at === null) return [];
    if (Array.isArray(at))
      return known.items === undefined
        ? [`${path}: a list`]
        : at.flatMap((item) => check(known.items ?? {}, item, `${path}[]`));
    if (typeof at === 'object') {
      const properties = known.properties ?? {};
      return Object.entries(at).flatMap(([key, inner]) =>
        properties[key] === undefined ? [`${path}.${key}: unknown`] : check(properties[key], inner, `${path}.${key}`),
      );
    }
    return fits(known, at) ? [] : [`${path}: ${typeof at} for ${known.type ?? 'nothing'}`];
  };
  return [...new Set(check({ $ref: `#/components/schemas/${name}` }, value, name))];
}

function fits({ type, format, enum: values }: Schema, value: unknown): boolean {
  if (type === 'integer')
    return format === 'int64' ? typeof value === 'string' && /^-?\d+$/.test(value) : typeof value === 'number';
  if (type === 'string') return typeof value === 'string' && (values === undefined || values.includes(value));
  return typeof value === type;
}

function hasClient(): boolean {
  try {
    execFileSync(PYTHON, ['-c', 'import dialpad; dialpad.DialpadClient'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
