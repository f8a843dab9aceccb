/** A simulated org for one test, closed after it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { startSalesforce, type Salesforce, type StartOptions } from '#tools/simulators/salesforce/start.ts';
import { createWorld, type World, type WorldOptions } from '#tools/simulators/world/index.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

export interface TestOrg {
  readonly world: World;
  readonly salesforce: Salesforce;
  readonly url: string;
  readonly token: string;
  /** A request as anyone with the token would send it. */
  readonly send: (path: string, init?: RequestInit) => Promise<Response>;
  readonly json: (path: string, init?: RequestInit) => Promise<{ readonly status: number; readonly body: never }>;
}

export async function org(options: Partial<StartOptions> = {}, size: Partial<WorldOptions> = {}): Promise<TestOrg> {
  const stateDir = mkdtempSync(join(tmpdir(), 'simulated-org-'));
  const world = createWorld({ seed: 5, contacts: 5_000, ...size });
  const salesforce = await startSalesforce(world, { stateDir, ...options });
  closing.push(() => salesforce.close().then(() => rmSync(stateDir, { recursive: true })));
  const token = salesforce.org.sessions.open();
  const url = salesforce.urls.instanceUrl;
  const send = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });
  const json: TestOrg['json'] = async (path, init) => {
    const response = await send(path, init);
    return { status: response.status, body: (await response.json()) as never };
  };
  return { world, salesforce, url, token, send, json };
}

export const V = '/services/data/v62.0';

export function soql(text: string, resource = 'query'): string {
  return `${V}/${resource}?q=${encodeURIComponent(text)}`;
}
