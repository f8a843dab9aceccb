import { describe, expect, it } from 'vitest';
import { recordId } from '#tools/simulators/world/index.ts';
import { org, soql, V } from './kit.ts';

const many = (count: number) => Array.from({ length: count }, (_, i) => recordId('Contact', i));
const job = (query: string, more = {}) => ({
  path: `${V}/jobs/query`,
  init: { method: 'POST', body: JSON.stringify({ operation: 'query', query, ...more }) },
});
const retrieve = (ids: readonly string[]) => ({
  path: `${V}/composite/sobjects/Contact`,
  init: { method: 'POST', body: JSON.stringify({ ids, fields: ['Id'] }) },
});
const query = (text: string) => ({ path: soql(text) });

describe('wrong requests are refused as the vendor does', () => {
  it.each([
    ['an unknown path', { path: `${V}/nothing` }, 404, 'NOT_FOUND'],
    ['an API version the org does not have', { path: '/services/data/v99.0/limits' }, 404, 'NOT_FOUND'],
    [
      'a token that is none',
      { path: `${V}/limits`, init: { headers: { authorization: 'Bearer x' } } },
      401,
      'INVALID_SESSION_ID',
    ],
    ['a query with a wrong word', query('SELECT Id FORM Contact'), 400, 'MALFORMED_QUERY'],
    ['a query that ends too early', query("SELECT Id FROM Contact WHERE Name = 'x"), 400, 'MALFORMED_QUERY'],
    ['an unknown field', query('SELECT Id, Nonsense FROM Contact'), 400, 'INVALID_FIELD'],
    ['an unknown object', query('SELECT Id FROM Nonsense'), 400, 'INVALID_TYPE'],
    [
      'a date where a datetime belongs',
      query('SELECT Id FROM Contact WHERE SystemModstamp > 2025-01-01'),
      400,
      'INVALID_FIELD',
    ],
    [
      'a datetime in quotes',
      query("SELECT Id FROM Contact WHERE SystemModstamp > '2025-01-01T00:00:00Z'"),
      400,
      'INVALID_FIELD',
    ],
    ['a filter on a long text', query("SELECT Id FROM Contact WHERE Description = 'x'"), 400, 'INVALID_FIELD'],
    [
      'what is no id in a filter',
      query("SELECT Id FROM Contact WHERE Id = 'abc'"),
      400,
      'INVALID_QUERY_FILTER_OPERATOR',
    ],
    ['a locator of no cursor', { path: `${V}/query/01gDn0000000001AAA-2000` }, 400, 'INVALID_QUERY_LOCATOR'],
    ['too many ids to retrieve', retrieve(many(2_001)), 400, 'EXCEEDED_ID_LIMIT'],
    ['an id that is none', retrieve(['x']), 400, 'MALFORMED_ID'],
    ['a job that groups', job('SELECT LeadSource FROM Contact GROUP BY LeadSource'), 400, 'MALFORMED_QUERY'],
    ['a job that skips', job('SELECT Id FROM Contact LIMIT 5 OFFSET 5'), 400, 'FEATURENOTENABLED'],
    ['a job that counts', job('SELECT COUNT() FROM Contact'), 400, 'FEATURENOTENABLED'],
    ['a job with a compound field', job('SELECT MailingAddress FROM Contact'), 400, 'FEATURENOTENABLED'],
    ['a job in another format', job('SELECT Id FROM Contact', { contentType: 'XML' }), 400, 'INVALIDJOB'],
    ['a job that writes', job('SELECT Id FROM Contact', { operation: 'insert' }), 400, 'INVALIDJOB'],
    ['a span of deletions too long ago', { path: `${V}/sobjects/Contact/deleted/?start=2020-01-01T00:00:00Z&end=2020-01-02T00:00:00Z` }, 400, 'INVALID_REPLICATION_DATE'], // prettier-ignore
    ['a URI that is too long', query(`SELECT Id FROM Contact WHERE Id IN (${many(800).map((id) => `'${id}'`).join(',')})`), 414, 'URI_TOO_LONG'], // prettier-ignore
    ['headers that are too long', { path: `${V}/limits`, init: { headers: { 'x-filler': 'x'.repeat(17_000) } } }, 431, 'REQUEST_HEADER_FIELDS_TOO_LARGE'], // prettier-ignore
    [
      'a body that is no JSON',
      { path: `${V}/jobs/query`, init: { method: 'POST', body: '{' } },
      400,
      'JSON_PARSER_ERROR',
    ],
  ])('%s', async (_what, request: { path: string; init?: RequestInit }, status, errorCode) => {
    const { json } = await org({}, { contacts: 100 });
    const answer = await json(request.path, request.init);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject([{ errorCode, message: expect.any(String) as string }]);
  });

  it.each([
    ['a wrong secret', { grant_type: 'client_credentials', client_secret: 'x' }, 'invalid_client'],
    ['a wrong client', { grant_type: 'client_credentials', client_id: 'x' }, 'invalid_client_id'],
    ['a grant that is none', { grant_type: 'magic' }, 'unsupported_grant_type'],
    ['a refresh token that is none', { grant_type: 'refresh_token', refresh_token: 'x' }, 'invalid_grant'],
    [
      'an assertion that is none',
      { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: 'x' },
      'invalid_grant',
    ],
  ])('%s gets no token, and an object that says why', async (_what, form, error) => {
    const { salesforce, url } = await org({}, { contacts: 100 });
    const { clientId: client_id, clientSecret: client_secret } = salesforce.urls;
    const body = new URLSearchParams({ client_id, client_secret, ...form });
    const response = await fetch(`${url}/services/oauth2/token`, { method: 'POST', body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error });
  });

  it('results of a job cannot be fetched before it is complete, nor with another API version', async () => {
    const { json } = await org({}, { contacts: 100 });
    const created = job('SELECT Id FROM Contact');
    const { id } = (await json(created.path, created.init)).body as { id: string };
    expect(await json(`${V}/jobs/query/${id}/results`)).toMatchObject({
      status: 400,
      body: [{ errorCode: 'INVALIDJOBSTATE' }],
    });
    for (const state of ['UploadComplete', 'JobComplete'])
      expect((await json(`${V}/jobs/query/${id}`)).body).toMatchObject({ state, apiVersion: 62 });
    expect((await json(`/services/data/v61.0/jobs/query/${id}/results`)).status).toBe(409);
  });

  it('the daily limit refuses, and says how much was used until then', async () => {
    const { send, json, salesforce } = await org({ dailyRequests: 2 }, { contacts: 100 });
    expect((await send(`${V}/limits`)).headers.get('sforce-limit-info')).toBe('api-usage=1/2');
    await send(`${V}/limits`);
    expect(await json(`${V}/limits`)).toMatchObject({ status: 403, body: [{ errorCode: 'REQUEST_LIMIT_EXCEEDED' }] });
    expect(salesforce.org.usage.requests).toBe(2);
  });

  it('a write works as on the real service, and the traffic tells of it', async () => {
    const { send, json, world, salesforce } = await org({}, { contacts: 100 });
    const id = recordId('Contact', 1);
    const path = `${V}/sobjects/Contact/${id}`;
    expect((await send(path, { method: 'PATCH', body: '{"Title":"Changed"}' })).status).toBe(204);
    expect(world.find(id)?.get('Title')).toBe('Changed');
    await json(soql('SELECT Id FROM Contact LIMIT 1'));
    await json(retrieve([id]).path, retrieve([id]).init);
    await send(`${V}/composite/sobjects`, { method: 'POST', body: '{"records":[]}' });
    expect(salesforce.org.traffic.mutating.map((call) => `${call.method} ${call.path}`)).toEqual([
      `PATCH ${path}`,
      `POST ${V}/composite/sobjects`,
    ]);
  });
});
