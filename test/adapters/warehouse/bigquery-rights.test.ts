import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { systemClock } from '#adapters/clock/system.ts';
import { mayWrite } from '#adapters/warehouse/bigquery/inspect.ts';
import { TABLES } from '#schemas/generated/tables.ts';

let server: Server;
let answer: { readonly status: number; readonly body: unknown };
const asked: string[] = [];
beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => {
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

const refusal = (code: number): object => ({
  error: { code, message: 'No.', errors: [{ reason: 'x', message: 'No.' }] },
});

it.each([
  ['the right is among the answer', 200, { permissions: ['bigquery.tables.updateData'] }, true],
  ['the answer is empty', 200, {}, false],
  ['even looking is denied', 403, refusal(403), false],
  ['there is no such table', 404, refusal(404), undefined],
  ['a simulator does not know the question', 501, refusal(501), undefined],
])('whether rows may be written is told where %s', async (_, status, body, expected) => {
  answer = { status, body };
  const restUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const simulator = { restUrl, grpcEndpoint: '127.0.0.1:1' };
  const options = { projectId: 'acme', location: 'US', dataset: 'sales', writes: 'storage-write', maxStalenessSeconds: 0, policyTag: null, clock: systemClock, simulator } as const; // prettier-ignore
  expect(await mayWrite(options, TABLES.account)).toBe(expected);
  expect(asked.at(-1)).toMatch(/^POST .*\/projects\/acme\/datasets\/sales_store\/tables\/accounts:testIamPermissions/);
});
