import { describe, expect, it } from 'vitest';
import type { VendorRequest } from '#core/ports/vendor.ts';
import { isReadOnlySoql, RPC, salesforceAllowList } from '#services/ingest-salesforce/allow-list.ts';

const org = 'https://acme.my.salesforce.example';
const data = `${org}/services/data/v62.0`;
const list = salesforceAllowList({
  instanceUrl: org,
  loginUrl: 'https://login.salesforce.example',
  grpcEndpoint: 'pubsub.example:7443',
});
const q = (soql: string): string => `?q=${encodeURIComponent(soql)}`;
const signal = new AbortController().signal;

function request(method: VendorRequest['method'], url: string, body?: unknown): VendorRequest {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    instance: 'acme',
    method,
    url,
    purpose: 'poll',
    timeoutMs: 1,
    signal,
    ...(body === undefined ? {} : { body: Buffer.from(text) }),
  };
}

const retrieve = { ids: ['003000000000001AAA'], fields: ['Id'] };
const query = { method: 'GET', url: '/services/data/v62.0/queryAll?q=SELECT+Id+FROM+Contact', referenceId: 'q0' };
const job = { operation: 'queryAll', query: 'SELECT Id FROM Contact', contentType: 'CSV' };

describe('what may be sent to Salesforce', () => {
  it.each([
    [
      'POST /composite/sobjects creates records where POST /composite/sobjects/Contact reads them',
      request('POST', `${data}/composite/sobjects`, {
        allOrNone: false,
        records: [{ attributes: { type: 'Contact' } }],
      }),
    ],
    [
      'POST /composite/sobjects/Contact with records would not be a retrieve',
      request('POST', `${data}/composite/sobjects/Contact`, { records: [] }),
    ],
    [
      'PATCH /composite/sobjects/Contact/Id upserts',
      request('PATCH', `${data}/composite/sobjects/Contact/Id`, retrieve),
    ],
    ['POST /composite runs anything', request('POST', `${data}/composite`, { compositeRequest: [] })],
    ['POST /composite/graph runs anything', request('POST', `${data}/composite/graph`, { graphs: [] })],
    ['POST /composite/tree/Contact creates', request('POST', `${data}/composite/tree/Contact`, { records: [] })],
    ['POST /composite/batch runs anything', request('POST', `${data}/composite/batch`, { batchRequests: [] })],
    ['POST /sobjects/Contact creates', request('POST', `${data}/sobjects/Contact`, { LastName: 'x' })],
    ['PATCH /sobjects/Contact/<id> updates', request('PATCH', `${data}/sobjects/Contact/003000000000001AAA`, {})],
    ['GET /apexrest may do anything', request('GET', `${org}/services/apexrest/anything`)],
    ['POST /apexrest may do anything', request('POST', `${org}/services/apexrest/anything`, {})],
    ['/tooling runs code', request('GET', `${data}/tooling/executeAnonymous?anonymousBody=x`)],
    ['POST /jobs/ingest writes', request('POST', `${data}/jobs/ingest`, { object: 'Contact', operation: 'insert' })],
    ['a job that is no query', request('POST', `${data}/jobs/query`, { ...job, operation: 'insert' })],
    ['a job with more than a query', request('POST', `${data}/jobs/query`, { ...job, object: 'Contact' })],
    [
      'a job that locks rows',
      request('POST', `${data}/jobs/query`, { ...job, query: 'SELECT Id FROM Contact FOR UPDATE' }),
    ],
    ['aborting a job', request('PATCH', `${data}/jobs/query/750000000000001AAA`, { state: 'Aborted' })],
    ['a method in a parameter', request('POST', `${data}/composite/sobjects/Contact?_HttpMethod=PATCH`, retrieve)],
    [
      'a method in a header',
      {
        ...request('POST', `${data}/composite/sobjects/Contact`, retrieve),
        headers: { 'X-HTTP-Method-Override': 'PATCH' },
      },
    ],
    ['a query that notes what was viewed', request('GET', `${data}/query${q('SELECT Id FROM Contact FOR VIEW')}`)],
    [
      'a query that notes what was referred to',
      request('GET', `${data}/query${q('SELECT Id FROM Contact FOR  REFERENCE')}`),
    ],
    [
      'a query that locks rows',
      request('GET', `${data}/query${q("SELECT Id FROM Contact WHERE Name = 'x' for update")}`),
    ],
    ['a query that counts views', request('GET', `${data}/query${q('SELECT Id FROM Knowledge UPDATE VIEWSTAT')}`)],
    ['two queries at once', request('GET', `${data}/query${q('SELECT Id FROM Contact')}&q=x`)],
    ['an object that is not read', request('GET', `${data}/sobjects/Case/describe`)],
    ['a retrieve of an object that is not read', request('POST', `${data}/composite/sobjects/Case`, retrieve)],
    ['another org', request('GET', 'https://other.my.salesforce.example/services/data/v62.0/limits')],
    [
      'a token from elsewhere',
      request('POST', 'https://evil.example/services/oauth2/token', 'grant_type=client_credentials'),
    ],
    [
      'a password grant',
      request(
        'POST',
        'https://login.salesforce.example/services/oauth2/token',
        'grant_type=password&username=a&password=b',
      ),
    ],
    ['revoking a token', request('POST', 'https://login.salesforce.example/services/oauth2/revoke', 'token=x')],
    ['the SOAP login', request('POST', 'https://login.salesforce.example/services/Soap/u/62.0', '<x/>')],
  ])('refuses: %s', (_why, given) => {
    expect(() => list.request(given)).toThrow(expect.objectContaining({ code: 'not_allowed' }));
  });

  it.each([
    [
      request(
        'POST',
        'https://login.salesforce.example/services/oauth2/token',
        'grant_type=client_credentials&client_id=a&client_secret=b',
      ),
      'POST /services/oauth2/token',
    ],
    [request('GET', `${data}/limits`), 'GET /services/data/{version}/limits'],
    [request('GET', `${data}/sobjects/Contact/describe`), 'GET /services/data/{version}/sobjects/{object}/describe'],
    [
      request('GET', `${data}/queryAll${q("SELECT Id FROM Contact WHERE LastName = 'FOR UPDATE'")}`),
      'GET /services/data/{version}/queryAll',
    ],
    [request('GET', `${data}/query/01g000000000001AAA-2000`), 'GET /services/data/{version}/query/{cursor}'],
    [
      request('POST', `${data}/composite/sobjects/Contact`, retrieve),
      'POST /services/data/{version}/composite/sobjects/{object}',
    ],
    [
      request('POST', `${data}/composite`, { allOrNone: false, compositeRequest: [query] }),
      'POST /services/data/{version}/composite',
    ],
    [request('POST', `${data}/jobs/query`, job), 'POST /services/data/{version}/jobs/query'],
    [
      request('GET', `${data}/jobs/query/750000000000001AAA/results?locator=MTAwMDAw&maxRecords=100`),
      'GET /services/data/{version}/jobs/query/{job}/results',
    ],
    [
      request(
        'GET',
        `${data}/sobjects/Contact/deleted/?start=2026-01-05T09%3A00%3A00.000Z&end=2026-01-05T09%3A05%3A00.000Z`,
      ),
      'GET /services/data/{version}/sobjects/{object}/deleted/',
    ],
  ])('permits a read, and names it without ids', (given, operation) => {
    expect(list.request(given).operation).toBe(operation);
  });

  it.each(['Publish', 'PublishStream', 'ManagedSubscribe'])('refuses the RPC %s', (method) => {
    const rpc = {
      rpc: `/eventbus.v1.PubSub/${method}`,
      endpoint: 'pubsub.example:7443',
      instance: 'acme',
      metadata: {},
      purpose: 'prompt',
      signal,
    } as const;
    expect(() => list.rpc(rpc)).toThrow(expect.objectContaining({ code: 'not_allowed' }));
    expect(list.rpc({ ...rpc, rpc: RPC.subscribe }).operation).toBe(RPC.subscribe);
  });

  it.each([
    ["SELECT Id FROM Contact WHERE Name = 'it\\'s FOR UPDATE'", true],
    ["SELECT Id FROM Contact WHERE Name = 'x' FOR\nUPDATE", false],
    ['UPDATE Contact SET x', false],
    ['FIND {x} IN ALL FIELDS', false],
  ])('knows whether SOQL only reads: %s', (soql, reads) => {
    expect(isReadOnlySoql(soql)).toBe(reads);
  });
});
